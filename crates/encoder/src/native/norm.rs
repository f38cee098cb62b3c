use crate::Result;
use crate::checkpoint::Checkpoint;
use rten_simd::SimdOp;
use rten_vecmath::{Normalize, NormalizeOptions, Sum, SumSquare, SumSquareSub};

/// Layer normalisation with a scale and, where the file has one, a shift, over the last dimension.
pub(crate) struct LayerNorm {
    gamma: Vec<f32>,
    beta: Vec<f32>,
    epsilon: f32,
}

impl LayerNorm {
    pub(crate) fn load(checkpoint: &Checkpoint, name: &str, dim: usize, epsilon: f64) -> Result<Self> {
        let gamma = checkpoint.values(&format!("{name}.weight"), &[dim])?;
        let shift = format!("{name}.bias");
        let beta = match checkpoint.has(&shift) {
            true => checkpoint.values(&shift, &[dim])?,
            false => vec![0.0; dim],
        };
        Ok(Self { gamma, beta, epsilon: epsilon as f32 })
    }

    /// Its scale and shift.
    pub(super) fn affine(&self) -> (&[f32], &[f32]) {
        (&self.gamma, &self.beta)
    }

    /// Normalises the rows of `x`, `[rows, dim]`, in place.
    pub(crate) fn apply(&self, x: &mut [f32]) {
        let n = self.gamma.len() as f32;
        for row in x.chunks_exact_mut(self.gamma.len()) {
            let mean = Sum::new(row).dispatch() / n;
            let variance = SumSquareSub::new(row, mean).dispatch() / n;
            let options = NormalizeOptions {
                pre_scale_bias: mean,
                scale: 1.0 / (variance + self.epsilon).sqrt(),
                element_scale: Some(&self.gamma),
                element_bias: Some(&self.beta),
                ..NormalizeOptions::default()
            };
            Normalize::new_mut(row, options).dispatch();
        }
    }
}

/// Root-mean-square normalisation with a scale, over the last dimension.
pub(super) struct RmsNorm {
    gamma: Vec<f32>,
    epsilon: f32,
}

impl RmsNorm {
    /// `offset` is added to the scale that is stored.
    pub(super) fn load(
        checkpoint: &Checkpoint,
        name: &str,
        dim: usize,
        epsilon: f64,
        offset: f32,
    ) -> Result<Self> {
        let mut gamma = checkpoint.values(&format!("{name}.weight"), &[dim])?;
        gamma.iter_mut().for_each(|scale| *scale += offset);
        Ok(Self { gamma, epsilon: epsilon as f32 })
    }

    /// The same, and then `times` as much.
    pub(super) fn scaled(mut self, times: f32) -> Self {
        self.gamma.iter_mut().for_each(|scale| *scale *= times);
        self
    }

    /// Its scale.
    pub(super) fn scale(&self) -> &[f32] {
        &self.gamma
    }

    /// Normalises the rows of `x`, `[rows, dim]`, in place.
    pub(super) fn apply(&self, x: &mut [f32]) {
        let n = self.gamma.len() as f32;
        for row in x.chunks_exact_mut(self.gamma.len()) {
            let square = SumSquare::new(row).dispatch() / n;
            let options = NormalizeOptions {
                scale: 1.0 / (square + self.epsilon).sqrt(),
                element_scale: Some(&self.gamma),
                ..NormalizeOptions::default()
            };
            Normalize::new_mut(row, options).dispatch();
        }
    }
}
