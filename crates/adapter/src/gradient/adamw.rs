//! AdamW: in one pass over memory where the values lie in this process, as burn does it elsewhere.
use super::parameters::in_process;
use crate::Result;
use burn::optim::{self, AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Device, Tensor, TensorData};
use manyview_core::{Error as CoreError, Kind};

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// AdamW with decoupled weight decay.
pub(crate) struct AdamW {
    decay: f64,
    of_burn: optim::AdamW,
    in_process: bool,
}

impl AdamW {
    pub(crate) fn new(decay: f64, device: &Device) -> Self {
        let config = AdamWConfig::new().with_beta_1(BETA_1).with_beta_2(BETA_2).with_epsilon(EPSILON);
        let of_burn = config.with_weight_decay(decay as f32).build();
        Self { decay, of_burn, in_process: in_process(device) }
    }

    /// `value` after one step at rate `lr` along `gradient`, and what to remember for the next.
    pub(crate) fn step(
        &self,
        lr: f64,
        value: Tensor<2>,
        gradient: Tensor<2>,
        moments: Option<AdamWState<2>>,
    ) -> Result<(Tensor<2>, Option<AdamWState<2>>)> {
        match moments {
            Some(moments) if self.in_process => self.in_place(lr, value, gradient, moments.momentum),
            moments => Ok(self.of_burn.step(lr, value, gradient, moments)),
        }
    }

    /// One pass; burn's step is fourteen, with a new tensor for many of them. Nothing is copied: each tensor gives its
    /// memory and gets it back.
    fn in_place(
        &self,
        lr: f64,
        value: Tensor<2>,
        gradient: Tensor<2>,
        moments: AdaptiveMomentumState<2>,
    ) -> Result<(Tensor<2>, Option<AdamWState<2>>)> {
        let (device, steps) = (value.device(), moments.time + 1);
        let update = Update::new(lr, self.decay, steps);
        let mut data = [value, moments.moment_1, moments.moment_2, gradient].map(Tensor::into_data);
        {
            let [value, first, second, gradient] = &mut data;
            update.apply(values(value)?, values(first)?, values(second)?, values(gradient)?);
        }
        let [value, first, second, _] = data.map(|data| Tensor::from_data(data, &device));
        Ok((value, Some(AdamWState::new(AdaptiveMomentumState::new(steps, first, second)))))
    }
}

/// A matrix under training and what AdamW remembers of its gradients.
#[derive(Clone)]
pub(crate) struct Trained {
    pub(crate) value: Tensor<2>,
    /// None before the first step.
    pub(crate) moments: Option<AdamWState<2>>,
}

impl Trained {
    /// A matrix and, of an earlier run, both moments after so many steps.
    pub(crate) fn new(value: Tensor<2>, moments: Option<(usize, Tensor<2>, Tensor<2>)>) -> Self {
        let remembered =
            |(steps, first, second)| AdamWState::new(AdaptiveMomentumState::new(steps, first, second));
        Self { value, moments: moments.map(remembered) }
    }

    /// What it is after a step at rate `lr` along `gradient`.
    pub(crate) fn step(self, adamw: &AdamW, lr: f64, gradient: Tensor<2>) -> Result<Self> {
        let (value, moments) = adamw.step(lr, self.value, gradient, self.moments)?;
        Ok(Self { value, moments })
    }
}

/// What one step does to every value.
struct Update {
    kept: f32,
    rate: f32,
    epsilon: f32,
}

impl Update {
    /// With both corrections for the first steps in `rate` and `epsilon`: m/c₁ / (√(v/c₂) + ε) = √c₂/c₁ · m / (√v + ε√c₂).
    fn new(lr: f64, decay: f64, steps: usize) -> Self {
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(steps as f64);
        let root = correction(BETA_2).sqrt();
        Self {
            kept: (1.0 - lr * decay) as f32,
            rate: (lr * root / correction(BETA_1)) as f32,
            epsilon: (f64::from(EPSILON) * root) as f32,
        }
    }

    fn apply(&self, value: &mut [f32], first: &mut [f32], second: &mut [f32], gradient: &[f32]) {
        let moments = first.iter_mut().zip(second);
        for ((value, (m, v)), g) in value.iter_mut().zip(moments).zip(gradient) {
            *m = BETA_1 * *m + (1.0 - BETA_1) * g;
            *v = BETA_2 * *v + (1.0 - BETA_2) * g * g;
            *value = self.kept * *value - self.rate * *m / (v.sqrt() + self.epsilon);
        }
    }
}

fn values(data: &mut TensorData) -> Result<&mut [f32]> {
    data.as_mut_slice()
        .map_err(|e| CoreError::other(Kind::Internal, format!("a tensor without values: {e:?}")).into())
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::test_data::normal;

    #[test]
    fn a_step_in_place_is_that_of_burn() {
        let device = Device::flex();
        let tensor = |seed| super::super::parameters::tensor(normal(7, 5, seed).into_vec(), 5, &device);
        let ours = AdamW::new(0.1, &device);
        let theirs = AdamW { in_process: false, ..AdamW::new(0.1, &device) };
        let (mut a, mut b) = ((tensor(1), None), (tensor(1), None));
        for step in 2..30 {
            a = ours.step(0.01, a.0, tensor(step), a.1).unwrap();
            b = theirs.step(0.01, b.0, tensor(step), b.1).unwrap();
        }
        let furthest: f32 = (a.0 - b.0).abs().max().into_scalar();
        assert!(furthest < 1e-6, "{furthest}");
        let (a, b) = (a.1.unwrap().momentum, b.1.unwrap().momentum);
        let furthest: f32 = (a.moment_2 - b.moment_2).abs().max().into_scalar();
        assert!(a.time == b.time && furthest < 1e-6, "{furthest}");
    }
}
