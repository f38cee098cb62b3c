use crate::{Result, matrix};
use faer::Par;
use manyview_core::{Embeddings, Error as CoreError, Transform};
use rayon::prelude::*;

/// The map `y = x W + b`, followed by L2 normalisation of each row.
///
/// ```
/// # use manyview_adapter::Linear;
/// # use manyview_core::{Embeddings, Transform};
/// let swap = Linear::new(vec![0.0, 1.0, 1.0, 0.0], 2, None)?; // W [2, 2]
/// let y = swap.transform(&Embeddings::new(vec![3.0, 4.0], 2)?)?; // [1, 2]
/// assert_eq!(y.row(0), [0.8, 0.6]);
/// # Ok::<(), manyview_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    dim_in: usize,
    dim_out: usize,
}

impl Linear {
    /// Takes `weight`, `[dim_in, dim_out]` row after row, and a bias `[dim_out]`.
    ///
    /// # Errors
    /// An empty weight, a length that is no multiple of `dim_in`, a bias of another length than `dim_out`, and a NaN
    /// or infinity in either.
    pub fn new(weight: Vec<f32>, dim_in: usize, bias: Option<Vec<f32>>) -> Result<Self> {
        if weight.is_empty() || dim_in == 0 {
            return Err(CoreError::Empty { what: "adapter weight".into() }.into());
        }
        let dim_out = weight.len() / dim_in;
        if !weight.len().is_multiple_of(dim_in) {
            return Err(shape("adapter weight", format!("a multiple of {dim_in} values"), weight.len()));
        }
        if let Some(b) = bias.as_ref().filter(|b| b.len() != dim_out) {
            return Err(shape("adapter bias", format!("{dim_out} values"), b.len()));
        }
        if let Some(at) = weight.iter().position(|v| !v.is_finite()) {
            return Err(CoreError::NonFinite { what: "adapter weight".into(), row: at / dim_out }.into());
        }
        if bias.iter().flatten().any(|v| !v.is_finite()) {
            return Err(CoreError::NonFinite { what: "adapter bias".into(), row: 0 }.into());
        }
        Ok(Self { weight, bias, dim_in, dim_out })
    }

    /// The map that gives every vector back, `[dim, dim]`.
    ///
    /// # Errors
    /// A `dim` of 0.
    pub fn identity(dim: usize) -> Result<Self> {
        Self::new(matrix::identity(dim), dim, None)
    }

    /// W, `[dim_in, dim_out]`, row after row.
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// b, `[dim_out]`.
    pub fn bias(&self) -> Option<&[f32]> {
        self.bias.as_deref()
    }

    /// Dimension of the input vectors.
    pub fn dim_in(&self) -> usize {
        self.dim_in
    }

    /// Length of the vectors it gives.
    pub fn dim_out(&self) -> usize {
        self.dim_out
    }

    /// Adds `x W` to `b`, or to what `y` holds where there is no bias: `[n, dim_in]` to `[n, dim_out]`.
    pub(crate) fn affine(&self, x: &[f32], y: &mut [f32]) {
        if let Some(b) = &self.bias {
            y.chunks_exact_mut(self.dim_out).for_each(|y| y.copy_from_slice(b));
        }
        if x.len() == self.dim_in {
            matrix::add_vector_product(y, x, &self.weight);
        } else {
            matrix::add_product(y, (x, self.dim_in), (&self.weight, self.dim_out), Par::Seq);
        }
    }
}

/// Normalises each row of `y`, or tells the first that cannot be.
fn normalise(y: &mut [f32], dim: usize) -> std::result::Result<(), (usize, Fault)> {
    for (row, y) in y.chunks_exact_mut(dim).enumerate() {
        let norm = y.iter().map(|v| v * v).sum::<f32>().sqrt();
        if !norm.is_normal() {
            let finite = y.iter().all(|v| v.is_finite());
            return Err((row, if finite { Fault::ZeroRow } else { Fault::NonFinite }));
        }
        y.iter_mut().for_each(|v| *v /= norm);
    }
    Ok(())
}

/// Why a row has no view.
enum Fault {
    NonFinite,
    ZeroRow,
}

impl Transform for Linear {
    type Output = Embeddings;

    fn transform(&self, x: &Embeddings) -> manyview_core::Result<Embeddings> {
        by_blocks(x, (self.dim_in, self.dim_out), |x, y| self.affine(x, y))
    }
}

/// The rows of `x`, `[n, dim_in]`, each as `apply` adds it to zeros, L2-normalised: `[n, dim_out]`.
pub(crate) fn by_blocks(
    x: &Embeddings,
    (dim_in, dim_out): (usize, usize),
    apply: impl Fn(&[f32], &mut [f32]) + Sync,
) -> manyview_core::Result<Embeddings> {
    if x.dim() != dim_in {
        return Err(CoreError::Shape {
            what: "vectors given to an adapter".into(),
            expected: format!("[n, {dim_in}]"),
            found: format!("[{}, {}]", x.n(), x.dim()),
        });
    }
    // Blocks of their own, not one product over all cores: nothing waits for the slowest core in between.
    let (n, mut y) = (x.n(), vec![0.0; x.n() * dim_out]);
    let most = (n / (4 * rayon::current_num_threads())).clamp(16, 512).min(n);
    let rows = (most..).find(|rows| n % rows != 1).unwrap_or(n); // one row alone is summed in another order
    let blocks = y.par_chunks_mut(rows * dim_out).zip(x.as_slice().par_chunks(rows * dim_in));
    let fault = blocks.enumerate().filter_map(|(i, (y, x))| {
        apply(x, y);
        normalise(y, dim_out).err().map(|(row, fault)| (i * rows + row, fault))
    });
    let what = "embeddings".into();
    match fault.min_by_key(|(row, _)| *row) {
        Some((row, Fault::NonFinite)) => Err(CoreError::NonFinite { what, row }),
        Some((row, Fault::ZeroRow)) => Err(CoreError::ZeroRow { what, row }),
        None => Embeddings::new(y, dim_out),
    }
}

fn shape(what: &str, expected: String, found: usize) -> crate::Error {
    CoreError::Shape { what: what.into(), expected, found: format!("{found} values") }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::normal;

    #[test]
    fn one_row_and_many_rows_agree() {
        let (x, w) = (normal(5, 37, 1), normal(37, 23, 2));
        let map = Linear::new(w.into_vec(), 37, Some(vec![0.1; 23])).unwrap();
        let all = map.transform(&x).unwrap();
        for i in 0..5 {
            let one = map.transform(&x.select(&[i]).unwrap()).unwrap();
            assert!(one.row(0).iter().zip(all.row(i)).all(|(a, b)| (a - b).abs() < 1e-6), "row {i}");
        }
    }

    #[test]
    fn a_row_has_the_same_view_among_few_and_among_many() {
        for dim in [37, 128, 384] {
            let (x, w) = (normal(2100, dim, 1), normal(dim, dim, 2));
            let map = Linear::new(w.into_vec(), dim, None).unwrap();
            let all = map.transform(&x).unwrap();
            for n in [2, 3, 15, 17, 63, 64, 1000, 2049] {
                let few = map.transform(&x.select(&(0..n).collect::<Vec<_>>()).unwrap()).unwrap();
                assert!(few.as_slice() == &all.as_slice()[..n * dim], "{n} of {dim}");
            }
        }
    }

    #[test]
    fn the_first_row_without_a_view_is_named() {
        let mut x = normal(3000, 4, 1).into_vec();
        for row in [2999, 1700, 1234] {
            x[row * 4..row * 4 + 4].fill(0.0);
        }
        let e = Linear::identity(4).unwrap().transform(&Embeddings::new(x, 4).unwrap()).unwrap_err();
        assert!(matches!(e, CoreError::ZeroRow { row: 1234, .. }), "{e}");
    }

    #[test]
    fn the_identity_gives_normalised_rows_back() {
        let x = normal(4, 6, 3);
        let y = Linear::identity(6).unwrap().transform(&x).unwrap();
        assert_eq!(y, x.normalized().unwrap());
    }

    #[test]
    fn a_vector_of_another_length_is_refused() {
        let e = Linear::identity(3).unwrap().transform(&normal(2, 4, 1)).unwrap_err();
        assert!(e.to_string().contains("[n, 3]") && e.to_string().contains("[2, 4]"), "{e}");
    }

    #[test]
    fn rows_without_a_direction_or_beyond_f32_are_refused() {
        let x = Embeddings::new(vec![1.0, 1.0, 1.0, -1.0], 2).unwrap();
        let sum = Linear::new(vec![1.0, 1.0], 2, None).unwrap();
        assert!(matches!(sum.transform(&x), Err(CoreError::ZeroRow { row: 1, .. })));
        let huge = Linear::new(vec![f32::MAX, f32::MAX], 2, None).unwrap();
        assert!(matches!(huge.transform(&x), Err(CoreError::NonFinite { row: 0, .. })));
    }

    #[test]
    fn weights_that_are_no_map_are_refused() {
        assert!(Linear::new(vec![], 2, None).is_err());
        assert!(Linear::new(vec![1.0; 5], 2, None).is_err());
        assert!(Linear::new(vec![1.0; 4], 2, Some(vec![0.0])).is_err());
        assert!(Linear::new(vec![f32::NAN; 4], 2, None).is_err());
        assert!(Linear::new(vec![1.0; 4], 2, Some(vec![0.0, f32::INFINITY])).is_err());
    }
}
