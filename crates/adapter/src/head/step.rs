use super::GradientHead;
use super::config::Loss;
use super::loss::metrics;
use super::scaling::Scaling;
use crate::network::HeadNetwork;
use crate::rows::{select, tensor};
use crate::{Linear, Result};
use burn::tensor::Tensor;
use manyview_core::Scored;
use manyview_train::{Batch, BatchLoss, Measured, TrainStep, ValidationSet};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Scaled rows of [`GradientHead`] on its device: to learn from, or to validate on.
pub(super) struct Rows {
    loss: Loss,
    /// `[n, dim_in]`.
    vectors: Tensor<2>,
    /// `[n, dim_out]`.
    targets: Tensor<2>,
}

impl Rows {
    pub(super) fn new(head: &GradientHead, rows: &Scored, scaling: &Scaling) -> Self {
        Self {
            loss: head.config.loss,
            vectors: tensor(scaling.vectors(rows.base()), rows.base().dim(), &head.device),
            targets: tensor(scaling.targets(rows.targets()), rows.targets().dim(), &head.device),
        }
    }
}

impl TrainStep for Rows {
    type Module = HeadNetwork;

    fn examples(&self) -> usize {
        self.vectors.dims()[0]
    }

    fn metrics(&self) -> usize {
        2 * self.targets.dims()[1]
    }

    fn loss(&self, network: &HeadNetwork, batch: &Batch<'_>) -> manyview_core::Result<BatchLoss> {
        let outputs = network.forward(select(&self.vectors, batch.examples));
        let errors = outputs - select(&self.targets, batch.examples);
        Ok(BatchLoss { metrics: metrics(errors.clone().inner()), loss: self.loss.of(errors) })
    }
}

impl ValidationSet<HeadNetwork> for Rows {
    fn measure(&self, network: &HeadNetwork) -> manyview_core::Result<Measured> {
        let errors = network.forward(self.vectors.clone()) - self.targets.clone();
        let loss = f64::from(self.loss.of(errors.clone()).into_scalar::<f32>());
        Ok(Measured { loss: Some(loss), score: None, metrics: metrics(errors) })
    }
}

/// Layers of these dimensions to start from: uniform within ±√(6 / dim_in) before a ReLU, and nothing in the last, so
/// that training starts from the mean.
pub(super) fn start(dims: &[usize], seed: u64) -> Result<Vec<Linear>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let last = dims.len().saturating_sub(2);
    let pairs = dims.iter().zip(dims.iter().skip(1)).enumerate();
    let layers = pairs.map(|(i, (&dim_in, &dim_out))| {
        let bound = if i == last { 0.0 } else { (6.0 / dim_in as f32).sqrt() };
        let weight = (0..dim_in * dim_out).map(|_| bound * rng.random_range(-1.0f32..1.0)).collect();
        Linear::new(weight, dim_in, Some(vec![0.0; dim_out]))
    });
    layers.collect()
}

/// Beside the gradients of the formulas.
#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;
    use crate::test_data::normal;
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::{Device, Gradients};
    use faer::Mat;

    struct Read(Gradients, Vec<Vec<f32>>);

    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.extend(param.val().grad_remove(&mut self.0).map(|g| g.into_data().iter().collect()));
        }
    }

    /// With outputs Y and errors E of n rows and m values, the gradient of the last layer is H'G and 1'G with
    /// G = 2E/(n m); before a ReLU, G is G W' where the hidden value is above 0.
    #[test]
    fn the_gradient_of_all_layers_is_that_of_the_formulas() {
        let dims = [(5, 7), (7, 4), (4, 3)];
        let layers = dims.iter().enumerate().map(|(i, (dim_in, dim_out))| {
            let bias = normal(1, *dim_out, i as u64 + 10).into_vec();
            Linear::new(normal(*dim_in, *dim_out, i as u64).into_vec(), *dim_in, Some(bias)).unwrap()
        });
        let layers: Vec<Linear> = layers.collect();
        let (x, y) = (normal(9, 5, 20), normal(9, 3, 21));
        let network = HeadNetwork::new(&layers, &Device::flex().autodiff());
        let device = Device::flex();
        let errors = network.forward(tensor(x.clone().into_vec(), 5, &device))
            - tensor(y.clone().into_vec(), 3, &device);
        let mut read = Read(Loss::Mse.of(errors).backward(), Vec::new());
        network.visit(&mut read);

        let matrix = |values: &[f32], dim: usize| {
            Mat::from_fn(values.len() / dim, dim, |i, j| f64::from(values[i * dim + j]))
        };
        let mut inputs = vec![matrix(x.as_slice(), 5)];
        for (i, layer) in layers.iter().enumerate() {
            let (w, b) = (matrix(layer.weight(), layer.dim_out()), layer.bias().unwrap());
            let product = &inputs[i] * &w;
            let floor = if i + 1 < layers.len() { 0.0 } else { f64::NEG_INFINITY };
            inputs.push(Mat::from_fn(9, layer.dim_out(), |r, c| {
                (product[(r, c)] + f64::from(b[c])).max(floor)
            }));
        }
        let output = inputs.pop().unwrap();
        let y = matrix(y.as_slice(), 3);
        let mut g = Mat::from_fn(9, 3, |r, c| 2.0 * (output[(r, c)] - y[(r, c)]) / 27.0);
        let mut expected = Vec::new();
        for (layer, input) in layers.iter().zip(&inputs).rev() {
            let (of_weight, dim_out) = (input.transpose() * &g, layer.dim_out());
            let of_bias = (0..dim_out).map(|c| (0..9).map(|r| g[(r, c)]).sum::<f64>()).collect::<Vec<f64>>();
            let rows = (0..layer.dim_in()).flat_map(|i| (0..dim_out).map(move |j| (i, j)));
            expected.push(of_bias);
            expected.push(rows.map(|at| of_weight[at]).collect());
            let back = &g * matrix(layer.weight(), dim_out).transpose();
            g = Mat::from_fn(9, layer.dim_in(), |r, c| if input[(r, c)] > 0.0 { back[(r, c)] } else { 0.0 });
        }
        expected.reverse();
        assert_eq!(read.1.len(), expected.len());
        for (found, expected) in read.1.iter().zip(expected) {
            let largest = expected.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
            let apart = found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs());
            let furthest = apart.fold(0.0, f64::max);
            assert!(largest > 0.0 && furthest < 1e-5 * (1.0 + largest), "{furthest} of {largest}");
        }
    }
}
