use rayon::prelude::*;
use rten_simd::{Isa, SimdOp};
use std::ops::Range;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Values a thread takes at a time.
const CHUNK: usize = 1 << 15;

/// AdamW (Loshchilov and Hutter, 2019): decay apart from the moments, both moments corrected for the first steps.
pub(super) struct AdamW {
    pub(super) first: Vec<f32>,
    pub(super) second: Vec<f32>,
    pub(super) steps: u64,
}

impl AdamW {
    /// For so many values.
    pub(super) fn new(values: usize) -> Self {
        Self { first: vec![0.0; values], second: vec![0.0; values], steps: 0 }
    }

    /// One step at rate `lr` along `scale` times `gradient`; each range of values with its weight decay.
    pub(super) fn step(
        &mut self,
        lr: f64,
        scale: f32,
        values: &mut [f32],
        gradient: &[f32],
        decays: &[(Range<usize>, f64)],
    ) {
        self.steps += 1;
        let correction = |beta: f32| 1.0 - f64::from(beta).powi(self.steps as i32);
        let root = correction(BETA_2).sqrt();
        let (mut first, mut second, mut values) = (&mut self.first[..], &mut self.second[..], values);
        for (range, decay) in decays {
            let (m, v, x);
            (m, first) = first.split_at_mut(range.len());
            (v, second) = second.split_at_mut(range.len());
            (x, values) = values.split_at_mut(range.len());
            let parts = (
                x.par_chunks_mut(CHUNK),
                m.par_chunks_mut(CHUNK),
                v.par_chunks_mut(CHUNK),
                gradient[range.clone()].par_chunks(CHUNK),
            );
            parts.into_par_iter().for_each(|(values, first, second, gradient)| {
                let update = Update {
                    kept: (1.0 - lr * decay) as f32,
                    rate: (lr * root / correction(BETA_1)) as f32,
                    epsilon: (f64::from(EPSILON) * root) as f32,
                    scale,
                    values,
                    first,
                    second,
                    gradient,
                };
                update.dispatch();
            });
        }
    }
}

/// One step of some values, with both corrections in `rate` and `epsilon`:
/// m/c₁ / (√(v/c₂) + ε) = √c₂/c₁ · m / (√v + ε√c₂).
struct Update<'a> {
    kept: f32,
    rate: f32,
    epsilon: f32,
    scale: f32,
    values: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    gradient: &'a [f32],
}

impl SimdOp for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let moments = self.first.iter_mut().zip(self.second);
        for ((value, (m, v)), g) in self.values.iter_mut().zip(moments).zip(self.gradient) {
            let g = g * self.scale;
            *m = BETA_1 * *m + (1.0 - BETA_1) * g;
            *v = BETA_2 * *v + (1.0 - BETA_2) * g * g;
            *value = self.kept * *value - self.rate * *m / (v.sqrt() + self.epsilon);
        }
    }
}

/// The norm of a gradient, summed in the same order on any number of threads.
pub(super) fn norm(gradient: &[f32]) -> f64 {
    let squares = |part: &[f32]| part.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>();
    let parts: Vec<f64> = gradient.par_chunks(CHUNK).map(squares).collect();
    parts.iter().sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_goes_by_the_rate_against_the_sign_and_decays_what_decays() {
        let (mut values, gradient) = (vec![1.0, 1.0, -2.0, 4.0], [3.0, -0.5, 0.25, 0.0]);
        let mut adamw = AdamW::new(4);
        adamw.step(0.1, 0.5, &mut values, &gradient, &[(0..2, 0.0), (2..4, 0.5)]);
        for (found, expected) in values.iter().zip([0.9, 1.1, -2.0 * 0.95 - 0.1, 4.0 * 0.95]) {
            assert!((found - expected).abs() < 1e-5, "{values:?}");
        }
        assert_eq!(adamw.steps, 1);
    }
}
