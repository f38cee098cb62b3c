//! A head under training, on a device.
use super::Layer;
use crate::Result;
use crate::gradient::adamw::{AdamW, Trained};
use crate::gradient::parameters::{host, tensor};
use burn::tensor::{Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Layers with what AdamW remembers of their gradients.
#[derive(Clone)]
pub(super) struct Network {
    layers: Vec<(Trained, Trained)>,
}

/// Both moments of AdamW after `steps` steps, in the form of the layers they belong to.
pub(super) struct Moments {
    pub(super) steps: usize,
    pub(super) first: Vec<Layer>,
    pub(super) second: Vec<Layer>,
}

/// Puts a part of a layer on a device.
type OnDevice = fn(&Layer, &Device) -> Tensor<2>;

/// Layers of these dimensions to start from: uniform within ±√(6 / dim_in) before a ReLU, and nothing in the last, so
/// that training starts from the mean.
pub(super) fn start(dims: &[usize], seed: u64) -> Result<Vec<Layer>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let last = dims.len().saturating_sub(2);
    let pairs = dims.iter().zip(dims.iter().skip(1)).enumerate();
    let layers = pairs.map(|(i, (&dim_in, &dim_out))| {
        let bound = if i == last { 0.0 } else { (6.0 / dim_in as f32).sqrt() };
        let weight = (0..dim_in * dim_out).map(|_| bound * rng.random_range(-1.0f32..1.0)).collect();
        Layer::new(weight, vec![0.0; dim_out])
    });
    layers.collect()
}

impl Network {
    /// Puts layers, and the moments of an earlier run, on `device`.
    pub(super) fn new(layers: &[Layer], moments: Option<&Moments>, device: &Device) -> Self {
        let earlier = |i: usize, of: OnDevice| {
            let m = moments?;
            Some((m.steps, of(m.first.get(i)?, device), of(m.second.get(i)?, device)))
        };
        let layers = layers.iter().enumerate().map(|(i, layer)| {
            let trained = |of: OnDevice| Trained::new(of(layer, device), earlier(i, of));
            (trained(weight), trained(bias))
        });
        Self { layers: layers.collect() }
    }

    /// What each layer takes, and last what the head gives: `[n, dim]` each.
    pub(super) fn forward(&self, x: Tensor<2>) -> Vec<Tensor<2>> {
        let mut values = vec![x];
        for (i, (weight, bias)) in self.layers.iter().enumerate() {
            let Some(input) = values.last() else { break };
            let y = input.clone().matmul(weight.value.clone()) + bias.value.clone();
            let last = i + 1 == self.layers.len();
            values.push(if last { y } else { y.clamp_min(0.0) });
        }
        values
    }

    /// One step of AdamW at rate `lr`, for what [`Network::forward`] gave and the gradient of its outputs. A gradient
    /// longer than `clip` is scaled down to it.
    pub(super) fn step(
        &mut self,
        adamw: &AdamW,
        lr: f64,
        values: &[Tensor<2>],
        gradient: Tensor<2>,
        clip: Option<f64>,
    ) -> Result<()> {
        let (mut gradients, mut of_output) = (Vec::with_capacity(self.layers.len()), gradient);
        for (i, ((weight, _), input)) in self.layers.iter().zip(values).enumerate().rev() {
            let of_weight = input.clone().transpose().matmul(of_output.clone());
            let of_bias = of_output.clone().sum_dim(0);
            if i > 0 {
                let through = of_output.matmul(weight.value.clone().transpose());
                of_output = through.mask_fill(input.clone().lower_equal_elem(0.0), 0.0);
            }
            gradients.push((of_weight, of_bias));
        }
        let scale = clip.map_or(1.0, |longest| (longest / length(&gradients)).min(1.0));
        let layers = std::mem::take(&mut self.layers).into_iter().zip(gradients.into_iter().rev());
        let stepped = layers.map(|((weight, bias), (of_weight, of_bias))| {
            Ok((weight.step(adamw, lr, of_weight * scale)?, bias.step(adamw, lr, of_bias * scale)?))
        });
        self.layers = stepped.collect::<Result<_>>()?;
        Ok(())
    }

    /// The layers as they stand.
    pub(super) fn layers(&self) -> Result<Vec<Layer>> {
        self.layers.iter().map(|(w, b)| Layer::new(host(w.value.clone()), host(b.value.clone()))).collect()
    }

    /// The moments as they stand; none before the first step.
    pub(super) fn moments(&self) -> Result<Option<Moments>> {
        let Some(steps) = self.layers.first().and_then(|(w, _)| Some(w.moments.as_ref()?.momentum.time))
        else {
            return Ok(None);
        };
        let of = |first: bool| -> Result<Vec<Layer>> {
            let moment = |t: &Trained| {
                let m = t.moments.as_ref().map(|m| &m.momentum);
                m.map(|m| host(if first { m.moment_1.clone() } else { m.moment_2.clone() }))
                    .unwrap_or_default()
            };
            self.layers.iter().map(|(w, b)| Layer::new(moment(w), moment(b))).collect()
        };
        Ok(Some(Moments { steps, first: of(true)?, second: of(false)? }))
    }
}

fn weight(layer: &Layer, device: &Device) -> Tensor<2> {
    tensor(layer.weight().to_vec(), layer.dim_out(), device)
}

fn bias(layer: &Layer, device: &Device) -> Tensor<2> {
    tensor(layer.bias().to_vec(), layer.dim_out(), device)
}

fn length(gradients: &[(Tensor<2>, Tensor<2>)]) -> f64 {
    let squared = |t: &Tensor<2>| f64::from(t.clone().square().sum().into_scalar::<f32>());
    gradients.iter().map(|(w, b)| squared(w) + squared(b)).sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::test_data::normal;

    #[test]
    fn the_gradient_of_all_layers_is_that_of_automatic_differentiation() {
        let plain = Device::flex();
        let layers = [(5, 7, 1), (7, 3, 2)].map(|(dim_in, dim_out, seed)| {
            let (w, b) = (normal(dim_in, dim_out, seed), normal(1, dim_out, seed + 10));
            Layer::new(w.into_vec(), b.into_vec()).unwrap()
        });
        let mut network = Network::new(&layers, None, &plain);
        let (x, y) = (normal(9, 5, 20).into_vec(), normal(9, 3, 21).into_vec());
        let values = network.forward(tensor(x.clone(), 5, &plain));
        let gradient = (values[2].clone() - tensor(y.clone(), 3, &plain)) * 2.0;
        // After one step of rate 1 without decay, Adam's first moment is a tenth of the gradient.
        network.step(&AdamW::new(0.0, &plain), 1.0, &values, gradient, None).unwrap();
        let found = network.moments().unwrap().unwrap().first;

        let device = Device::flex().autodiff();
        let leaves: Vec<_> = layers
            .iter()
            .map(|l| (weight(l, &device).require_grad(), bias(l, &device).require_grad()))
            .collect();
        let hidden = (tensor(x, 5, &device).matmul(leaves[0].0.clone()) + leaves[0].1.clone()).clamp_min(0.0);
        let output = hidden.matmul(leaves[1].0.clone()) + leaves[1].1.clone();
        let gradients = (output - tensor(y, 3, &device)).square().sum().backward();
        for ((w, b), layer) in leaves.iter().zip(found) {
            for (leaf, found) in [(w, layer.weight()), (b, layer.bias())] {
                let expected = host(leaf.grad(&gradients).unwrap());
                let furthest =
                    expected.iter().zip(found).map(|(e, f)| (0.1 * e - f).abs()).fold(0.0, f32::max);
                assert!(furthest < 1e-4, "{furthest}");
            }
        }
    }
}
