use super::Network;
use super::learnt_positions::LearntEmbeddings;
use super::length_groups::Groups;
use super::loader::{Loader, indices};
use super::post_norm::PostNormLayer;
use crate::Result;
use crate::architecture::mpnet::{ATTENTION_BIAS, Config};
use crate::batch::Batch;
use crate::kv_cache::{KvCache, before};
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// MPNet (Song et al., 2020): BERT's layers, with a bias of attention by position that all of them share.
#[derive(Module, Debug)]
pub(crate) struct MpNet {
    embeddings: LearntEmbeddings,
    attention_bias: Param<Tensor<2>>, // [buckets, heads]
    layers: Vec<PostNormLayer>,
    #[module(skip)]
    config: Config,
}

impl Network for MpNet {
    type Config = Config;

    fn load(config: &Config, loader: &Loader<'_>) -> Result<Self> {
        let buckets = [config.relative_attention_num_buckets, config.num_attention_heads];
        Ok(Self {
            embeddings: LearntEmbeddings::load(config.embeddings(), loader)?,
            attention_bias: loader.param(ATTENTION_BIAS, buckets)?,
            layers: PostNormLayer::load_all(&config.layers(), loader)?,
            config: config.clone(),
        })
    }

    fn forward(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<Tensor<2>> {
        before(batch, cache.as_deref(), false)?; // there are none
        let mut x = self.embeddings.forward(batch); // [tokens, hidden]
        let device = x.device();
        let groups = Groups::of(batch.lengths, false, &device);
        let biases: Vec<Tensor<4>> = groups.0.iter().map(|group| self.bias(group.length)).collect();
        for layer in &self.layers {
            x = layer.forward(x, &groups, Some(&biases));
        }
        Ok(match batch.rows() {
            None => x,
            Some(rows) => x.select(0, indices(rows, &device)),
        })
    }
}

impl MpNet {
    /// The bias between all tokens of a text, `[1, heads, length, length]`.
    fn bias(&self, length: usize) -> Tensor<4> {
        let (table, n) = (self.attention_bias.val(), length.cast_signed());
        let buckets = (0..n).flat_map(|query| (0..n).map(move |key| self.config.bucket(key - query)));
        let pairs = table.clone().select(0, indices(buckets, &table.device())); // [length * length, heads]
        let heads = pairs.dims()[1];
        pairs.reshape([1, length, length, heads]).permute([0, 3, 1, 2])
    }
}
