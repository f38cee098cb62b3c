use manyview_core::Error as CoreError;

use crate::error::{Error, Result};

/// Figures to predict, or predictions of them: `[n, dim]`, `dim` figures a text. Finite and non-empty by construction.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    values: Vec<f64>,
    dim: usize,
}

impl Targets {
    /// Takes `n * dim` figures, text after text.
    ///
    /// # Errors
    /// [`manyview_core::Error::Empty`] without texts or dimensions, [`manyview_core::Error::Shape`] when `values` is no
    /// multiple of `dim`, [`manyview_core::Error::NonFinite`] naming the first text with a NaN or an infinity.
    pub fn new(values: Vec<f64>, dim: usize) -> Result<Self> {
        if values.is_empty() || dim == 0 {
            return Err(Error::Core(CoreError::Empty { what: "targets".into() }));
        }
        if !values.len().is_multiple_of(dim) {
            return Err(Error::Core(CoreError::Shape {
                what: "targets".into(),
                expected: format!("a multiple of {dim} values"),
                found: format!("{} values", values.len()),
            }));
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => Err(Error::Core(CoreError::NonFinite { what: "targets".into(), row: at / dim })),
            None => Ok(Self { values, dim }),
        }
    }

    /// Number of texts.
    pub fn n(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Number of figures a text.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The figures of each text in order, each of shape `[dim]`.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.dim)
    }

    /// One dimension of all texts, `[n]`; `None` when it is not below `dim`.
    pub fn column(&self, dimension: usize) -> Option<Vec<f64>> {
        (dimension < self.dim).then(|| self.rows().map(|row| row[dimension]).collect())
    }

    /// All dimensions, each `[n]`.
    pub(crate) fn columns(&self) -> Vec<Vec<f64>> {
        (0..self.dim).map(|d| self.rows().map(|row| row[d]).collect()).collect()
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
        assert_eq!(targets.columns(), [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]);
    }

    #[test]
    fn nothing_ragged_rows_and_nan_are_refused() {
        let refused = |values: &[f64], dim| match Targets::new(values.to_vec(), dim) {
            Err(Error::Core(e)) => e,
            other => panic!("{other:?}"),
        };
        assert!(matches!(refused(&[], 1), CoreError::Empty { .. }));
        assert!(matches!(refused(&[1.0], 0), CoreError::Empty { .. }));
        assert!(matches!(refused(&[1.0, 2.0, 3.0], 2), CoreError::Shape { .. }));
        let nan = refused(&[1.0, 2.0, 3.0, f64::NAN], 2);
        assert!(matches!(nan, CoreError::NonFinite { row: 1, .. }), "{nan}");
    }
}
