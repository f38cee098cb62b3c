//! The models on plain slices, for the CPU: weights laid out once as products read them, few passes over memory
//! between two products, and threads over rows.

mod attention;
mod bert;
mod bf16;
mod dense;
mod gelu;
mod int8;
mod norm;
pub(crate) mod product;
mod qwen3;
mod rounding;
mod rows;
mod softmax;
mod stack;
mod tiles;
mod words;

use crate::architecture::Architecture;
use crate::checkpoint::Checkpoint;
use crate::{Pooling, Result, Weights};
use bert::Bert;
use dense::Source;
use qwen3::Qwen3;
pub(crate) use stack::Past;

/// A model on the CPU.
pub(crate) enum Native {
    Bert(Bert),
    Qwen3(Qwen3),
}

impl Native {
    pub(crate) fn load(
        architecture: &Architecture,
        checkpoint: &Checkpoint,
        weights: Weights,
    ) -> Result<Self> {
        let source = &Source { checkpoint, weights };
        match architecture {
            Architecture::Bert(config) => Ok(Self::Bert(Bert::load(config, source)?)),
            Architecture::Qwen3(config) => Ok(Self::Qwen3(Qwen3::load(config, source)?)),
        }
    }

    /// What texts need of `ids` that stand before them all; none where a token also sees what comes after it.
    pub(crate) fn past(&self, ids: &[u32]) -> Result<Option<Past>> {
        match self {
            Self::Bert(_) => Ok(None),
            Self::Qwen3(model) => model.past(ids).map(Some),
        }
    }

    /// Pooled states, `[texts, dim]`, of packed tokens of texts of these lengths, each after the tokens of `past`.
    pub(crate) fn encode(
        &self,
        ids: &[u32],
        lengths: &[usize],
        past: Option<&Past>,
        pooling: Pooling,
    ) -> Result<Vec<f32>> {
        let kept = pooling.rows(lengths);
        let (states, dim) = match self {
            Self::Bert(model) => (model.forward(ids, lengths, kept.as_deref())?, model.dim()),
            Self::Qwen3(model) => (model.forward(ids, lengths, past, kept.as_deref())?, model.dim()),
        };
        Ok(if kept.is_some() { states } else { means(&states, lengths, dim) })
    }
}

/// The mean state of each text, `[texts, dim]`.
fn means(states: &[f32], lengths: &[usize], dim: usize) -> Vec<f32> {
    let mut pooled = vec![0f32; lengths.len() * dim];
    let mut rows = states.chunks_exact(dim);
    for (mean, &n) in pooled.chunks_exact_mut(dim).zip(lengths) {
        for row in rows.by_ref().take(n) {
            mean.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
        }
        mean.iter_mut().for_each(|sum| *sum /= n as f32);
    }
    pooled
}
