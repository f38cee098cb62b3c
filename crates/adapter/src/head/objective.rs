//! What training makes small, and what is measured on the way.
use super::config::Loss;
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

/// The gradient of the mean loss with respect to the outputs, from outputs less targets, `[n, dim]`.
pub(super) fn gradient(errors: Tensor<2>, loss: Loss) -> Tensor<2> {
    let [n, dim] = errors.dims();
    let all = (n * dim) as f64;
    match loss {
        Loss::Mse => errors * (2.0 / all),
        Loss::Huber { delta } => errors.clamp(-delta, delta) * all.recip(),
    }
}

/// Losses and errors summed over batches.
#[derive(Default)]
pub(super) struct Measured {
    rows: usize,
    loss: f64,
    absolute: Vec<f64>,
    squared: Vec<f64>,
}

impl Measured {
    /// Adds a batch by its outputs less targets, `[n, dim]`; gives its mean loss.
    pub(super) fn add(&mut self, errors: &Tensor<2>, loss: Loss) -> f64 {
        let [n, dim] = errors.dims();
        let of = |t: Tensor<2>| t.sum_dim(0).into_data().iter::<f32>().map(f64::from).collect::<Vec<f64>>();
        let (absolute, squared) = (of(errors.clone().abs()), of(errors.clone().square()));
        let total = match loss {
            Loss::Mse => squared.iter().sum::<f64>(),
            Loss::Huber { delta } => {
                let near = errors.clone().clamp(-delta, delta);
                of(near.clone() * (errors.clone() - near * 0.5)).iter().sum()
            }
        };
        self.rows += n;
        self.loss += total / dim as f64;
        for (sums, batch) in [(&mut self.absolute, absolute), (&mut self.squared, squared)] {
            sums.resize(dim, 0.0);
            sums.iter_mut().zip(batch).for_each(|(sum, b)| *sum += b);
        }
        total / (n * dim) as f64
    }

    /// The mean loss.
    pub(super) fn loss(&self) -> f64 {
        self.loss / self.rows.max(1) as f64
    }

    /// The errors, where figures of spread 1 stand for those of `spreads`.
    pub(super) fn errors(&self, spreads: &[f64]) -> DimensionErrors {
        let n = self.rows.max(1) as f64;
        DimensionErrors {
            mae: self.absolute.iter().zip(spreads).map(|(a, s)| a / n * s).collect(),
            rmse: self.squared.iter().zip(spreads).map(|(a, s)| (a / n).sqrt() * s).collect(),
        }
    }
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
        let mut measured = Measured::default();
        let loss = measured.add(&errors, huber);
        assert!((loss - (0.125 + 2.5) / 2.0).abs() < 1e-6 && measured.loss() == loss, "{loss}");
        assert_eq!(host(gradient(errors.clone(), huber)), [0.25, -0.5]);
        assert_eq!(host(gradient(errors, Loss::Mse)), [0.5, -3.0]);
        let errors = measured.errors(&[2.0]);
        assert_eq!(errors.mae, [3.5]);
        assert!((errors.rmse[0] - 2.0 * (9.25f64 / 2.0).sqrt()).abs() < 1e-6);
    }
}
