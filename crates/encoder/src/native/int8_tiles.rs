//! Products of 8-bit integers in tiles that fit the registers of AVX2.

/// Inputs multiplied in one step.
pub(super) const WORD: usize = 4;
/// Outputs of a tile.
const COLUMNS: usize = super::activation_quant::LANES;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Tiles;
#[cfg(not(target_arch = "x86_64"))]
pub(super) use elsewhere::Tiles;

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{COLUMNS, WORD};
    use pulp::x86::V3;
    use pulp::{NullaryFnOnce, cast, i8x32};
    use rayon::prelude::*;
    use std::array::from_fn;

    /// Rows of a tile: with two vectors of sums each, two of the weight, one input, one product and the ones they take
    /// 15 of 16 registers. rten's tiles of 6 send one sum through memory at every step, which costs a third of the time
    /// where the stack happens to put that sum across two cache lines.
    const ROWS: usize = 5;
    const VECTORS: usize = 2;
    /// Weights of one step: 4 inputs of 16 outputs.
    const STEP: usize = COLUMNS * WORD;

    /// A weight in panels of 16 outputs; in each, step after step, 4 inputs of every output.
    pub(in super::super) struct Tiles {
        simd: V3,
        steps: Vec<[i8x32; VECTORS]>,
        depth: usize, // steps of a panel
    }

    impl Tiles {
        /// Of `rows`, `[dim_out, dim_in]`. None where the CPU has no AVX2, or has instructions made for this, which rten
        /// uses.
        pub(in super::super) fn new(rows: &[i8], dim_in: usize) -> Option<Self> {
            let simd = V3::try_new().filter(|_| !is_x86_feature_detected!("avx512vnni"))?;
            let depth = dim_in.div_ceil(WORD);
            let mut steps = vec![0; rows.len().div_ceil(COLUMNS * dim_in) * depth * STEP];
            let panels = steps.par_chunks_mut(depth * STEP).zip(rows.par_chunks(COLUMNS * dim_in));
            panels.for_each(|(steps, rows)| {
                for (output, row) in rows.chunks_exact(dim_in).enumerate() {
                    for (step, word) in steps.chunks_exact_mut(STEP).zip(row.chunks(WORD)) {
                        step[output * WORD..][..word.len()].copy_from_slice(word);
                    }
                }
            });
            let steps = steps.as_chunks::<STEP>().0.iter().map(|step| cast(*step)).collect();
            Some(Self { simd, steps, depth })
        }

        /// Multiplies rows of inputs, each filled up with zeros to a whole number of words, and hands on sums, 16 outputs
        /// at a time: the row, the first output, and the sums.
        pub(in super::super) fn multiply(
            &self,
            inputs: &[u8],
            each: impl FnMut(usize, usize, &[i32; COLUMNS]),
        ) {
            self.simd.vectorize(Product { tiles: self, inputs, each });
        }
    }

    struct Product<'a, F> {
        tiles: &'a Tiles,
        inputs: &'a [u8],
        each: F,
    }

    impl<F: FnMut(usize, usize, &[i32; COLUMNS])> NullaryFnOnce for Product<'_, F> {
        type Output = ();

        #[inline(always)]
        fn call(mut self) {
            let Tiles { simd, steps, depth } = self.tiles;
            let words = self.inputs.as_chunks::<WORD>().0;
            for (panel, weights) in steps.chunks_exact(*depth).enumerate() {
                for (tile, rows) in words.chunks(ROWS * depth).enumerate() {
                    let (at, each) = ((tile * ROWS, panel * COLUMNS), &mut self.each);
                    match rows.len() / depth {
                        5 => sums::<5>(*simd, weights, rows, at, each),
                        4 => sums::<4>(*simd, weights, rows, at, each),
                        3 => sums::<3>(*simd, weights, rows, at, each),
                        2 => sums::<2>(*simd, weights, rows, at, each),
                        _ => sums::<1>(*simd, weights, rows, at, each),
                    }
                }
            }
        }
    }

    /// One tile, whose first row and output are told.
    #[inline(always)]
    fn sums<const N: usize>(
        simd: V3,
        weights: &[[i8x32; VECTORS]],
        rows: &[[u8; WORD]],
        (first, output): (usize, usize),
        each: &mut impl FnMut(usize, usize, &[i32; COLUMNS]),
    ) {
        let rows: [&[[u8; WORD]]; N] = from_fn(|row| &rows[row * weights.len()..][..weights.len()]);
        let ones = simd.avx._mm256_set1_epi16(1);
        let mut sums = [[simd.avx._mm256_setzero_si256(); VECTORS]; N];
        for (step, weights) in weights.iter().enumerate() {
            let weights = weights.map(cast);
            for (sums, row) in sums.iter_mut().zip(rows) {
                let word = simd.avx._mm256_set1_epi32(i32::from_le_bytes(row[step]));
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    let pairs = simd.avx2._mm256_maddubs_epi16(word, weights);
                    *sum = simd.avx2._mm256_add_epi32(*sum, simd.avx2._mm256_madd_epi16(pairs, ones));
                }
            }
        }
        for (row, sums) in sums.into_iter().enumerate() {
            each(first + row, output, &cast(sums));
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod elsewhere {
    use super::COLUMNS;

    /// There are none.
    pub(in super::super) enum Tiles {}

    impl Tiles {
        pub(in super::super) fn new(_rows: &[i8], _dim_in: usize) -> Option<Self> {
            None
        }

        pub(in super::super) fn multiply(
            &self,
            _inputs: &[u8],
            _each: impl FnMut(usize, usize, &[i32; COLUMNS]),
        ) {
            match *self {}
        }
    }
}
