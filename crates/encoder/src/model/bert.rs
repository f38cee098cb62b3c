use super::Network;
use super::learnt_positions::LearntEmbeddings;
use super::length_groups::Groups;
use super::loader::{Loader, indices};
use super::post_norm::PostNormLayer;
use crate::Result;
use crate::architecture::bert::Config;
use crate::architecture::learnt_positions::LearntPositions;
use crate::architecture::post_norm::PostNorm;
use crate::batch::Batch;
use crate::kv_cache::{KvCache, before};
use burn::module::Module;
use burn::tensor::Tensor;

/// BERT (Devlin et al., 2019), and its descendants that differ in positions and names alone: learnt positions,
/// attention in both directions, normalisation after each block.
#[derive(Module, Debug)]
pub(crate) struct Bert {
    embeddings: LearntEmbeddings,
    layers: Vec<PostNormLayer>,
}

impl Bert {
    /// A model of these parts.
    pub(super) fn of(embeddings: LearntPositions, layers: &PostNorm, loader: &Loader<'_>) -> Result<Self> {
        Ok(Self {
            embeddings: LearntEmbeddings::load(embeddings, loader)?,
            layers: PostNormLayer::load_all(layers, loader)?,
        })
    }
}

impl Network for Bert {
    type Config = Config;

    fn load(config: &Config, loader: &Loader<'_>) -> Result<Self> {
        Self::of(config.embeddings(), &config.layers(), loader)
    }

    fn forward(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<Tensor<2>> {
        before(batch, cache.as_deref(), false)?; // there are none
        let mut x = self.embeddings.forward(batch); // [tokens, hidden]
        let device = x.device();
        let groups = Groups::of(batch.lengths, false, &device);
        for layer in &self.layers {
            x = layer.forward(x, &groups, None);
        }
        Ok(match batch.rows() {
            None => x,
            Some(rows) => x.select(0, indices(rows, &device)),
        })
    }
}
