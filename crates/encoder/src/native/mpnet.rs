use super::dense::Source;
use super::layers::{self, Layers};
use super::norm::LayerNorm;
use super::position_bias::PositionBias;
use super::post_norm::PostNormLayers;
use super::token_embeddings::TokenEmbeddings;
use crate::architecture::mpnet::{
    ATTENTION_BIAS, Config, EMBEDDINGS_NORM, POSITION_EMBEDDINGS, TOKEN_EMBEDDINGS, positions,
};
use crate::architecture::{Description, Heads, Own};
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::engine::Model;
use crate::kv_cache::{KvCache, before};
use crate::states::States;
use crate::{Result, Weights};
use rayon::prelude::*;

/// MPNet (Song et al., 2020): BERT's layers, with a bias of attention by position that all of them share.
pub(crate) struct MpNet {
    token_embeddings: TokenEmbeddings,
    position_embeddings: Vec<f32>, // [positions, hidden]
    norm: LayerNorm,
    layers: PostNormLayers,
    bias: PositionBias,
    hidden: usize,
}

impl Own<Config> for MpNet {
    fn load(config: &Config, checkpoint: &Checkpoint, weights: Weights) -> Result<Self> {
        let source = &Source { checkpoint, weights };
        let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
        let norm = LayerNorm::load(checkpoint, EMBEDDINGS_NORM, hidden, config.layer_norm_eps)?;
        let bias = checkpoint.values(ATTENTION_BIAS, &[config.relative_attention_num_buckets, heads])?;
        let of = |head, distance| bias[config.bucket(distance) * heads + head];
        Ok(Self {
            token_embeddings: TokenEmbeddings::load(source, TOKEN_EMBEDDINGS, [config.vocab_size, hidden])?,
            position_embeddings: checkpoint
                .values(POSITION_EMBEDDINGS, &[config.max_position_embeddings, hidden])?,
            layers: PostNormLayers::load(&config.layers(), source, &norm)?,
            norm,
            bias: PositionBias::new(heads, config.summary().max_tokens, of),
            hidden,
        })
    }
}

impl Model for MpNet {
    fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States> {
        before(batch, cache.as_deref(), false)?; // there are none
        let n = self.hidden;
        let mut states = vec![0f32; batch.ids.len() * n];
        let tokens = batch.ids.par_iter().zip(positions(batch.ids, batch.lengths));
        states.par_chunks_exact_mut(n).zip(tokens).for_each(|(row, (&id, position))| {
            self.token_embeddings.copy(id, row);
            let position = &self.position_embeddings[position * n..][..n];
            row.iter_mut().zip(position).for_each(|(state, position)| *state += position);
            self.norm.apply(row);
        });
        layers::run(self, states, batch, None).map(States::Slice)
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
