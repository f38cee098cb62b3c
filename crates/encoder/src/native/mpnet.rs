use super::dense::Source;
use super::layers::{self, Layers};
use super::learnt_positions::LearntEmbeddings;
use super::position_bias::PositionBias;
use super::post_norm::PostNormLayers;
use crate::architecture::mpnet::{ATTENTION_BIAS, Config};
use crate::architecture::{Description, Heads, Own};
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::engine::Model;
use crate::kv_cache::{KvCache, before};
use crate::states::States;
use crate::{Result, Weights};

/// MPNet (Song et al., 2020): BERT's layers, with a bias of attention by position that all of them share.
pub(crate) struct MpNet {
    embeddings: LearntEmbeddings,
    layers: PostNormLayers,
    bias: PositionBias,
}

impl Own<Config> for MpNet {
    fn load(config: &Config, checkpoint: &Checkpoint, weights: Weights) -> Result<Self> {
        let source = &Source { checkpoint, weights };
        let heads = config.num_attention_heads;
        let embeddings = LearntEmbeddings::load(config.embeddings(), source)?;
        let bias = checkpoint.values(ATTENTION_BIAS, &[config.relative_attention_num_buckets, heads])?;
        let of = |head, distance| bias[config.bucket(distance) * heads + head];
        Ok(Self {
            layers: PostNormLayers::load(&config.layers(), source, &embeddings.norm)?,
            embeddings,
            bias: PositionBias::new(heads, config.summary().max_tokens, of),
        })
    }
}

impl Model for MpNet {
    fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States> {
        before(batch, cache.as_deref(), false)?; // there are none
        layers::run(self, self.embeddings.states(batch), batch, None).map(States::Slice)
    }
}

impl Layers for MpNet {
    fn count(&self) -> usize {
        self.layers.count()
    }

    fn heads(&self) -> Heads {
        self.layers.heads()
    }

    fn bias(&self) -> Option<&PositionBias> {
        Some(&self.bias)
    }

    fn project(&self, layer: usize, states: &[f32], first: usize, qkv: &mut [f32]) -> Result<()> {
        self.layers.project(layer, states, first, qkv)
    }

    fn finish(&self, layer: usize, states: &mut [f32], attended: &[f32], inner: &mut Vec<f32>) -> Result<()> {
        self.layers.finish(layer, states, attended, inner)
    }
}
