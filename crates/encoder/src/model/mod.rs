//! The models as tensors on any device, one file for each architecture.

mod attention;
mod bert;
mod layers;
mod qwen3;

use crate::architecture::Architecture;
use crate::checkpoint::Checkpoint;
use crate::{Device, Pooling, Result};
use bert::Bert;
use burn::tensor::{Int, Tensor, TensorData};
use manyview_core::Kind;
use qwen3::Qwen3;

/// A model on a device.
#[allow(clippy::large_enum_variant)] // one of it, never moved about
pub(crate) enum Model {
    Bert(Bert),
    Qwen3(Qwen3),
}

impl Model {
    pub(crate) fn load(
        architecture: &Architecture,
        checkpoint: &Checkpoint,
        device: &Device,
    ) -> Result<Self> {
        match architecture {
            Architecture::Bert(config) => Ok(Self::Bert(Bert::load(config, checkpoint, device)?)),
            Architecture::Qwen3(config) => Ok(Self::Qwen3(Qwen3::load(config, checkpoint, device)?)),
        }
    }

    /// Pooled states, `[texts, dim]`, of packed tokens of texts of these lengths.
    pub(crate) fn encode(&self, ids: &[u32], lengths: &[usize], pooling: Pooling) -> Result<Vec<f32>> {
        let states = match self {
            Self::Bert(model) => model.forward(ids, lengths),
            Self::Qwen3(model) => model.forward(ids, lengths),
        }; // [tokens, dim]
        pool(states, lengths, pooling).into_data().try_into_vec::<f32>().map_err(|e| {
            manyview_core::Error::other(Kind::Internal, format!("a device gave other numbers: {e:?}")).into()
        })
    }
}

/// One vector a text, `[texts, dim]`, from packed states `[tokens, dim]`.
fn pool(states: Tensor<2>, lengths: &[usize], pooling: Pooling) -> Tensor<2> {
    let device = states.device();
    match pooling.rows(lengths) {
        Some(rows) => states.select(0, index(rows.into_iter().map(|r| r as i64).collect(), &device)),
        None => {
            let starts = lengths.iter().scan(0, |next, &n| {
                *next += n;
                Some(*next - n)
            });
            let means = starts.zip(lengths).map(|(at, &n)| states.clone().narrow(0, at, n).mean_dim(0)); // [1, dim]
            Tensor::cat(means.collect(), 0)
        }
    }
}

fn index(values: Vec<i64>, device: &Device) -> Tensor<1, Int> {
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), device)
}

/// The position of every packed token in its text.
fn positions(lengths: &[usize]) -> Vec<i64> {
    lengths.iter().flat_map(|&n| 0..n as i64).collect()
}
