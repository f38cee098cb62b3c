use super::product::{matrix, multiply_packed, packed};
use crate::Result;
use crate::checkpoint::Checkpoint;
use rten_gemm::PackedBMatrix;

/// `x W + b`, the weight laid out once as products like it.
pub(super) struct Dense {
    weight: PackedBMatrix<f32>,
    bias: Option<Vec<f32>>,
    dim_in: usize,
    dim_out: usize,
}

impl Dense {
    /// One layer for several of the same input: their outputs side by side. Each is `(name, dim_out)`; a bias is taken
    /// where all have one.
    pub(super) fn fused(checkpoint: &Checkpoint, parts: &[(String, usize)], dim_in: usize) -> Result<Self> {
        let join = |ending: &str, shape: &dyn Fn(usize) -> Vec<usize>| -> Result<Vec<f32>> {
            let values =
                parts.iter().map(|(name, n)| checkpoint.values(&format!("{name}.{ending}"), &shape(*n)));
            Ok(values.collect::<Result<Vec<_>>>()?.concat())
        };
        let biased = parts.iter().all(|(name, _)| checkpoint.has(&format!("{name}.bias")));
        Ok(Self {
            weight: packed(&join("weight", &|n| vec![n, dim_in])?, dim_in)?,
            bias: biased.then(|| join("bias", &|n| vec![n])).transpose()?,
            dim_in,
            dim_out: parts.iter().map(|(_, n)| n).sum(),
        })
    }

    /// A single layer.
    pub(super) fn load(checkpoint: &Checkpoint, name: &str, dim_in: usize, dim_out: usize) -> Result<Self> {
        Self::fused(checkpoint, &[(name.into(), dim_out)], dim_in)
    }

    /// Rows of `x`, `[rows, dim_in]` and `stride` numbers apart, to rows of `out`, `[rows, dim_out]`.
    pub(super) fn forward(&self, x: &[f32], stride: usize, out: &mut [f32]) -> Result<()> {
        self.compute(x, stride, out, false)
    }

    /// The same, added to `out`.
    pub(super) fn add(&self, x: &[f32], stride: usize, out: &mut [f32]) -> Result<()> {
        self.compute(x, stride, out, true)
    }

    fn compute(&self, x: &[f32], stride: usize, out: &mut [f32], add: bool) -> Result<()> {
        let x = matrix(x, out.len() / self.dim_out, self.dim_in, stride)?;
        multiply_packed(out, x, &self.weight, self.bias.as_deref(), add)
    }
}
