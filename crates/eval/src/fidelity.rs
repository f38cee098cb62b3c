use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use manyview_core::Embeddings;
use rayon::prelude::*;

use crate::error::{Error, Result, at_least, same_length};

/// Rows whose similarities to all others are held at a time, by each thread.
const BLOCK: usize = 64;

/// The mean cosine of row `i` of `a` with row `i` of `b`, both `[n, dim]`; from -1 to 1.
///
/// # Errors
/// [`Error::Length`] for another number of rows, [`manyview_core::Error::Shape`] for another `dim`, and
/// [`manyview_core::Error::ZeroRow`] for a row without a direction.
pub fn mean_cosine(a: &Embeddings, b: &Embeddings) -> Result<f64> {
    same_length("rows of the second matrix", a.n(), b.n())?;
    if a.dim() != b.dim() {
        return Err(Error::Core(manyview_core::Error::Shape {
            what: "cosine of rows".into(),
            expected: format!("{} columns", a.dim()),
            found: format!("{} columns", b.dim()),
        }));
    }
    let mut sum = 0.0;
    for (row, (a, b)) in a.rows().zip(b.rows()).enumerate() {
        let norms = (dot(a, a) * dot(b, b)).sqrt();
        if norms == 0.0 {
            return Err(Error::Core(manyview_core::Error::ZeroRow { what: "cosine of rows".into(), row }));
        }
        sum += (dot(a, b) / norms).clamp(-1.0, 1.0);
    }
    Ok(sum / a.n() as f64)
}

/// The share of its `k` nearest rows (by cosine, itself excluded) that a row has in common in `a`, `[n, dim]`, and in
/// `b`, `[n, any dim]`; mean over the rows, from 0 to 1. `k` is at most `n - 1`; of equally near rows the first count.
///
/// # Errors
/// [`Error::Length`] for another number of rows, [`Error::Range`] when `k` is 0 or `n` below 2, and
/// [`manyview_core::Error::ZeroRow`] for a row without a direction.
pub fn neighbour_overlap(a: &Embeddings, b: &Embeddings, k: usize) -> Result<f64> {
    same_length("rows of the second matrix", a.n(), b.n())?;
    at_least("k of nearest neighbours", 1, k)?;
    at_least("rows to have neighbours", 2, a.n())?;
    let k = k.min(a.n() - 1);
    let (a, b) = (a.clone().normalized()?, b.clone().normalized()?);
    let starts: Vec<usize> = (0..a.n()).step_by(BLOCK).collect();
    let common: usize = starts
        .into_par_iter()
        .map(|start| {
            let (a, b) = (neighbours(&a, start, k), neighbours(&b, start, k));
            a.iter()
                .zip(&b)
                .map(|(a, b)| a.iter().filter(|i| b.binary_search(i).is_ok()).count())
                .sum::<usize>()
        })
        .sum();
    Ok(common as f64 / (a.n() * k) as f64)
}

/// The `k` nearest rows of each of a block of unit rows from `start`, in ascending order.
fn neighbours(x: &Embeddings, start: usize, k: usize) -> Vec<Vec<usize>> {
    let (n, dim) = (x.n(), x.dim());
    let rows = BLOCK.min(n - start);
    let mut similarities = vec![0.0; n * rows];
    matmul(
        MatMut::from_column_major_slice_mut(&mut similarities, n, rows),
        Accum::Replace,
        MatRef::from_row_major_slice(x.as_slice(), n, dim),
        MatRef::from_column_major_slice(&x.as_slice()[start * dim..(start + rows) * dim], dim, rows),
        1.0f32,
        Par::Seq,
    );
    let nearest = |(row, similarities): (usize, &[f32])| {
        let mut order: Vec<usize> = (0..n).filter(|&i| i != start + row).collect();
        order.select_nth_unstable_by(k - 1, |&i, &j| {
            similarities[j].total_cmp(&similarities[i]).then(i.cmp(&j))
        });
        order.truncate(k);
        order.sort_unstable();
        order
    };
    similarities.chunks_exact(n).enumerate().map(nearest).collect()
}

/// The product of two rows, summed in `f64`.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn angles(degrees: &[f32]) -> Embeddings {
        Embeddings::from_rows(degrees.iter().map(|d| [d.to_radians().cos(), d.to_radians().sin()])).unwrap()
    }

    #[test]
    fn mean_cosine_is_that_of_the_angles_between_rows() {
        let cosine = mean_cosine(&angles(&[0.0, 10.0]), &angles(&[60.0, 10.0])).unwrap();
        assert!((cosine - 0.75).abs() < 1e-6, "{cosine}");
    }

    #[test]
    fn neighbours_survive_scaling_and_more_dimensions() {
        let a = angles(&[0.0, 10.0, 25.0, 90.0, 100.0, 130.0]);
        let wide = Embeddings::from_rows(a.rows().map(|r| [3.0 * r[0], 3.0 * r[1], 0.0])).unwrap();
        assert_eq!(neighbour_overlap(&a, &wide, 2).unwrap(), 1.0);
    }

    #[test]
    fn exchanged_neighbours_count_as_lost() {
        // Nearest in `a`: 1 0 3 2; in `b`: 2 3 0 1.
        let (a, b) = (angles(&[0.0, 10.0, 90.0, 100.0]), angles(&[0.0, 90.0, 10.0, 100.0]));
        assert_eq!(neighbour_overlap(&a, &b, 1).unwrap(), 0.0);
        assert_eq!(neighbour_overlap(&a, &b, 99).unwrap(), 1.0);
    }

    #[test]
    fn blocks_agree_with_a_full_sort() {
        let n = 2 * BLOCK + 5;
        let values = |step: usize| (0..n * 3).map(|i| ((i * step) % 101) as f32 - 50.5).collect();
        let (a, b) = (Embeddings::new(values(37), 3).unwrap(), Embeddings::new(values(53), 3).unwrap());
        let nearest = |x: &Embeddings, i: usize| {
            let cosine = |j: usize| dot(x.row(i), x.row(j)) / dot(x.row(j), x.row(j)).sqrt();
            let mut order: Vec<usize> = (0..n).filter(|&j| j != i).collect();
            order.sort_by(|&j, &k| cosine(k).total_cmp(&cosine(j)));
            order.truncate(7);
            order
        };
        let common = |i| nearest(&a, i).iter().filter(|j| nearest(&b, i).contains(j)).count();
        let expected = (0..n).map(common).sum::<usize>() as f64 / (7 * n) as f64;
        let found = neighbour_overlap(&a, &b, 7).unwrap();
        assert!((found - expected).abs() < 0.005, "{found}, expected {expected}");
    }

    #[test]
    fn a_row_without_direction_and_other_shapes_are_refused() {
        let (a, zero) = (angles(&[0.0, 10.0]), Embeddings::new(vec![1.0, 0.0, 0.0, 0.0], 2).unwrap());
        let row_1 = |e: Error| matches!(e, Error::Core(manyview_core::Error::ZeroRow { row: 1, .. }));
        assert!(row_1(mean_cosine(&a, &zero).unwrap_err()));
        assert!(row_1(neighbour_overlap(&a, &zero, 1).unwrap_err()));
        assert!(matches!(mean_cosine(&a, &angles(&[0.0])), Err(Error::Length { .. })));
        assert!(matches!(neighbour_overlap(&a, &a, 0), Err(Error::Range { .. })));
    }
}
