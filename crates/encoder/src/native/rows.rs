//! Steps on one row, compiled for the widest vectors there are.

use rten_simd::ops::NumOps;
use rten_simd::{Isa, Simd, SimdIterable, SimdOp};

/// The least and the most of a row, zero among them.
pub(super) struct Range<'a>(pub(super) &'a [f32]);

impl SimdOp for Range<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> (f32, f32) {
        let ops = isa.f32();
        let (mut least, mut most) = (ops.zero(), ops.zero());
        for v in self.0.simd_iter_pad(ops) {
            (least, most) = (ops.min(v, least), ops.max(v, most));
        }
        let least = least.to_array().into_iter().fold(0.0, f32::min);
        (least, most.to_array().into_iter().fold(0.0, f32::max))
    }
}

/// A row times factors.
pub(super) struct Times<'a> {
    pub(super) row: &'a [f32],
    pub(super) factors: &'a [f32],
    pub(super) out: &'a mut [f32],
}

impl SimdOp for Times<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        for ((out, v), factor) in self.out.iter_mut().zip(self.row).zip(self.factors) {
            *out = v * factor;
        }
    }
}

/// What sums of products in integers stand for.
pub(super) struct Scaled<'a> {
    pub(super) sums: &'a [i32],
    /// What each weight's own numbers sum to, and the scale that gives them back.
    pub(super) totals: &'a [i32],
    pub(super) scales: &'a [f32],
    /// Which of the grid's numbers is zero, and the step between two of them.
    pub(super) grid: (i32, f32),
    pub(super) bias: &'a [f32],
    /// Whether it is added to what `out` has.
    pub(super) add: bool,
    pub(super) out: &'a mut [f32],
}

impl SimdOp for Scaled<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let (zero, step) = self.grid;
        let sums = self.sums.iter().zip(self.totals).zip(self.scales).zip(self.bias);
        let values = sums.map(|(((sum, total), scale), bias)| {
            sum.wrapping_sub(zero.wrapping_mul(*total)) as f32 * (scale * step) + bias
        });
        write(values, self.add, self.out);
    }
}

/// The sum of two rows.
pub(super) struct Sum<'a> {
    pub(super) row: &'a [f32],
    pub(super) bias: &'a [f32],
    /// Whether it is added to what `out` has.
    pub(super) add: bool,
    pub(super) out: &'a mut [f32],
}

impl SimdOp for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        write(self.row.iter().zip(self.bias).map(|(v, bias)| v + bias), self.add, self.out);
    }
}

#[inline(always)]
fn write(values: impl Iterator<Item = f32>, add: bool, out: &mut [f32]) {
    match add {
        true => out.iter_mut().zip(values).for_each(|(out, v)| *out += v),
        false => out.iter_mut().zip(values).for_each(|(out, v)| *out = v),
    }
}
