//! The models as tensors on any device, one file for each architecture.

mod attention;
mod bert;
mod groups;
mod layers;
mod place;
mod qwen3;

use crate::architecture::Architecture;
use crate::checkpoint::Checkpoint;
use crate::{Pooling, Result};
use bert::Bert;
use burn::tensor::{DType, Tensor};
use groups::Groups;
use manyview_core::Kind;
pub(crate) use place::Place;
use qwen3::Qwen3;

/// A model on a device.
pub(crate) struct Model {
    layers: Layers,
    place: Place,
}

#[allow(clippy::large_enum_variant)] // one of it, never moved about
enum Layers {
    Bert(Bert),
    Qwen3(Qwen3),
}

impl Model {
    pub(crate) fn load(architecture: &Architecture, checkpoint: &Checkpoint, place: Place) -> Result<Self> {
        let layers = match architecture {
            Architecture::Bert(config) => Layers::Bert(Bert::load(config, checkpoint, &place)?),
            Architecture::Qwen3(config) => Layers::Qwen3(Qwen3::load(config, checkpoint, &place)?),
        };
        Ok(Self { layers, place })
    }

    /// Pooled states, `[texts, dim]`, of packed tokens of texts of these lengths.
    pub(crate) fn encode(&self, ids: &[u32], lengths: &[usize], pooling: Pooling) -> Result<Vec<f32>> {
        let states = match &self.layers {
            Layers::Bert(model) => model.forward(ids, lengths, &self.place),
            Layers::Qwen3(model) => model.forward(ids, lengths, &self.place),
        }; // [tokens, dim]
        self.pool(states, lengths, pooling).into_data().try_into_vec::<f32>().map_err(|e| {
            manyview_core::Error::other(Kind::Internal, format!("a device gave other numbers: {e:?}")).into()
        })
    }

    /// One vector a text, `[texts, dim]` in `f32`, from packed states `[tokens, dim]`.
    fn pool(&self, states: Tensor<2>, lengths: &[usize], pooling: Pooling) -> Tensor<2> {
        match pooling.rows(lengths) {
            Some(rows) => states.select(0, self.place.index(rows)).cast(DType::F32),
            None => {
                let width = states.dims()[1];
                let states = states.cast(DType::F32);
                let groups = Groups::of(lengths, false, &self.place); // no padding in a mean
                let means = groups.0.iter().map(|group| {
                    let own = states.clone().narrow(0, group.token, group.tokens);
                    own.reshape([group.texts, group.length, width]).mean_dim(1).reshape([group.texts, width])
                });
                Tensor::cat(means.collect(), 0)
            }
        }
    }
}

/// The position of every packed token in its text.
fn positions(lengths: &[usize]) -> impl Iterator<Item = usize> {
    lengths.iter().flat_map(|&n| 0..n)
}
