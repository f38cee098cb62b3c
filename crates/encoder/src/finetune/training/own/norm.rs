use super::sums::{dot, sum};
use rten_simd::SimdOp;
use rten_vecmath::{Normalize, NormalizeOptions, Sum, SumSquareSub};

/// What the backward pass of a normalisation needs, of each row.
#[derive(Default)]
pub(super) struct Normed {
    /// The rows before scale and shift, `[rows, dim]`.
    pub(super) rows: Vec<f32>,
    /// What each was multiplied by, `[rows]`.
    pub(super) scales: Vec<f32>,
}

impl Normed {
    pub(super) fn resize(&mut self, rows: usize, dim: usize) {
        self.rows.resize(rows * dim, 0.0);
        self.scales.resize(rows, 0.0);
    }
}

/// Scale and shift of a layer normalisation, and what is added to a variance.
#[derive(Clone, Copy)]
pub(super) struct LayerNorm<'a> {
    pub(super) gamma: &'a [f32],
    pub(super) beta: &'a [f32],
    pub(super) epsilon: f32,
}

impl LayerNorm<'_> {
    /// Normalises the rows of `x` in place.
    pub(super) fn forward(&self, x: &mut [f32], normed: &mut [f32], scales: &mut [f32]) {
        let dim = self.gamma.len();
        let rows = x.chunks_exact_mut(dim).zip(normed.chunks_exact_mut(dim)).zip(scales);
        for ((row, normed), kept) in rows {
            let mean = Sum::new(row).dispatch() / dim as f32;
            let variance = SumSquareSub::new(row, mean).dispatch() / dim as f32;
            let scale = 1.0 / (variance + self.epsilon).sqrt();
            normed.copy_from_slice(row);
            let options = NormalizeOptions { pre_scale_bias: mean, scale, ..NormalizeOptions::default() };
            Normalize::new_mut(normed, options).dispatch();
            let affine = self.gamma.iter().zip(self.beta);
            for ((out, value), (gamma, beta)) in row.iter_mut().zip(normed).zip(affine) {
                *out = *value * gamma + beta;
            }
            *kept = scale;
        }
    }

    /// Turns the gradient of its output into that of its input, in place, and adds those of scale and shift.
    pub(super) fn backward(
        &self,
        gradient: &mut [f32],
        normed: &[f32],
        scales: &[f32],
        d_gamma: &mut [f32],
        d_beta: &mut [f32],
    ) {
        let dim = self.gamma.len();
        let rows = gradient.chunks_exact_mut(dim).zip(normed.chunks_exact(dim)).zip(scales);
        for ((row, normed), scale) in rows {
            let sums = d_gamma.iter_mut().zip(d_beta.iter_mut());
            for (((d, x), gamma), (d_gamma, d_beta)) in row.iter_mut().zip(normed).zip(self.gamma).zip(sums) {
                *d_gamma += *d * x;
                *d_beta += *d;
                *d *= gamma;
            }
            let (mean, along) = (sum(row) / dim as f32, dot(row, normed) / dim as f32);
            row.iter_mut().zip(normed).for_each(|(d, x)| *d = scale * (*d - mean - x * along));
        }
    }
}
