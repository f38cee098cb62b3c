use crate::device::in_process;
use burn::optim::{self, AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use rayon::prelude::*;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Values a thread takes at a time.
pub(crate) const CHUNK: usize = 1 << 14;

/// AdamW with decoupled weight decay: fused into one pass over memory on a device that works in this process, the steps of
/// burn's own elsewhere.
///
/// β₁ = 0.9, β₂ = 0.999 and ε = 10⁻⁸, as PyTorch has them.
#[derive(Clone)]
pub struct AdamW {
    decay: f64,
    /// What gradients are multiplied by first.
    scale: f32,
    fused: bool,
    of_burn: optim::AdamW,
}

impl AdamW {
    /// With that weight decay, for parameters on `device`.
    pub fn new(weight_decay: f64, device: &Device) -> Self {
        let config = AdamWConfig::new().with_beta_1(BETA_1).with_beta_2(BETA_2).with_epsilon(EPSILON);
        let of_burn = config.with_weight_decay(weight_decay as f32).build();
        Self { decay: weight_decay, scale: 1.0, fused: in_process(device), of_burn }
    }

    /// The same for gradients that are first multiplied by `scale`.
    #[must_use]
    pub fn with_gradient_scale(self, scale: f64) -> Self {
        Self { scale: scale as f32, ..self }
    }
}

impl Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<AdamWState<D>>,
    ) -> (Tensor<D>, Option<AdamWState<D>>) {
        if !self.fused || tensor.dtype() != DType::F32 || grad.dtype() != DType::F32 {
            let grad = if self.scale == 1.0 { grad } else { grad * self.scale };
            return self.of_burn.step(lr, tensor, grad, state);
        }
        let device = tensor.device();
        let AdaptiveMomentumState { time, moment_1, moment_2, .. } = match state {
            Some(state) => state.momentum,
            None => AdaptiveMomentumState::new(0, tensor.zeros_like(), tensor.zeros_like()),
        };
        let update = Update::new(lr, self.decay, self.scale, time + 1);
        // Each tensor gives its memory and gets it back: nothing is copied unless something else still reads it.
        let mut data = [tensor, moment_1, moment_2, grad].map(Tensor::into_data);
        update.apply(&mut data);
        let [tensor, first, second, _] = data.map(|data| Tensor::from_data(data, &device));
        (tensor, Some(AdamWState::new(AdaptiveMomentumState::new(time + 1, first, second))))
    }

    fn to_device<const D: usize>(state: AdamWState<D>, device: &Device) -> AdamWState<D> {
        optim::AdamW::to_device(state, device)
    }
}

/// What one step does to every value.
struct Update {
    kept: f32,
    rate: f32,
    epsilon: f32,
    scale: f32,
}

impl Update {
    /// With both corrections for the first steps in `rate` and `epsilon`: m/c₁ / (√(v/c₂) + ε) = √c₂/c₁ · m / (√v + ε√c₂).
    fn new(lr: f64, decay: f64, scale: f32, steps: usize) -> Self {
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(steps as f64);
        let root = correction(BETA_2).sqrt();
        Self {
            kept: (1.0 - lr * decay) as f32,
            rate: (lr * root / correction(BETA_1)) as f32,
            epsilon: (f64::from(EPSILON) * root) as f32,
            scale,
        }
    }

    /// Value, first moment, second moment and gradient, all f32 and of one length.
    fn apply(&self, [value, first, second, gradient]: &mut [TensorData; 4]) {
        let parts = (
            value.as_mut_slice::<f32>(),
            first.as_mut_slice::<f32>(),
            second.as_mut_slice::<f32>(),
            gradient.as_slice::<f32>(),
        );
        let (Ok(value), Ok(first), Ok(second), Ok(gradient)) = parts else { return };
        let moments = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
        let chunks = value.par_chunks_mut(CHUNK).zip(moments).zip(gradient.par_chunks(CHUNK));
        chunks.for_each(|((value, (first, second)), gradient)| self.chunk(value, first, second, gradient));
    }

    fn chunk(&self, value: &mut [f32], first: &mut [f32], second: &mut [f32], gradient: &[f32]) {
        let moments = first.iter_mut().zip(second);
        for ((value, (m, v)), g) in value.iter_mut().zip(moments).zip(gradient) {
            let g = self.scale * g;
            *m = BETA_1 * *m + (1.0 - BETA_1) * g;
            *v = BETA_2 * *v + (1.0 - BETA_2) * g * g;
            *value = self.kept * *value - self.rate * *m / (v.sqrt() + self.epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::{Module, Param};
    use burn::optim::{GradientsParams, ModuleOptimizer};

    #[derive(Module, Debug)]
    struct Map {
        weight: Param<Tensor<2>>,
    }

    /// The algorithm of Loshchilov and Hutter as PyTorch writes it, in f64.
    #[test]
    fn fused_steps_are_those_of_the_algorithm() {
        let (n, lr, decay, device) = (70 * 51, 0.01, 0.1, Device::flex());
        let wave = |seed: f32, by: f32| (0..n).map(|i| by * (i as f32 * seed).sin()).collect::<Vec<f32>>();
        let tensor = |values| Tensor::<2>::from_data(TensorData::new(values, [70, 51]), &device);
        for scale in [1.0, 0.25] {
            let adamw = AdamW::new(decay, &device).with_gradient_scale(scale);
            let start = wave(0.1, 0.1);
            let mut found = (tensor(start.clone()), None);
            let mut expected: Vec<[f64; 3]> = start.iter().map(|v| [f64::from(*v), 0.0, 0.0]).collect();
            for step in 1..30 {
                let gradient = wave(step as f32, 1.0);
                found = adamw.step(lr, found.0, tensor(gradient.clone()), found.1);
                for ([value, first, second], g) in expected.iter_mut().zip(gradient) {
                    let g = scale * f64::from(g);
                    *value *= 1.0 - lr * decay;
                    *first = 0.9 * *first + 0.1 * g;
                    *second = 0.999 * *second + 0.001 * g * g;
                    let (m, v) = (*first / (1.0 - 0.9f64.powi(step)), *second / (1.0 - 0.999f64.powi(step)));
                    *value -= lr * m / (v.sqrt() + 1e-8);
                }
            }
            let values = found.0.into_data();
            let apart = values.iter::<f32>().zip(&expected).map(|(a, b)| (f64::from(a) - b[0]).abs());
            let furthest = apart.fold(0.0, f64::max);
            assert!(furthest < 1e-6, "{furthest}");
            assert_eq!(found.1.unwrap().momentum.time, 29);
        }
    }

    #[test]
    fn it_serves_the_module_optimizer_of_burn() {
        let device = Device::flex().autodiff();
        let weight = Tensor::from_data([[1.0, -2.0]], &device);
        let map = Map { weight: Param::from_tensor(weight) };
        let mut optimizer = ModuleOptimizer::from(AdamW::new(0.0, &Device::flex()));
        let gradients = GradientsParams::from_grads((map.weight.val() * 3.0).sum().backward(), &map);
        let map = optimizer.step(0.1, map, gradients);
        let found: Vec<f32> = map.weight.val().into_data().iter().collect();
        // The first step goes by the rate against the sign of the gradient.
        assert!((found[0] - 0.9).abs() < 1e-6 && (found[1] + 2.1).abs() < 1e-6, "{found:?}");
    }
}
