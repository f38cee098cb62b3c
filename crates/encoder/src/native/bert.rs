use super::dense::Source;
use super::layers;
use super::learnt_positions::LearntEmbeddings;
use super::post_norm::PostNormLayers;
use crate::architecture::learnt_positions::LearntPositions;
use crate::architecture::post_norm::PostNorm;
use crate::architecture::{Own, bert, distilbert, roberta};
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::engine::Model;
use crate::kv_cache::{KvCache, before};
use crate::states::States;
use crate::{Result, Weights};

/// BERT (Devlin et al., 2019), and its descendants that differ in positions and names alone: learnt positions,
/// attention in both directions, normalisation after each block.
pub(crate) struct Bert {
    embeddings: LearntEmbeddings,
    layers: PostNormLayers,
}

impl Bert {
    /// A model of these parts.
    fn of(embeddings: LearntPositions, layers: &PostNorm, source: &Source<'_>) -> Result<Self> {
        let embeddings = LearntEmbeddings::load(embeddings, source)?;
        let layers = PostNormLayers::load(layers, source, &embeddings.norm)?;
        Ok(Self { embeddings, layers })
    }
}

impl Own<bert::Config> for Bert {
    fn load(config: &bert::Config, checkpoint: &Checkpoint, weights: Weights) -> Result<Self> {
        Self::of(config.embeddings(), &config.layers(), &Source { checkpoint, weights })
    }
}

impl Own<roberta::Config> for Bert {
    fn load(config: &roberta::Config, checkpoint: &Checkpoint, weights: Weights) -> Result<Self> {
        Self::of(config.embeddings(), &config.layers(), &Source { checkpoint, weights })
    }
}

impl Own<distilbert::Config> for Bert {
    fn load(config: &distilbert::Config, checkpoint: &Checkpoint, weights: Weights) -> Result<Self> {
        Self::of(config.embeddings(), &config.layers(), &Source { checkpoint, weights })
    }
}

impl Model for Bert {
    fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States> {
        before(batch, cache.as_deref(), false)?; // there are none
        layers::run(&self.layers, self.embeddings.states(batch), batch, None).map(States::Slice)
    }
}
