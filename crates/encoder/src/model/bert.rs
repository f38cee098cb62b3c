use super::Network;
use super::length_groups::Groups;
use super::loader::{Loader, indices};
use super::post_norm::PostNormLayer;
use crate::Result;
use crate::architecture::bert::{Config, TOKEN_EMBEDDINGS};
use crate::batch::Batch;
use crate::kv_cache::{KvCache, before};
use burn::module::{Module, Param};
use burn::nn::{Dropout, LayerNorm};
use burn::tensor::Tensor;

/// BERT (Devlin et al., 2019): learnt positions, attention in both directions, normalisation after each block.
#[derive(Module, Debug)]
pub(crate) struct Bert {
    token_embeddings: Param<Tensor<2>>,      // [vocabulary, hidden]
    position_embeddings: Param<Tensor<2>>,   // [positions, hidden]
    token_type_embeddings: Param<Tensor<2>>, // [types, hidden]
    norm: LayerNorm,
    dropout: Dropout,
    layers: Vec<PostNormLayer>,
}

impl Network for Bert {
    type Config = Config;

    fn load(config: &Config, loader: &Loader<'_>) -> Result<Self> {
        let hidden = config.hidden_size;
        let positions = [config.max_position_embeddings, hidden];
        let types = [config.type_vocab_size, hidden];
        Ok(Self {
            token_embeddings: loader.param(TOKEN_EMBEDDINGS, [config.vocab_size, hidden])?,
            position_embeddings: loader.param("embeddings.position_embeddings.weight", positions)?,
            token_type_embeddings: loader.param("embeddings.token_type_embeddings.weight", types)?,
            norm: loader.layer_norm("embeddings.LayerNorm", hidden, config.layer_norm_eps)?,
            dropout: loader.dropout(config.hidden_dropout_prob),
            layers: PostNormLayer::load_all(&config.layers(), loader)?,
        })
    }

    fn forward(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<Tensor<2>> {
        before(batch, cache.as_deref(), false)?; // there are none
        let embeddings = self.token_embeddings.val();
        let device = embeddings.device();
        let tokens = embeddings.select(0, indices(batch.ids.iter().map(|&id| id as usize), &device));
        let positions = self.position_embeddings.val().select(0, indices(batch.positions(0), &device));
        let first_type = self.token_type_embeddings.val().narrow(0, 0, 1); // [1, hidden]
        let mut x = self.dropout.forward(self.norm.forward(tokens + positions + first_type)); // [tokens, hidden]
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
