//! What training makes small, and what is measured on the way.
use super::config::Loss;
use crate::training::Measured;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Errors of each dimension, in the unit of its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DimensionErrors {
    /// Mean absolute errors.
    pub mae: Vec<f64>,
    /// Roots of the mean squared errors.
    pub rmse: Vec<f64>,
}

impl DimensionErrors {
    /// From what [`measured`] gives, where figures of spread 1 stand for those of `spreads`.
    pub(super) fn of(figures: &[f64], spreads: &[f64]) -> Self {
        let (absolute, squared) = figures.split_at(spreads.len().min(figures.len()));
        Self {
            mae: absolute.iter().zip(spreads).map(|(a, s)| a * s).collect(),
            rmse: squared.iter().zip(spreads).map(|(a, s)| a.sqrt() * s).collect(),
        }
    }
}

/// The gradient of the mean loss with respect to the outputs, from outputs less targets, `[n, dim]`.
pub(super) fn gradient(errors: Tensor<2>, loss: Loss) -> Tensor<2> {
    let [n, dim] = errors.dims();
    let all = (n * dim) as f64;
    match loss {
        Loss::Mse => errors * (2.0 / all),
        Loss::Huber { delta } => errors.clamp(-delta, delta) * all.recip(),
    }
}

/// The mean loss, from outputs less targets, `[n, dim]`; of each dimension the mean absolute error, then of each the mean
/// squared one.
pub(super) fn measured(errors: &Tensor<2>, loss: Loss) -> Measured {
    let [n, dim] = errors.dims();
    let mean = |t: Tensor<2>| {
        t.sum_dim(0).into_data().iter::<f32>().map(|sum| f64::from(sum) / n as f64).collect::<Vec<f64>>()
    };
    let (absolute, squared) = (mean(errors.clone().abs()), mean(errors.clone().square()));
    let total: f64 = match loss {
        Loss::Mse => squared.iter().sum(),
        Loss::Huber { delta } => {
            let near = errors.clone().clamp(-delta, delta);
            mean(near.clone() * (errors.clone() - near * 0.5)).iter().sum()
        }
    };
    Measured { loss: total / dim as f64, figures: [absolute, squared].concat() }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::gradient::parameters::{host, tensor};
    use burn::tensor::Device;

    #[test]
    fn huber_is_half_the_square_near_zero_and_straight_beyond() {
        let device = Device::flex();
        let errors = tensor(vec![0.5, -3.0], 1, &device);
        let huber = Loss::Huber { delta: 1.0 };
        let found = measured(&errors, huber);
        assert!((found.loss - (0.125 + 2.5) / 2.0).abs() < 1e-6, "{}", found.loss);
        assert_eq!(host(gradient(errors.clone(), huber)), [0.25, -0.5]);
        assert_eq!(host(gradient(errors, Loss::Mse)), [0.5, -3.0]);
        let errors = DimensionErrors::of(&found.figures, &[2.0]);
        assert_eq!(errors.mae, [3.5]);
        assert!((errors.rmse[0] - 2.0 * (9.25f64 / 2.0).sqrt()).abs() < 1e-6);
    }
}
