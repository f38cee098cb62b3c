use rten_simd::ops::{FloatOps, IntOps, NumOps, ToFloat};
use rten_simd::{Isa, Simd, SimdIterable, SimdOp};
use std::f32::consts::{LN_2, LOG2_E};

/// Powers of e of a row's values less their greatest, in place; gives one over their sum, which makes them a softmax.
pub(super) struct Exponentials<'a>(pub(super) &'a mut [f32]);

/// Below it a power of e is less than any `f32` has full precision for.
const LEAST: f32 = -87.0;
/// `2^r` for `r` from -1/2 to 1/2, to 1e-7 of itself: Taylor's terms, highest first, the constant 1 left out.
const POLYNOMIAL: [f32; 6] =
    [0.000_154_035_3, 0.001_333_355_8, 0.009_618_129, 0.055_504_11, 0.240_226_5, LN_2];

impl SimdOp for Exponentials<'_> {
    type Output = f32;

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> f32 {
        let ops = isa.f32();
        let greatest = self.0.simd_iter(ops).fold_unroll::<4>(
            ops.splat(f32::NEG_INFINITY),
            #[inline(always)]
            |most, v| ops.max(v, most),
            #[inline(always)]
            |a, b| ops.max(a, b),
        );
        let greatest = ops.splat(greatest.to_array().into_iter().fold(f32::NEG_INFINITY, f32::max));
        let mut sums = ops.zero();
        let mut chunks = self.0.chunks_exact_mut(ops.len());
        for chunk in chunks.by_ref() {
            let powers = power(isa, ops.sub(ops.load(chunk), greatest));
            sums = ops.add(sums, powers);
            ops.store(powers, chunk);
        }
        let rest = chunks.into_remainder();
        let powers = power(isa, ops.sub(ops.load_pad(rest).0, greatest)).to_array();
        let mut sum = ops.sum(sums);
        for (v, power) in rest.iter_mut().zip(powers) {
            *v = power;
            sum += power;
        }
        1.0 / sum
    }
}

/// The power of e for `v` up to 0.
#[inline(always)]
fn power<I: Isa>(isa: I, v: I::F32) -> I::F32 {
    let (ops, ints) = (isa.f32(), isa.i32());
    let v = ops.mul(ops.max(ops.splat(LEAST), v), ops.splat(LOG2_E));
    let whole = ops.to_int_round(v);
    let rest = ops.sub(v, ints.to_float(whole));
    let mut p = ops.splat(POLYNOMIAL[0]);
    for c in &POLYNOMIAL[1..] {
        p = ops.mul_add(p, rest, ops.splat(*c));
    }
    let exponent = ints.shift_left::<23>(ints.add(whole, ints.splat(127)));
    ops.mul(ops.mul_add(p, rest, ops.one()), exponent.reinterpret_cast::<I::F32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_any_number_of_values_are_those_of_double_precision() {
        for n in 1..70 {
            let row: Vec<f32> = (0..n).map(|i| ((i * 37 + n) % 101) as f32 * 0.9 - 40.0).collect();
            let mut found = row.clone();
            let share = Exponentials(&mut found).dispatch();
            let greatest = row.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
            let powers: Vec<f64> = row.iter().map(|v| f64::from(v - greatest).exp()).collect();
            let sum: f64 = powers.iter().sum();
            for (found, power) in found.iter().zip(&powers) {
                let (found, expected) = (f64::from(found * share), power / sum);
                assert!((found - expected).abs() < 2e-7 + 1e-6 * expected, "{n}: {found} {expected}");
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_to_be_seen() {
        for bad in [f32::NAN, f32::INFINITY] {
            for at in [0, 9, 16] {
                let mut row = [1.0; 17];
                row[at] = bad;
                assert!(Exponentials(&mut row).dispatch().is_nan(), "{bad} at {at}");
            }
        }
    }
}
