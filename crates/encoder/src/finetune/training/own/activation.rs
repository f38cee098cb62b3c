use crate::architecture::post_norm::Activation;
use rten_simd::SimdUnaryOp;
use rten_vecmath::{ApproxGelu, Erf, Exp, Gelu, Sigmoid, Silu, Tanh};
use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// √(2 / π) and the cube's share in the approximation of GELU by a hyperbolic tangent.
const ROOT: f32 = FRAC_1_SQRT_2 * FRAC_2_SQRT_PI;
const CUBE: f32 = 0.044_715;

/// `x` in place.
pub(super) fn forward(activation: Activation, x: &mut [f32]) {
    match activation {
        Activation::Gelu => Gelu {}.map_mut(x),
        Activation::GeluTanh => ApproxGelu {}.map_mut(x),
        Activation::Relu => x.iter_mut().for_each(|v| *v = v.max(0.0)),
        Activation::Silu => Silu {}.map_mut(x),
    }
}

/// From the inputs `x`: the outputs once more, to `out`, and `gradient` times the derivative there, in place.
pub(super) fn backward(activation: Activation, x: &[f32], out: &mut [f32], gradient: &mut [f32]) {
    let each = x.iter().zip(out.iter_mut());
    match activation {
        Activation::Gelu => {
            let mut density: Vec<f32> = x.iter().map(|x| -0.5 * x * x).collect();
            Exp {}.map_mut(&mut density);
            each.for_each(|(x, out)| *out = x * FRAC_1_SQRT_2);
            Erf {}.map_mut(out);
            for (((x, out), density), d) in x.iter().zip(out).zip(&density).zip(gradient) {
                let below = 0.5 + 0.5 * *out;
                *d *= below + x * density * (0.5 * ROOT);
                *out = x * below;
            }
        }
        Activation::GeluTanh => {
            each.for_each(|(x, out)| *out = ROOT * (x + CUBE * x * x * x));
            Tanh {}.map_mut(out);
            for ((x, out), d) in x.iter().zip(out).zip(gradient) {
                let t = *out;
                *d *= 0.5 + 0.5 * t + 0.5 * x * (1.0 - t * t) * ROOT * (1.0 + 3.0 * CUBE * x * x);
                *out = 0.5 * x * (1.0 + t);
            }
        }
        Activation::Relu => {
            for ((x, out), d) in each.zip(gradient) {
                *out = x.max(0.0);
                *d = if *x > 0.0 { *d } else { 0.0 };
            }
        }
        Activation::Silu => {
            each.for_each(|(x, out)| *out = *x);
            Sigmoid {}.map_mut(out);
            for ((x, out), d) in x.iter().zip(out).zip(gradient) {
                let share = *out;
                *d *= share + x * share * (1.0 - share);
                *out = x * share;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_function() {
        let x: Vec<f32> = (-40..=40).map(|i| i as f32 / 8.0 + 0.01).collect();
        for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu, Activation::Silu] {
            let (mut out, mut derivatives) = (vec![0.0; x.len()], vec![1.0; x.len()]);
            backward(activation, &x, &mut out, &mut derivatives);
            let value = |shift: f32| {
                let mut x: Vec<f32> = x.iter().map(|x| x + shift).collect();
                forward(activation, &mut x);
                x
            };
            let (left, right, here) = (value(-4e-3), value(4e-3), value(0.0));
            for i in 0..x.len() {
                assert!((out[i] - here[i]).abs() < 2e-6, "{activation:?} at {}", x[i]);
                let expected = (right[i] - left[i]) / 8e-3;
                assert!(
                    (derivatives[i] - expected).abs() < 1e-3,
                    "{activation:?} at {}: {} {expected}",
                    x[i],
                    derivatives[i]
                );
            }
        }
    }
}
