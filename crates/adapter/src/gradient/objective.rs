use super::GradientConfig;
use burn::tensor::Tensor;

/// Below this a length counts as none.
const SHORTEST: f32 = 1e-8;

/// What training minimises: `mse_weight` · mean squared error + `cosine_weight` · mean (1 − cosine).
#[derive(Clone, Copy, Debug)]
pub(super) struct Objective {
    pub(super) mse_weight: f64,
    pub(super) cosine_weight: f64,
}

impl From<&GradientConfig> for Objective {
    fn from(config: &GradientConfig) -> Self {
        Self { mse_weight: config.mse_weight, cosine_weight: config.cosine_weight }
    }
}

impl Objective {
    /// The loss of outputs `o` against targets `y`, both `[n, m]`, and its gradient with respect to `o`, `[n, m]`.
    ///
    /// With c = cosine, d(1 − c)/do = o c/|o|² − y/(|o||y|), so the whole gradient is two scaled matrices: no graph.
    pub(super) fn loss_and_gradient(&self, o: Tensor<2>, y: Tensor<2>) -> (f64, Tensor<2>) {
        let [n, m] = o.dims();
        let squared = o.clone().square().sum_dim(1).clamp_min(SHORTEST * SHORTEST);
        let inverse = Self::inverse_lengths(&squared, &y);
        let cosine = (o.clone() * y.clone()).sum_dim(1) * inverse.clone();
        let loss = self.loss(&o, &y, &cosine);
        let of_mse = 2.0 * self.mse_weight / (n * m) as f64;
        let of_cosine = self.cosine_weight / n as f64;
        let along_o = cosine / squared * of_cosine + of_mse;
        let along_y = inverse * of_cosine + of_mse;
        (loss, o * along_o - y * along_y)
    }

    /// The sum of the loss over rows: of `o` against `y`, both `[n, m]`.
    pub(super) fn total(&self, o: Tensor<2>, y: Tensor<2>) -> f64 {
        let squared = o.clone().square().sum_dim(1).clamp_min(SHORTEST * SHORTEST);
        let inverse = Self::inverse_lengths(&squared, &y);
        let cosine = (o.clone() * y.clone()).sum_dim(1) * inverse;
        self.loss(&o, &y, &cosine) * o.dims()[0] as f64
    }

    /// 1 / (|o||y|), `[n, 1]`, from |o|².
    fn inverse_lengths(squared: &Tensor<2>, y: &Tensor<2>) -> Tensor<2> {
        let lengths = (squared.clone() * y.clone().square().sum_dim(1)).sqrt();
        lengths.clamp_min(SHORTEST * SHORTEST).recip()
    }

    fn loss(&self, o: &Tensor<2>, y: &Tensor<2>, cosine: &Tensor<2>) -> f64 {
        let [n, m] = o.dims();
        let squares = f64::from((o.clone() - y.clone()).square().sum().into_scalar::<f32>());
        let cosines = f64::from(cosine.clone().sum().into_scalar::<f32>());
        self.mse_weight * squares / (n * m) as f64 + self.cosine_weight * (1.0 - cosines / n as f64)
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::test_data::normal;
    use burn::tensor::{Device, TensorData};

    fn tensor(seed: u64, device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(normal(7, 5, seed).into_vec(), [7, 5]), device)
    }

    #[test]
    fn the_gradient_in_closed_form_is_that_of_automatic_differentiation() {
        for (mse_weight, cosine_weight) in [(1.0, 1.0), (0.0, 2.0), (3.0, 0.0)] {
            let device = Device::flex().autodiff();
            let (o, y) = (tensor(1, &device).require_grad(), tensor(2, &device));
            let lengths = (o.clone().square().sum_dim(1) * y.clone().square().sum_dim(1)).sqrt();
            let cosine = ((o.clone() * y.clone()).sum_dim(1) / lengths).mean();
            let mse = (o.clone() - y.clone()).square().mean();
            let loss = mse * mse_weight - (cosine - 1.0) * cosine_weight;
            let expected = o.grad(&loss.backward()).unwrap();

            let plain = Device::flex();
            let objective = Objective { mse_weight, cosine_weight };
            let (value, found) = objective.loss_and_gradient(tensor(1, &plain), tensor(2, &plain));
            let total = objective.total(tensor(1, &plain), tensor(2, &plain));
            assert!((value - f64::from(loss.into_scalar::<f32>())).abs() < 1e-5);
            assert!((total - 7.0 * value).abs() < 1e-9);
            let furthest: f32 = (found - expected).abs().max().into_scalar();
            assert!(furthest < 1e-6, "{furthest}");
        }
    }
}
