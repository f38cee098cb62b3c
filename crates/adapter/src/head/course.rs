use super::config::HeadConfig;
use super::objective::{gradient, measured};
use super::scaling::Scaling;
use super::{GradientHead, MonitoredScores};
use crate::gradient::adamw::AdamW;
use crate::gradient::parameters::{Parameters, select, tensor};
use crate::network::{self, Network};
use crate::training::{Course, Measured};
use crate::{Linear, Result};
use burn::tensor::Tensor;
use manyview_core::Scored;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The scaled rows of [`GradientHead`] on its device.
pub(super) struct Rows<'a> {
    config: &'a HeadConfig,
    adamw: AdamW,
    train: (Tensor<2>, Tensor<2>),
    validation: Option<(Tensor<2>, Tensor<2>)>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(head: &'a GradientHead, data: &MonitoredScores<'_>, scaling: &Scaling) -> Self {
        let on_device = |rows: &Scored| {
            let x = tensor(scaling.vectors(rows.base()), rows.base().dim(), &head.device);
            (x, tensor(scaling.figures(rows.targets()), rows.targets().dim(), &head.device))
        };
        Self {
            config: &head.config,
            adamw: AdamW::new(head.config.weight_decay, &head.device),
            train: on_device(&data.train),
            validation: data.validation.as_ref().map(on_device),
        }
    }
}

/// A rectifier stands between two layers.
fn network(layers: &[Parameters]) -> Network<'_> {
    Network { layers, rectifies: true, adds_input: false }
}

impl Course for Rows<'_> {
    fn rows(&self) -> usize {
        self.train.0.dims()[0]
    }

    fn figures(&self) -> usize {
        2 * self.train.1.dims()[1]
    }

    fn step(&self, layers: &mut [Parameters], lr: f64, rows: &[usize]) -> Result<Measured> {
        let (x, y) = (select(&self.train.0, rows), select(&self.train.1, rows));
        let pass = network(layers).forward(&x);
        let errors = pass.output.clone() - y;
        let found = measured(&errors, self.config.loss);
        let slopes = network(layers).backward(pass, gradient(errors, self.config.loss));
        network::step(layers, &self.adamw, lr, &slopes, self.config.clip)?;
        Ok(found)
    }

    fn measure(&self, layers: &[Parameters]) -> Result<(Option<Measured>, Option<f64>)> {
        let found = self.validation.as_ref().map(|(x, y)| {
            let errors = network(layers).forward(x).output - y.clone();
            measured(&errors, self.config.loss)
        });
        Ok((found, None))
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::Loss;
    use crate::test_data::normal;
    use burn::tensor::Device;

    #[test]
    fn the_gradient_of_all_layers_is_that_of_automatic_differentiation() {
        let (plain, with_graph) = (Device::flex(), Device::flex().autodiff());
        let dims = [(5, 7), (7, 4), (4, 3)];
        let values = |i: usize| {
            let (dim_in, dim_out) = dims[i];
            (normal(dim_in, dim_out, i as u64).into_vec(), normal(1, dim_out, i as u64 + 10).into_vec())
        };
        let layers: Vec<Parameters> = (0..dims.len())
            .map(|i| {
                let (weight, bias) = values(i);
                Parameters::new(&Linear::new(weight, dims[i].0, Some(bias)).unwrap(), None, &plain)
            })
            .collect();
        let (x, y) = (normal(9, 5, 20).into_vec(), normal(9, 3, 21).into_vec());
        let pass = network(&layers).forward(&tensor(x.clone(), 5, &plain));
        let errors = pass.output.clone() - tensor(y.clone(), 3, &plain);
        let slopes = network(&layers).backward(pass, gradient(errors, Loss::Mse));

        let leaf = |values: Vec<f32>, dim| tensor(values, dim, &with_graph).require_grad();
        let leaves: Vec<_> = (0..dims.len())
            .map(|i| {
                let (weight, bias) = values(i);
                (leaf(weight, dims[i].1), leaf(bias, dims[i].1))
            })
            .collect();
        let mut output = tensor(x, 5, &with_graph);
        for (i, (weight, bias)) in leaves.iter().enumerate() {
            let input = if i > 0 { output.clamp_min(0.0) } else { output };
            output = input.matmul(weight.clone()) + bias.clone();
        }
        let gradients = (output - tensor(y, 3, &with_graph)).square().mean().backward();
        assert_eq!(slopes.len(), leaves.len());
        for ((weight, bias), slope) in leaves.iter().zip(slopes) {
            let (of_weight, of_bias) = slope.gradients();
            for (leaf, found) in [(weight, of_weight), (bias, of_bias)] {
                let expected = leaf.grad(&gradients).unwrap();
                let largest: f32 = expected.clone().abs().max().into_scalar();
                let furthest: f32 = (found - expected).abs().max().into_scalar();
                assert!(largest > 0.0 && furthest < 1e-5 * (1.0 + largest), "{furthest} of {largest}");
            }
        }
    }
}
