//! One eigendecomposition that serves every penalty.
use crate::{Error, Result, matrix};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use rayon::prelude::*;

/// The eigendecomposition of the smaller gram of X `[n, d]`, with what every penalty needs of the targets R `[n, m]`.
///
/// With rank r = n (n <= d): K = XX' = U S U', `basis` U, `coefficients` U'R, `filter` λ/(s+λ), and the residual is
/// U filter U'R. With r = d: X'X = V S V', `basis` Z = XV, `coefficients` Z'R, `filter` −1/(s+λ), and the residual is
/// R + Z filter Z'R. One formula serves both: residual = c R + basis · filter · coefficients, and likewise for the
/// diagonal of I − H. The first form never subtracts two nearly equal numbers, however small λ.
pub(crate) struct Spectrum {
    dual: bool,
    eigenvalues: Vec<f64>,
    vectors: Mat<f64>,
    basis: Vec<f32>,
    coefficients: Vec<f32>,
}

impl Spectrum {
    pub(crate) fn new(x: &[f32], dim_in: usize, targets: &[f32], dim_out: usize) -> Result<Self> {
        let x = widened(matrix::view(x, dim_in));
        let dual = x.nrows() <= x.ncols();
        let gram: Mat<f64> = if dual { &x * x.transpose() } else { x.transpose() * &x };
        let eigen = gram
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| Error::Decomposition { what: "products of base vectors" })?;
        let vectors = eigen.U().to_owned();
        let basis = if dual { vectors.clone() } else { &x * &vectors };
        let coefficients = basis.transpose() * widened(matrix::view(targets, dim_out));
        Ok(Self {
            dual,
            eigenvalues: eigen.S().column_vector().iter().map(|s| s.max(0.0)).collect(),
            basis: narrowed(basis.as_ref()),
            coefficients: narrowed(coefficients.as_ref()),
            vectors,
        })
    }

    /// Mean eigenvalue of X'X: the scale on which a penalty is small or large.
    pub(crate) fn mean_eigenvalue(&self, dim_in: usize) -> f64 {
        self.eigenvalues.iter().sum::<f64>() / dim_in as f64
    }

    /// The residuals R − HR at penalty `lambda`, into `residuals` `[n, m]`.
    pub(crate) fn residuals(&self, lambda: f64, targets: &[f32], residuals: &mut [f32]) {
        let r = self.eigenvalues.len();
        let n = self.basis.len() / r;
        let m = targets.len() / n;
        let scaled = self.scaled(&self.filter(lambda), m);
        let accum = if self.dual {
            Accum::Replace
        } else {
            residuals.copy_from_slice(targets);
            Accum::Add
        };
        let out = MatMut::from_row_major_slice_mut(residuals, n, m);
        matmul(out, accum, matrix::view(&self.basis, r), matrix::view(&scaled, m), 1.0, Par::rayon(0));
    }

    /// The diagonal of I − H at penalty `lambda`, `[n]`.
    pub(crate) fn slack(&self, lambda: f64) -> Vec<f64> {
        let filter = self.filter(lambda);
        let whole = if self.dual { 0.0 } else { 1.0 };
        let diagonal = self.basis.par_chunks(filter.len()).map(|row| {
            let terms = row.iter().zip(&filter).map(|(b, f)| f64::from(*b) * f64::from(*b) * f);
            whole + terms.sum::<f64>()
        });
        diagonal.collect()
    }

    /// (X'X + λ)⁻¹ X'R, `[d, m]`.
    pub(crate) fn correction(&self, lambda: f64, x: &[f32], dim_in: usize, m: usize) -> Vec<f32> {
        let inverse: Vec<f64> = self.eigenvalues.iter().map(|s| 1.0 / (s + lambda)).collect();
        let scaled = self.scaled(&inverse, m);
        let vectors = narrowed(self.vectors.as_ref());
        let r = self.eigenvalues.len();
        let mut out = vec![0.0; r * m];
        matrix::add_product(&mut out, (&vectors, r), (&scaled, m), Par::rayon(0));
        if !self.dual {
            return out;
        }
        let mut weight = vec![0.0; dim_in * m];
        let to = MatMut::from_row_major_slice_mut(&mut weight, dim_in, m);
        let x = matrix::view(x, dim_in).transpose();
        matmul(to, Accum::Replace, x, matrix::view(&out, m), 1.0, Par::rayon(0));
        weight
    }

    fn filter(&self, lambda: f64) -> Vec<f64> {
        let numerator = if self.dual { lambda } else { -1.0 };
        self.eigenvalues.iter().map(|s| numerator / (s + lambda)).collect()
    }

    /// The coefficients with row k multiplied by `weights[k]`.
    fn scaled(&self, weights: &[f64], m: usize) -> Vec<f32> {
        let mut scaled = self.coefficients.clone();
        scaled.par_chunks_mut(m).zip(weights).for_each(|(row, w)| {
            let w = *w as f32;
            row.iter_mut().for_each(|v| *v *= w);
        });
        scaled
    }
}

fn widened(m: MatRef<'_, f32>) -> Mat<f64> {
    Mat::from_fn(m.nrows(), m.ncols(), |i, j| f64::from(m[(i, j)]))
}

/// The values of `m` in f32, row after row.
fn narrowed(m: MatRef<'_, f64>) -> Vec<f32> {
    (0..m.nrows()).flat_map(|i| m.row(i).iter().map(|v| *v as f32)).collect()
}
