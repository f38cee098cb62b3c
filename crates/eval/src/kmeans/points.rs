use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use manyview_core::Embeddings;

/// The rows to cluster around their common mean, which keeps `||x||² − 2x·c + ||c||²` exact enough in `f32`.
pub(super) struct Points {
    values: Vec<f32>,
    norms: Vec<f32>,
    mean: Vec<f64>,
    dim: usize,
}

impl Points {
    pub(super) fn new(x: &Embeddings) -> Self {
        let mut mean = vec![0.0; x.dim()];
        for row in x.rows() {
            add(&mut mean, row, 1.0);
        }
        mean.iter_mut().for_each(|m| *m /= x.n() as f64);
        let mut values = x.as_slice().to_vec();
        for row in values.chunks_exact_mut(x.dim()) {
            row.iter_mut().zip(&mean).for_each(|(v, m)| *v = (f64::from(*v) - m) as f32);
        }
        let norms = values.chunks_exact(x.dim()).map(squared_norm).collect();
        Self { values, norms, mean, dim: x.dim() }
    }

    pub(super) fn n(&self) -> usize {
        self.norms.len()
    }

    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    pub(super) fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.dim..(i + 1) * self.dim]
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.dim)
    }

    /// The rows at `indices`, one after the other.
    pub(super) fn gather(&self, indices: &[usize]) -> Vec<f32> {
        indices.iter().flat_map(|&i| self.row(i)).copied().collect()
    }

    /// Mean over the dimensions of their variance.
    pub(super) fn variance(&self) -> f64 {
        self.norms.iter().map(|&v| f64::from(v)).sum::<f64>() / self.values.len() as f64
    }

    /// Squared distances of every row to each of `m` centres `[m, dim]`, as `[m, n]`.
    pub(super) fn squared_distances(&self, centres: &[f32]) -> Vec<f32> {
        let (n, m) = (self.n(), centres.len() / self.dim);
        let mut out = vec![0.0; n * m];
        matmul(
            MatMut::from_column_major_slice_mut(&mut out, n, m),
            Accum::Replace,
            MatRef::from_row_major_slice(&self.values, n, self.dim),
            MatRef::from_column_major_slice(centres, self.dim, m),
            -2.0,
            Par::Seq,
        );
        for (distances, centre) in out.chunks_exact_mut(n).zip(centres.chunks_exact(self.dim)) {
            let norm = squared_norm(centre);
            distances.iter_mut().zip(&self.norms).for_each(|(d, x)| *d = (*d + x + norm).max(0.0));
        }
        out
    }

    /// Centres around the origin of the data instead of its mean.
    pub(super) fn uncentred(&self, mut centres: Vec<f32>) -> Vec<f32> {
        for centre in centres.chunks_exact_mut(self.dim) {
            centre.iter_mut().zip(&self.mean).for_each(|(v, m)| *v = (f64::from(*v) + m) as f32);
        }
        centres
    }
}

/// Adds `sign * row` to `sum`.
pub(super) fn add(sum: &mut [f64], row: &[f32], sign: f64) {
    sum.iter_mut().zip(row).for_each(|(s, &v)| *s += sign * f64::from(v));
}

/// The squared distance of two vectors, summed in `f64` over lanes that the processor can take side by side.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    const LANES: usize = 8;
    let square = |a: f32, b: f32| (f64::from(a) - f64::from(b)).powi(2);
    let mut sums = [0.0; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        sums.iter_mut().zip(a).zip(b).for_each(|((sum, &a), &b)| *sum += square(a, b));
    }
    sums.iter().sum()
}

fn squared_norm(row: &[f32]) -> f32 {
    row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() as f32
}
