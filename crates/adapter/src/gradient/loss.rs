use super::GradientConfig;
use crate::rows::select;
use burn::tensor::Tensor;
use std::ops::Range;

/// Below this a length counts as none.
const SHORTEST: f32 = 1e-8;

/// What training minimises: `mse_weight` · mean squared error + `cosine_weight` · mean (1 − cosine).
#[derive(Clone, Copy, Debug)]
pub(super) struct RegressionLoss {
    mse_weight: f64,
    cosine_weight: f64,
}

impl From<&GradientConfig> for RegressionLoss {
    fn from(config: &GradientConfig) -> Self {
        Self { mse_weight: config.mse_weight, cosine_weight: config.cosine_weight }
    }
}

impl RegressionLoss {
    /// The loss of outputs `o`, `[n, m]`, against `targets`.
    pub(super) fn of(&self, o: Tensor<2>, targets: Targets) -> Tensor<1> {
        let Targets { rows: y, lengths } = targets;
        let mse = || (o.clone() - y.clone()).square().mean() * self.mse_weight;
        let cosine = || {
            let cosine = (o.clone() * y.clone()).sum_dim(1) / (length(o.clone()) * lengths); // [n, 1]
            (cosine.mean().neg() + 1.0) * self.cosine_weight
        };
        match (self.mse_weight > 0.0, self.cosine_weight > 0.0) {
            (true, true) => mse() + cosine(),
            (false, true) => cosine(),
            (_, false) => mse(),
        }
    }
}

/// What outputs should be.
#[derive(Clone)]
pub(super) struct Targets {
    /// `[n, m]`.
    pub(super) rows: Tensor<2>,
    /// `[n, 1]`.
    lengths: Tensor<2>,
}

impl Targets {
    pub(super) fn new(rows: Tensor<2>) -> Self {
        Self { lengths: length(rows.clone()), rows }
    }

    /// Those at `rows`, in that order.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        Self { rows: select(&self.rows, rows), lengths: select(&self.lengths, rows) }
    }

    /// Those of a range of rows.
    pub(super) fn slice(&self, rows: Range<usize>) -> Self {
        let of = |t: &Tensor<2>| t.clone().slice([rows.clone(), 0..t.dims()[1]]);
        Self { rows: of(&self.rows), lengths: of(&self.lengths) }
    }
}

/// The length of each row, `[n, m]` to `[n, 1]`.
fn length(rows: Tensor<2>) -> Tensor<2> {
    // Clamped before the root, whose gradient at 0 is none.
    rows.square().sum_dim(1).clamp_min(SHORTEST * SHORTEST).sqrt()
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;
    use crate::rows::{on_device, tensor};
    use crate::test_data::normal;
    use burn::tensor::Device;

    /// d(1 − c)/do = o c/|o|² − y/(|o||y|), and that of the squared error is 2(o − y)/(n m).
    #[test]
    fn the_gradient_is_that_of_the_formulas() {
        let (n, m) = (7, 5);
        for (mse_weight, cosine_weight) in [(1.0, 1.0), (0.0, 2.0), (3.0, 0.0)] {
            let device = Device::flex();
            let (o, y) = (normal(n, m, 1), normal(n, m, 2));
            let loss = RegressionLoss { mse_weight, cosine_weight };
            let leaf = on_device(&o, &device.clone().autodiff()).require_grad();
            let found = loss.of(leaf.clone(), Targets::new(on_device(&y, &device)));
            let gradient = leaf.grad(&found.backward()).unwrap();

            let (mut value, mut expected) = (0.0, Vec::new());
            for (o, y) in o.rows().zip(y.rows()) {
                let dot = |a: &[f32], b: &[f32]| {
                    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
                };
                let (oo, yy, c) = (dot(o, o), dot(y, y), dot(o, y) / (dot(o, o) * dot(y, y)).sqrt());
                let squares: f64 = o.iter().zip(y).map(|(o, y)| f64::from(o - y).powi(2)).sum();
                value += mse_weight * squares / (n * m) as f64 + cosine_weight * (1.0 - c) / n as f64;
                expected.extend(o.iter().zip(y).map(|(o, y)| {
                    let (o, y) = (f64::from(*o), f64::from(*y));
                    let of_mse = 2.0 * mse_weight * (o - y) / (n * m) as f64;
                    (of_mse + cosine_weight * (o * c / oo - y / (oo * yy).sqrt()) / n as f64) as f32
                }));
            }
            assert!((value - f64::from(found.into_scalar::<f32>())).abs() < 1e-5);
            let furthest: f32 = (gradient - tensor(expected, m, &device)).abs().max().into_scalar();
            assert!(furthest < 1e-6, "{furthest}");
        }
    }

    #[test]
    fn rows_of_no_length_have_finite_gradients() {
        let device = Device::flex();
        let leaf = tensor(vec![0.0; 4], 2, &device.clone().autodiff()).require_grad();
        let loss = RegressionLoss { mse_weight: 1.0, cosine_weight: 1.0 };
        let targets = Targets::new(tensor(vec![0.0, 0.0, 1.0, 0.0], 2, &device));
        let gradient = leaf.grad(&loss.of(leaf.clone(), targets).backward()).unwrap();
        assert!(gradient.into_data().iter::<f32>().all(|v| v.is_finite()));
    }
}
