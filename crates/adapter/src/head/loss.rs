//! What training makes small, and what is measured on the way.
use super::config::Loss;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Errors of each dimension, in the unit of its targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DimensionErrors {
    /// Mean absolute errors.
    pub mae: Vec<f64>,
    /// Roots of the mean squared errors.
    pub rmse: Vec<f64>,
}

impl DimensionErrors {
    /// From what [`metrics`] gives, where targets of standard deviation 1 stand for those of `deviations`.
    pub(super) fn of(metrics: &[f64], deviations: &[f64]) -> Self {
        let (absolute, squared) = metrics.split_at(deviations.len().min(metrics.len()));
        Self {
            mae: absolute.iter().zip(deviations).map(|(a, s)| a * s).collect(),
            rmse: squared.iter().zip(deviations).map(|(a, s)| a.sqrt() * s).collect(),
        }
    }
}

impl Loss {
    /// The mean loss, from outputs less targets, `[n, dim]`.
    pub(super) fn of(self, errors: Tensor<2>) -> Tensor<1> {
        match self {
            Self::Mse => errors.square().mean(),
            Self::Huber { delta } => {
                let near = errors.clone().clamp(-delta, delta);
                (near.clone() * (errors - near * 0.5)).mean()
            }
        }
    }
}

/// From outputs less targets, `[n, dim]`, of each dimension the mean absolute error, then of each the mean squared one.
pub(super) fn metrics(errors: Tensor<2>) -> Vec<f64> {
    let n = errors.dims()[0] as f64;
    let mean = |t: Tensor<2>| t.sum_dim(0).into_data().iter::<f32>().map(|sum| f64::from(sum) / n).collect();
    let (absolute, squared): (Vec<f64>, Vec<f64>) = (mean(errors.clone().abs()), mean(errors.square()));
    [absolute, squared].concat()
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;
    use crate::rows::tensor;
    use burn::tensor::Device;

    #[test]
    fn huber_is_half_the_square_near_zero_and_straight_beyond() {
        let device = Device::flex().autodiff();
        let errors = tensor(vec![0.5, -3.0], 1, &device).require_grad();
        let gradient = |loss: Loss| {
            let gradients = loss.of(errors.clone()).backward();
            errors.grad(&gradients).unwrap().into_data().iter::<f32>().collect::<Vec<f32>>()
        };
        let huber = Loss::Huber { delta: 1.0 };
        let found: f32 = huber.of(errors.clone()).into_scalar();
        assert!((found - (0.125 + 2.5) / 2.0).abs() < 1e-6, "{found}");
        assert_eq!(gradient(huber), [0.25, -0.5]);
        assert_eq!(gradient(Loss::Mse), [0.5, -3.0]);
        let errors = DimensionErrors::of(&metrics(errors.inner()), &[2.0]);
        assert_eq!(errors.mae, [3.5]);
        assert!((errors.rmse[0] - 2.0 * (9.25f64 / 2.0).sqrt()).abs() < 1e-6);
    }
}
