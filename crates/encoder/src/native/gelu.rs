use rten_simd::ops::{FloatOps, NumOps};
use rten_simd::{Isa, SimdUnaryOp};

/// `x` times the share of the normal distribution below it, to 3e-7: the error function by a polynomial to the power of
/// -16 (Abramowitz and Stegun, 1964, 7.1.28), which needs no exponential.
pub(super) struct Gelu;

/// Coefficients of 7.1.28, the constant 1 left out.
const POLYNOMIAL: [f32; 6] =
    [0.070_523_076, 0.042_282_01, 0.009_270_527, 0.000_152_014_3, 0.000_276_567_2, 0.000_043_063_8];

impl SimdUnaryOp<f32> for Gelu {
    #[inline(always)]
    fn eval<I: Isa>(&self, isa: I, x: I::F32) -> I::F32 {
        let ops = isa.f32();
        let size = ops.abs(x);
        let y = ops.mul(size, ops.splat(std::f32::consts::FRAC_1_SQRT_2));
        let mut p = ops.splat(POLYNOMIAL[5]);
        for a in POLYNOMIAL[..5].iter().rev() {
            p = ops.mul_add(p, y, ops.splat(*a));
        }
        p = ops.mul_add(p, y, ops.one());
        for _ in 0..4 {
            p = ops.mul(p, p);
        }
        // x/2 (1 + sign(x) erf(|x|/sqrt 2)) = x/2 + |x|/2 - |x|/2 / p
        let half = ops.mul(size, ops.splat(0.5));
        let above = ops.mul_add(x, ops.splat(0.5), half);
        ops.sub(above, ops.div(half, p))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of the normal distribution below `x`, by Simpson's rule.
    fn below(x: f64) -> f64 {
        let (n, density) = (2000, |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt());
        let step = x / f64::from(n);
        let weight = |i: i32| [2.0, 4.0][i as usize % 2];
        let inner: f64 = (1..n).map(|i| weight(i) * density(f64::from(i) * step)).sum();
        0.5 + step / 3.0 * (density(0.0) + inner + density(x))
    }

    #[test]
    fn it_is_x_times_the_share_of_the_normal_distribution_below_x() {
        for i in -1000..=1000 {
            let x = 0.01 * i as f32;
            let (found, expected) = (Gelu.scalar_eval(x), f64::from(x) * below(x.into()));
            assert!((f64::from(found) - expected).abs() < 1e-6, "{x}: {found} {expected}");
        }
        assert_eq!([-1e6, 0.0, 1e6].map(|x| Gelu.scalar_eval(x)), [0.0, 0.0, 1e6]);
        assert!(Gelu.scalar_eval(f32::NAN).is_nan());
    }
}
