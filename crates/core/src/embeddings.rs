use crate::{Error, Result};

/// A batch of vectors, shape `[n, dim]`, row-major `f32`; row `i` belongs to text `i`.
///
/// Finite and non-empty by construction.
///
/// ```
/// # use manyview_core::Embeddings;
/// let x = Embeddings::new(vec![1.0, 0.0, 0.6, 0.8], 2)?; // [2, 2]
/// assert_eq!((x.n(), x.dim()), (2, 2));
/// assert_eq!(x.row(1), [0.6, 0.8]);
/// # Ok::<(), manyview_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    values: Vec<f32>,
    dim: usize,
}

impl Embeddings {
    /// Takes `n * dim` values, row after row.
    ///
    /// # Errors
    /// [`Error::Empty`] without rows or columns, [`Error::Shape`] when `values` is no multiple of `dim`, and
    /// [`Error::NonFinite`] naming the first row that holds a NaN or an infinity.
    pub fn new(values: Vec<f32>, dim: usize) -> Result<Self> {
        if values.is_empty() || dim == 0 {
            return Err(Error::Empty { what: "embeddings".into() });
        }
        if !values.len().is_multiple_of(dim) {
            return Err(Error::Shape {
                what: "embeddings".into(),
                expected: format!("a multiple of {dim} values"),
                found: format!("{} values", values.len()),
            });
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => Err(Error::NonFinite { what: "embeddings".into(), row: at / dim }),
            None => Ok(Self { values, dim }),
        }
    }

    /// Takes one vector a row, all of one length.
    ///
    /// # Errors
    /// As [`Embeddings::new`]; [`Error::Shape`] names the first row of another length.
    pub fn from_rows<R: AsRef<[f32]>>(rows: impl IntoIterator<Item = R>) -> Result<Self> {
        let (mut values, mut dim) = (Vec::new(), 0);
        for (i, row) in rows.into_iter().enumerate() {
            let row = row.as_ref();
            if i == 0 {
                dim = row.len();
            } else if row.len() != dim {
                return Err(Error::Shape {
                    what: format!("row {i} of embeddings"),
                    expected: format!("{dim} values"),
                    found: format!("{} values", row.len()),
                });
            }
            values.extend_from_slice(row);
        }
        Self::new(values, dim)
    }

    /// Number of rows.
    pub fn n(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Length of each row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Row `i`, shape `[dim]`.
    ///
    /// # Panics
    /// When `i >= n`.
    #[allow(clippy::indexing_slicing)] // the documented panic
    pub fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.dim..(i + 1) * self.dim]
    }

    /// The rows in order, each of shape `[dim]`.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.dim)
    }

    /// All values, row after row.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// Gives the values back, row after row.
    pub fn into_vec(self) -> Vec<f32> {
        self.values
    }

    /// The rows at `indices`, in that order; an index may repeat.
    ///
    /// # Errors
    /// [`Error::Empty`] without indices.
    ///
    /// # Panics
    /// When an index is `>= n`.
    pub fn select(&self, indices: &[usize]) -> Result<Self> {
        Self::from_rows(indices.iter().map(|&i| self.row(i)))
    }

    /// Each row divided by its L2 norm.
    ///
    /// # Errors
    /// [`Error::ZeroRow`] naming the first row without a direction.
    pub fn normalized(mut self) -> Result<Self> {
        for (row, v) in self.values.chunks_exact_mut(self.dim).enumerate() {
            let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
            if !(norm.is_normal()) {
                return Err(Error::ZeroRow { what: "embeddings".into(), row });
            }
            v.iter_mut().for_each(|x| *x /= norm);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_refused_with_its_row() {
        let e = Embeddings::new(vec![0.0, 1.0, f32::NAN, 1.0], 2).unwrap_err();
        assert!(matches!(e, Error::NonFinite { row: 1, .. }), "{e}");
    }

    #[test]
    fn ragged_rows_are_refused_with_their_index() {
        let e = Embeddings::from_rows([vec![1.0, 2.0], vec![3.0]]).unwrap_err();
        assert!(e.to_string().contains("row 1"), "{e}");
    }

    #[test]
    fn no_rows_are_refused() {
        assert!(matches!(Embeddings::new(vec![], 3), Err(Error::Empty { .. })));
        assert!(matches!(Embeddings::new(vec![1.0], 0), Err(Error::Empty { .. })));
    }

    #[test]
    fn normalized_rows_have_norm_one_and_a_zero_row_is_refused() {
        let x = Embeddings::new(vec![3.0, 4.0], 2).unwrap().normalized().unwrap();
        assert_eq!(x.row(0), [0.6, 0.8]);
        let e = Embeddings::new(vec![3.0, 4.0, 0.0, 0.0], 2).unwrap().normalized().unwrap_err();
        assert!(matches!(e, Error::ZeroRow { row: 1, .. }), "{e}");
    }
}
