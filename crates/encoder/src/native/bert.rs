use super::dense::Source;
use super::layers;
use super::norm::LayerNorm;
use super::post_norm::PostNormLayers;
use super::token_embeddings::TokenEmbeddings;
use crate::architecture::Own;
use crate::architecture::bert::{Config, TOKEN_EMBEDDINGS};
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::engine::Model;
use crate::kv_cache::{KvCache, before};
use crate::states::States;
use crate::{Result, Weights};
use rayon::prelude::*;

/// BERT (Devlin et al., 2019): learnt positions, attention in both directions, normalisation after each block.
pub(crate) struct Bert {
    token_embeddings: TokenEmbeddings,
    position_embeddings: Vec<f32>, // [positions, hidden], the first token type added
    norm: LayerNorm,
    layers: PostNormLayers,
    hidden: usize,
}

impl Own<Config> for Bert {
    fn load(config: &Config, checkpoint: &Checkpoint, weights: Weights) -> Result<Self> {
        let source = &Source { checkpoint, weights };
        let hidden = config.hidden_size;
        let positions = [config.max_position_embeddings, hidden];
        let mut positions = checkpoint.values("embeddings.position_embeddings.weight", &positions)?;
        let types = [config.type_vocab_size, hidden];
        let types = checkpoint.values("embeddings.token_type_embeddings.weight", &types)?;
        for row in positions.chunks_exact_mut(hidden) {
            row.iter_mut().zip(&types).for_each(|(position, first_type)| *position += first_type);
        }
        let norm = LayerNorm::load(checkpoint, "embeddings.LayerNorm", hidden, config.layer_norm_eps)?;
        Ok(Self {
            token_embeddings: TokenEmbeddings::load(source, TOKEN_EMBEDDINGS, [config.vocab_size, hidden])?,
            position_embeddings: positions,
            layers: PostNormLayers::load(&config.layers(), source, &norm)?,
            norm,
            hidden,
        })
    }
}

impl Model for Bert {
    fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States> {
        before(batch, cache.as_deref(), false)?; // there are none
        let n = self.hidden;
        let positions: Vec<usize> = batch.positions(0).collect();
        let mut states = vec![0f32; batch.ids.len() * n];
        states.par_chunks_exact_mut(n).zip(batch.ids).zip(&positions).for_each(|((row, &id), &position)| {
            self.token_embeddings.copy(id, row);
            let position = &self.position_embeddings[position * n..][..n];
            row.iter_mut().zip(position).for_each(|(state, position)| *state += position);
            self.norm.apply(row);
        });
        layers::run(&self.layers, states, batch, None).map(States::Slice)
    }
}
