use super::loader::{Loader, indices};
use crate::Result;
use crate::architecture::learnt_positions::{
    EMBEDDINGS_NORM, LearntPositions, POSITION_EMBEDDINGS, TOKEN_EMBEDDINGS, TYPE_EMBEDDINGS,
};
use crate::batch::Batch;
use burn::module::{Module, Param};
use burn::nn::{Dropout, LayerNorm};
use burn::tensor::Tensor;

/// The embeddings of BERT and its descendants; see [`LearntPositions`].
#[derive(Module, Debug)]
pub(super) struct LearntEmbeddings {
    tokens: Param<Tensor<2>>,        // [vocabulary, hidden]
    positions: Param<Tensor<2>>,     // [positions, hidden]
    types: Option<Param<Tensor<2>>>, // [types, hidden]
    norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    config: LearntPositions,
}

impl LearntEmbeddings {
    pub(super) fn load(config: LearntPositions, loader: &Loader<'_>) -> Result<Self> {
        let hidden = config.hidden;
        let types = config.types.map(|types| loader.param(TYPE_EMBEDDINGS, [types, hidden]));
        Ok(Self {
            tokens: loader.param(TOKEN_EMBEDDINGS, [config.vocabulary, hidden])?,
            positions: loader.param(POSITION_EMBEDDINGS, [config.rows, hidden])?,
            types: types.transpose()?,
            norm: loader.layer_norm(EMBEDDINGS_NORM, hidden, config.epsilon)?,
            dropout: loader.dropout(config.dropout),
            config,
        })
    }

    /// The states of a batch before the first layer, `[tokens, hidden]`.
    pub(super) fn forward(&self, batch: &Batch<'_>) -> Tensor<2> {
        let embeddings = self.tokens.val();
        let device = embeddings.device();
        let tokens = embeddings.select(0, indices(batch.ids.iter().map(|&id| id as usize), &device));
        let positions = indices(self.config.of(batch.ids, batch.lengths), &device);
        let mut sum = tokens + self.positions.val().select(0, positions);
        if let Some(types) = &self.types {
            sum = sum + types.val().narrow(0, 0, 1); // [1, hidden]
        }
        self.dropout.forward(self.norm.forward(sum))
    }
}
