use super::{Bert, Loader, Network};
use crate::Result;
use crate::architecture::roberta::Config;
use crate::batch::Batch;
use crate::kv_cache::KvCache;
use burn::module::Module;
use burn::tensor::Tensor;

/// RoBERTa (Liu et al., 2019) and its relatives: BERT with positions counted from the one after the padding token's.
#[derive(Module, Debug)]
pub(crate) struct Roberta {
    body: Bert,
}

impl Network for Roberta {
    type Config = Config;

    fn load(config: &Config, loader: &Loader<'_>) -> Result<Self> {
        Ok(Self { body: Bert::of(config.embeddings(), &config.layers(), loader)? })
    }

    fn forward(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<Tensor<2>> {
        self.body.forward(batch, cache)
    }
}
