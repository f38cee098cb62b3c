use super::dense::Source;
use super::norm::LayerNorm;
use super::token_embeddings::TokenEmbeddings;
use crate::Result;
use crate::architecture::learnt_positions::{
    EMBEDDINGS_NORM, LearntPositions, POSITION_EMBEDDINGS, TOKEN_EMBEDDINGS, TYPE_EMBEDDINGS,
};
use crate::batch::Batch;
use rayon::prelude::*;

/// The embeddings of BERT and its descendants; see [`LearntPositions`].
pub(super) struct LearntEmbeddings {
    tokens: TokenEmbeddings,
    positions: Vec<f32>, // [positions, hidden], the first token type added
    pub(super) norm: LayerNorm,
    config: LearntPositions,
}

impl LearntEmbeddings {
    pub(super) fn load(config: LearntPositions, source: &Source<'_>) -> Result<Self> {
        let (checkpoint, hidden) = (source.checkpoint, config.hidden);
        let mut positions = checkpoint.values(POSITION_EMBEDDINGS, &[config.rows, hidden])?;
        if let Some(types) = config.types {
            let types = checkpoint.values(TYPE_EMBEDDINGS, &[types, hidden])?;
            for row in positions.chunks_exact_mut(hidden) {
                row.iter_mut().zip(&types).for_each(|(position, first_type)| *position += first_type);
            }
        }
        Ok(Self {
            tokens: TokenEmbeddings::load(source, TOKEN_EMBEDDINGS, [config.vocabulary, hidden])?,
            positions,
            norm: LayerNorm::load(checkpoint, EMBEDDINGS_NORM, hidden, config.epsilon)?,
            config,
        })
    }

    /// The states of a batch before the first layer, `[tokens, hidden]`.
    pub(super) fn states(&self, batch: &Batch<'_>) -> Vec<f32> {
        let n = self.config.hidden;
        let mut states = vec![0f32; batch.ids.len() * n];
        let tokens = batch.ids.par_iter().zip(self.config.of(batch.ids, batch.lengths));
        states.par_chunks_exact_mut(n).zip(tokens).for_each(|(row, (&id, position))| {
            self.tokens.copy(id, row);
            let position = &self.positions[position * n..][..n];
            row.iter_mut().zip(position).for_each(|(state, position)| *state += position);
            self.norm.apply(row);
        });
        states
    }
}
