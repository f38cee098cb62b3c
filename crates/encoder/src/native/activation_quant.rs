//! Dynamic quantization of activations to 8 bits, a scale and a zero point for each row, and the way back of products in
//! integers to `f32`; compiled for the widest vectors there are.

use rten_simd::ops::NumOps;
use rten_simd::{Isa, Simd, SimdIterable, SimdOp};

/// Dequantization that are finished together.
pub(super) const LANES: usize = 16;
/// Added to a small number it leaves the nearest whole one in the lowest bits.
const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23

/// A row times smoothing factors, where there are any, and its minimum and maximum, zero included.
pub(super) struct Smoothed<'a> {
    pub(super) row: &'a [f32],
    pub(super) factors: Option<&'a [f32]>,
    pub(super) out: &'a mut [f32],
}

impl SimdOp for Smoothed<'_> {
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

/// Scale and zero point of a row.
#[derive(Clone, Copy)]
pub(super) struct QuantParams {
    scale: f32,
    zero_point: u8,
}

impl QuantParams {
    /// From the minimum and the maximum of a row.
    pub(super) fn new((least, most): (f32, f32)) -> Self {
        if least == most {
            return Self { scale: 1.0, zero_point: 0 };
        }
        let scale = (most - least) / 255.0;
        Self { scale, zero_point: (-least / scale).round() as u8 }
    }
}

/// A row, quantized.
pub(super) struct QuantizedRow<'a> {
    pub(super) row: &'a [f32],
    pub(super) params: QuantParams,
    pub(super) out: &'a mut [u8],
}

impl SimdOp for QuantizedRow<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let (scale, zero) = (1.0 / self.params.scale, f32::from(self.params.zero_point));
        for (out, v) in self.out.iter_mut().zip(self.row) {
            let whole = (v * scale).max(-zero).min(255.0 - zero) + ROUND;
            *out = (whole.to_bits() as u8).wrapping_add(self.params.zero_point);
        }
    }
}

/// What makes sums of products in integers outputs: what each output's weights sum to, the scale that gives them back,
/// and the bias.
pub(super) struct Dequantization<'a> {
    pub(super) totals: &'a [i32],
    pub(super) scales: &'a [f32],
    pub(super) bias: &'a [f32],
    /// Whether they are added to what is there.
    pub(super) add: bool,
}

impl Dequantization<'_> {
    /// Writes those from the output `first` on to the first of `out`.
    #[inline(always)]
    pub(super) fn write(&self, first: usize, sums: &[i32; LANES], params: QuantParams, out: &mut [f32]) {
        let (totals, scales) = (lanes(&self.totals[first..]), lanes(&self.scales[first..]));
        let (bias, zero) = (lanes(&self.bias[first..]), i32::from(params.zero_point));
        let mut values = [0f32; LANES];
        for i in 0..LANES {
            let sum = sums[i].wrapping_sub(zero.wrapping_mul(totals[i]));
            values[i] = sum as f32 * (scales[i] * params.scale) + bias[i];
        }
        match out.first_chunk_mut::<LANES>() {
            Some(out) => write(values.into_iter(), self.add, out),
            None => write(values.into_iter(), self.add, out),
        }
    }
}

/// All of a row's.
pub(super) struct DequantizedRow<'a> {
    pub(super) outputs: &'a Dequantization<'a>,
    pub(super) sums: &'a [i32],
    pub(super) params: QuantParams,
    pub(super) out: &'a mut [f32],
}

impl SimdOp for DequantizedRow<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let parts = self.sums.chunks(LANES).zip(self.out.chunks_mut(LANES));
        for (i, (sums, out)) in parts.enumerate() {
            self.outputs.write(i * LANES, &lanes(sums), self.params, out);
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
