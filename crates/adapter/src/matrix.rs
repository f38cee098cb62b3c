//! Products of row-major slices on faer.
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// `dim` ones on the diagonal, `[dim, dim]`.
pub(crate) fn identity(dim: usize) -> Vec<f32> {
    let mut w = vec![0.0; dim * dim];
    w.iter_mut().step_by(dim + 1).for_each(|v| *v = 1.0);
    w
}

/// A row-major slice seen as a matrix of `cols` columns.
pub(crate) fn view(values: &[f32], cols: usize) -> MatRef<'_, f32> {
    MatRef::from_row_major_slice(values, values.len() / cols, cols)
}

/// `y += a b` for `a` `[n, k]` and `b` `[k, m]`, each a slice with its number of columns, on the cores of `par`.
pub(crate) fn add_product(y: &mut [f32], a: (&[f32], usize), b: (&[f32], usize), par: Par) {
    let (a, b) = (view(a.0, a.1), view(b.0, b.1));
    let y = MatMut::from_row_major_slice_mut(y, a.nrows(), b.ncols());
    matmul(y, Accum::Add, a, b, 1.0, par);
}

/// `y += x w` for one row `x` `[k]` and `w` `[k, m]`: four rows of `w` a pass, so that `y` is read a quarter as often.
pub(crate) fn add_vector_product(y: &mut [f32], x: &[f32], w: &[f32]) {
    let m = y.len();
    let (mut xs, mut ws) = (x.chunks_exact(4), w.chunks_exact(4 * m));
    for (x, w) in xs.by_ref().zip(ws.by_ref()) {
        let &[x0, x1, x2, x3] = x else { continue };
        let (w01, w23) = w.split_at(2 * m);
        let ((w0, w1), (w2, w3)) = (w01.split_at(m), w23.split_at(m));
        for ((((y, w0), w1), w2), w3) in y.iter_mut().zip(w0).zip(w1).zip(w2).zip(w3) {
            *y += x0 * w0 + x1 * w1 + x2 * w2 + x3 * w3;
        }
    }
    for (x, w) in xs.remainder().iter().zip(ws.remainder().chunks_exact(m)) {
        y.iter_mut().zip(w).for_each(|(y, w)| *y += x * w);
    }
}

/// Mean of each column of a row-major matrix, `[cols]`.
pub(crate) fn column_means(values: &[f32], cols: usize) -> Vec<f64> {
    let mut means = vec![0.0; cols];
    for row in values.chunks_exact(cols) {
        means.iter_mut().zip(row).for_each(|(m, v)| *m += f64::from(*v));
    }
    let n = (values.len() / cols) as f64;
    means.iter_mut().for_each(|m| *m /= n);
    means
}

/// Subtracts `means` from every row.
pub(crate) fn subtract_from_rows(values: &mut [f32], means: &[f64]) {
    for row in values.chunks_exact_mut(means.len()) {
        row.iter_mut().zip(means).for_each(|(v, m)| *v = (f64::from(*v) - m) as f32);
    }
}

/// The values of `m`, row after row.
pub(crate) fn row_major(m: MatRef<'_, f32>) -> Vec<f32> {
    (0..m.nrows()).flat_map(|i| m.row(i).iter().copied()).collect()
}

/// Sum of `term` over two rows: eight running sums, so that it vectorises, put together in f64.
pub(crate) fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f64 {
    let (a, b) = (a.chunks(8), b.chunks(8));
    let mut lanes = [0f32; 8];
    for (a, b) in a.zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += term(*a, *b);
        }
    }
    lanes.iter().map(|l| f64::from(*l)).sum()
}
