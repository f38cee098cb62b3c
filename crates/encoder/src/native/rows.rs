//! Steps on one row, compiled for the widest vectors there are.

use rten_simd::ops::NumOps;
use rten_simd::{Isa, Simd, SimdIterable, SimdOp};

/// Outputs that are finished together.
pub(super) const LANES: usize = 16;
/// Added to a small number it leaves the nearest whole one in the lowest bits.
const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23

/// A row times factors, where there are any, and its least and most, zero among them.
pub(super) struct Shrunk<'a> {
    pub(super) row: &'a [f32],
    pub(super) factors: Option<&'a [f32]>,
    pub(super) out: &'a mut [f32],
}

impl SimdOp for Shrunk<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> (f32, f32) {
        match self.factors {
            None => self.out.copy_from_slice(self.row),
            Some(factors) => {
                for ((out, v), factor) in self.out.iter_mut().zip(self.row).zip(factors) {
                    *out = v * factor;
                }
            }
        }
        let ops = isa.f32();
        let (mut least, mut most) = (ops.zero(), ops.zero());
        for v in self.out.simd_iter_pad(ops) {
            (least, most) = (ops.min(v, least), ops.max(v, most));
        }
        let least = least.to_array().into_iter().fold(0.0, f32::min);
        (least, most.to_array().into_iter().fold(0.0, f32::max))
    }
}

/// The 256 values an input can take: the step between two of them, and which is zero.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    step: f32,
    zero: u8,
}

impl Grid {
    /// From the least to the most of a row.
    pub(super) fn new((least, most): (f32, f32)) -> Self {
        if least == most {
            return Self { step: 1.0, zero: 0 };
        }
        let step = (most - least) / 255.0;
        Self { step, zero: (-least / step).round() as u8 }
    }
}

/// A row on its grid.
pub(super) struct Quantized<'a> {
    pub(super) row: &'a [f32],
    pub(super) grid: Grid,
    pub(super) out: &'a mut [u8],
}

impl SimdOp for Quantized<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let (scale, zero) = (1.0 / self.grid.step, f32::from(self.grid.zero));
        for (out, v) in self.out.iter_mut().zip(self.row) {
            let whole = (v * scale).max(-zero).min(255.0 - zero) + ROUND;
            *out = (whole.to_bits() as u8).wrapping_add(self.grid.zero);
        }
    }
}

/// What makes sums of products in integers outputs: what each output's weights sum to, the scale that gives them back,
/// and the bias.
pub(super) struct Outputs<'a> {
    pub(super) totals: &'a [i32],
    pub(super) scales: &'a [f32],
    pub(super) bias: &'a [f32],
    /// Whether they are added to what is there.
    pub(super) add: bool,
}

impl Outputs<'_> {
    /// Writes those from the output `first` on to the first of `out`.
    #[inline(always)]
    pub(super) fn write(&self, first: usize, sums: &[i32; LANES], grid: Grid, out: &mut [f32]) {
        let (totals, scales) = (lanes(&self.totals[first..]), lanes(&self.scales[first..]));
        let (bias, zero) = (lanes(&self.bias[first..]), i32::from(grid.zero));
        let mut values = [0f32; LANES];
        for i in 0..LANES {
            let sum = sums[i].wrapping_sub(zero.wrapping_mul(totals[i]));
            values[i] = sum as f32 * (scales[i] * grid.step) + bias[i];
        }
        match out.first_chunk_mut::<LANES>() {
            Some(out) => write(values.into_iter(), self.add, out),
            None => write(values.into_iter(), self.add, out),
        }
    }
}

/// All of a row's.
pub(super) struct Scaled<'a> {
    pub(super) outputs: &'a Outputs<'a>,
    pub(super) sums: &'a [i32],
    pub(super) grid: Grid,
    pub(super) out: &'a mut [f32],
}

impl SimdOp for Scaled<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let parts = self.sums.chunks(LANES).zip(self.out.chunks_mut(LANES));
        for (i, (sums, out)) in parts.enumerate() {
            self.outputs.write(i * LANES, &lanes(sums), self.grid, out);
        }
    }
}

/// The first of a row, filled up with zeros.
#[inline(always)]
fn lanes<T: Copy + Default>(row: &[T]) -> [T; LANES] {
    row.first_chunk().copied().unwrap_or_else(
        #[inline(always)]
        || {
            let mut lanes = [T::default(); LANES];
            lanes[..row.len()].copy_from_slice(row);
            lanes
        },
    )
}

#[inline(always)]
fn write(values: impl Iterator<Item = f32>, add: bool, out: &mut [f32]) {
    match add {
        true => out.iter_mut().zip(values).for_each(|(out, v)| *out += v),
        false => out.iter_mut().zip(values).for_each(|(out, v)| *out = v),
    }
}
