use crate::{Result, matrix};
use manyview_core::Error as CoreError;

/// The map `y = x W + b`, as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Layer {
    /// Takes `weight`, `[dim_in, dim_out]` row after row, and `bias`, `[dim_out]`.
    ///
    /// # Errors
    /// An empty matrix, lengths that do not fit, a NaN or an infinity.
    pub fn new(weight: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        if weight.is_empty() || bias.is_empty() {
            return Err(CoreError::Empty { what: "weights of a layer".into() }.into());
        }
        if !weight.len().is_multiple_of(bias.len()) {
            return Err(CoreError::Shape {
                what: "weights of a layer".into(),
                expected: format!("a multiple of {} values", bias.len()),
                found: format!("{} values", weight.len()),
            }
            .into());
        }
        if let Some(at) = weight.iter().chain(&bias).position(|v| !v.is_finite()) {
            let row = at / bias.len();
            return Err(CoreError::NonFinite { what: "weights of a layer".into(), row }.into());
        }
        Ok(Self { weight, bias })
    }

    /// W, `[dim_in, dim_out]`, row after row.
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// b, `[dim_out]`.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Dimension of the input vectors.
    pub fn dim_in(&self) -> usize {
        self.weight.len() / self.bias.len()
    }

    /// Length of the vectors it gives.
    pub fn dim_out(&self) -> usize {
        self.bias.len()
    }

    /// `x W + b` for one `x`, `[dim_in]`.
    pub(super) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let mut y = self.bias.clone();
        matrix::add_vector_product(&mut y, x, &self.weight);
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_that_are_no_map_are_refused() {
        assert!(Layer::new(vec![], vec![1.0]).is_err());
        assert!(Layer::new(vec![1.0], vec![]).is_err());
        assert!(Layer::new(vec![1.0; 3], vec![0.0; 2]).is_err());
        assert!(Layer::new(vec![1.0, f32::NAN], vec![0.0; 2]).is_err());
        assert!(Layer::new(vec![1.0; 2], vec![0.0, f32::INFINITY]).is_err());
        assert_eq!(Layer::new(vec![2.0, 3.0], vec![1.0]).unwrap().apply(&[1.0, 1.0]), [6.0]);
    }
}
