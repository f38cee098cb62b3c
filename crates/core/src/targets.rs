use crate::{Error, Result};

/// Target values or predictions of them: `[n, dim]`, `dim` values per text. Finite and non-empty by construction.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    values: Vec<f64>,
    dim: usize,
}

impl Targets {
    /// Takes `n * dim` values, text after text.
    ///
    /// # Errors
    /// [`Error::Empty`] without texts or dimensions, [`Error::Shape`] when `values` is no multiple
    /// of `dim`, [`Error::NonFinite`] naming the first text with a NaN or an infinity.
    pub fn new(values: Vec<f64>, dim: usize) -> Result<Self> {
        if values.is_empty() || dim == 0 {
            return Err(Error::Empty { what: "targets".into() });
        }
        if !values.len().is_multiple_of(dim) {
            return Err(Error::Shape {
                what: "targets".into(),
                expected: format!("a multiple of {dim} values"),
                found: format!("{} values", values.len()),
            });
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => Err(Error::NonFinite { what: "targets".into(), row: at / dim }),
            None => Ok(Self { values, dim }),
        }
    }

    /// Number of texts.
    pub fn n(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Number of values per text.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The values of each text in order, each of shape `[dim]`.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.dim)
    }

    /// One dimension of all texts, `[n]`; `None` when it is not below `dim`.
    pub fn column(&self, dimension: usize) -> Option<Vec<f64>> {
        (dimension < self.dim).then(|| self.rows().filter_map(|row| row.get(dimension).copied()).collect())
    }

    /// The values of the texts at `indices`, in that order; an index may repeat.
    ///
    /// # Errors
    /// [`Error::Empty`] without indices.
    ///
    /// # Panics
    /// When an index is `>= n`.
    #[allow(clippy::indexing_slicing)] // the documented panic
    pub fn select(&self, indices: &[usize]) -> Result<Self> {
        let row = |&i: &usize| &self.values[i * self.dim..(i + 1) * self.dim];
        Self::new(indices.iter().flat_map(row).copied().collect(), self.dim)
    }

    /// All values, text after text.
    pub fn as_slice(&self) -> &[f64] {
        &self.values
    }

    /// All dimensions, each `[n]`.
    pub fn columns(&self) -> Vec<Vec<f64>> {
        (0..self.dim).map(|d| self.rows().filter_map(|row| row.get(d).copied()).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_are_those_given() {
        let targets = Targets::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2).unwrap();
        assert_eq!((targets.n(), targets.dim()), (3, 2));
        assert_eq!(targets.column(1), Some(vec![2.0, 4.0, 6.0]));
        assert_eq!(targets.column(2), None);
        assert_eq!(targets.select(&[2, 0]).unwrap().as_slice(), [5.0, 6.0, 1.0, 2.0]);
        assert_eq!(targets.columns(), [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]);
    }

    #[test]
    fn nothing_ragged_rows_and_nan_are_refused() {
        let refused = |values: &[f64], dim| Targets::new(values.to_vec(), dim).unwrap_err();
        assert!(matches!(refused(&[], 1), Error::Empty { .. }));
        assert!(matches!(refused(&[1.0], 0), Error::Empty { .. }));
        assert!(matches!(refused(&[1.0, 2.0, 3.0], 2), Error::Shape { .. }));
        let nan = refused(&[1.0, 2.0, 3.0, f64::NAN], 2);
        assert!(matches!(nan, Error::NonFinite { row: 1, .. }), "{nan}");
    }
}
