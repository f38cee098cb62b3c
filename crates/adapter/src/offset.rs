use crate::{Linear, matrix, ridge::same_dims};
use manyview_core::{Fit, Paired, Result};

/// The identity plus the mean of teacher − base: the least a view can be, and the baseline for the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset;

impl Fit<Paired> for Offset {
    type Fitted = Linear;

    /// # Errors
    /// Base and teacher of different dimensions.
    fn fit(&self, data: &Paired) -> Result<Linear> {
        let dim = same_dims(data, "offset")?;
        let base = matrix::column_means(data.base().as_slice(), dim);
        let teacher = matrix::column_means(data.teacher().as_slice(), dim);
        let bias = teacher.iter().zip(&base).map(|(t, b)| (t - b) as f32).collect();
        Ok(Linear::new(matrix::identity(dim), dim, Some(bias))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::normal;
    use manyview_core::Embeddings;

    #[test]
    fn a_shift_of_every_row_is_recovered() {
        let x = normal(7, 3, 1);
        let shift = [0.5, -1.0, 2.0];
        let y = x.rows().flat_map(|r| [r[0] + shift[0], r[1] + shift[1], r[2] + shift[2]]).collect();
        let map = Offset.fit(&Paired::new(x, Embeddings::new(y, 3).unwrap()).unwrap()).unwrap();
        assert!(map.bias().unwrap().iter().zip(shift).all(|(b, s)| (b - s).abs() < 1e-6));
    }

    #[test]
    fn different_dimensions_are_refused() {
        let e = Offset.fit(&Paired::new(normal(4, 3, 1), normal(4, 2, 1)).unwrap()).unwrap_err();
        assert!(e.to_string().contains("offset"), "{e}");
    }
}
