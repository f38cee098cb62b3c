use rten_simd::{Isa, SimdOp};

/// Tried scales of a row: each this much smaller than the one before.
const SHRINK: f32 = 0.05;
const TRIED: usize = 8;
/// Sums kept side by side, so that they are added up with wide vectors.
const LANES: usize = 16;

/// A row as int8 and the scale that gives it back, of those tried the one with the least squared error: large values
/// may be cut for the sake of the others.
pub(super) fn quantized(row: &[f32]) -> (Vec<i8>, f32) {
    let pair = |pair: &[f32]| {
        let positive: f32 = pair.iter().map(|v| v.max(0.0)).sum();
        let negative: f32 = pair.iter().map(|v| v.min(0.0)).sum();
        positive.max(-negative)
    };
    let most = row.chunks(2).map(pair).fold(0f32, f32::max); // at most / 127 nothing is cut, rounding included
    if most == 0.0 {
        return (vec![0; row.len()], 1.0);
    }
    let mut whole = vec![0f32; row.len()];
    let tried = (0..TRIED).map(|i| most / 127.0 * (1.0 - SHRINK * i as f32));
    let errors = tried.map(|scale| (Rounded { row, scale, out: &mut whole }.dispatch(), scale));
    let (_, scale) = errors.fold((f32::INFINITY, most / 127.0), |a, b| if b.0 < a.0 { b } else { a });
    Rounded { row, scale, out: &mut whole }.dispatch();
    (whole.into_iter().map(|v| v as i8).collect(), scale)
}

/// A row at a scale as whole numbers, and its squared error: neighbours of one sign that sum to more than 128 are made
/// smaller together.
struct Rounded<'a> {
    row: &'a [f32],
    scale: f32,
    out: &'a mut [f32],
}

impl SimdOp for Rounded<'_> {
    type Output = f32;

    #[inline(always)]
    fn eval<I: Isa>(self, _: I) -> f32 {
        let Self { row, scale, out } = self;
        for (out, v) in out.iter_mut().zip(row) {
            *out = (v / scale).round_ties_even().clamp(-127.0, 127.0);
        }
        for [a, b] in out.as_chunks_mut::<2>().0 {
            let sum = (*a + *b).abs();
            if sum > 128.0 && *a * *b > 0.0 {
                let fit = 128.0 / sum;
                (*a, *b) = ((*a * fit).trunc(), (*b * fit).trunc());
            }
        }
        let mut sums = [0f32; LANES];
        for (row, out) in row.chunks(LANES).zip(out.chunks(LANES)) {
            for ((sum, v), whole) in sums.iter_mut().zip(row).zip(out) {
                *sum += (whole * scale - v) * (whole * scale - v);
            }
        }
        sums.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_two_neighbours_can_overflow_16_bits(row in prop::collection::vec(-1f32..1.0, 1..40)) {
            let (row, _) = quantized(&row);
            for pair in row.chunks(2) {
                let sum = |sign: i32| pair.iter().map(|v| (i32::from(*v) * sign).max(0)).sum::<i32>() * 255;
                prop_assert!(sum(1) <= 32_767 && sum(-1) <= 32_768);
            }
        }

        #[test]
        fn what_fits_is_rounded_to_nearest(row in prop::collection::vec(-0.5f32..0.5, 2..40)) {
            let (whole, scale) = quantized(&[&row[..], &[1.0, 1.0]].concat());
            let cut = 127.0 * scale * 0.5;
            for (v, whole) in row.iter().zip(whole).filter(|(v, _)| v.abs() < cut * 0.9) {
                prop_assert!((f32::from(whole) * scale - v).abs() <= scale * 0.501, "{v} {whole} {scale}");
            }
        }
    }
}
