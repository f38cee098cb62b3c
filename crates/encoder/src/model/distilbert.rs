use super::{Bert, Loader, Network};
use crate::Result;
use crate::architecture::distilbert::Config;
use crate::batch::Batch;
use crate::kv_cache::KvCache;
use burn::module::Module;
use burn::tensor::Tensor;

/// DistilBERT (Sanh et al., 2019): BERT without token types.
#[derive(Module, Debug)]
pub(crate) struct DistilBert {
    body: Bert,
}

impl Network for DistilBert {
    type Config = Config;

    fn load(config: &Config, loader: &Loader<'_>) -> Result<Self> {
        Ok(Self { body: Bert::of(config.embeddings(), &config.layers(), loader)? })
    }

    fn forward(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<Tensor<2>> {
        self.body.forward(batch, cache)
    }
}
