use super::activation_quant::{Dequantization, DequantizedRow, QuantParams, QuantizedRow, Smoothed};
use super::dense::QuantHints;
use super::int8_tiles::{Tiles, WORD};
use super::product::{matrix, wrong};
use super::weight_quant::quantized;
use crate::Result;
use rayon::prelude::*;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::SimdOp;
use std::cell::Cell;

thread_local! {
    static PRODUCTS: GemmExecutor<u8, i8, i32> = GemmExecutor::new();
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// Buffers kept from product to product, so that nobody fills them with zeros.
#[derive(Default)]
struct Scratch {
    smoothed: Vec<f32>,
    inputs: Vec<u8>,
    sums: Vec<i32>,
}

/// Standard deviations a normalised input is expected to reach.
const REACH: f32 = 3.0;

/// A weight as int8 with a scale for each row (of `[dim_out, dim_in]`), for products in integers with inputs quantised
/// to 8 bits token by token.
///
/// Older x86 kernels add the products of two neighbours in 16 bits and cut what does not fit. So no two neighbours of
/// one sign sum to more than 128: then nothing is ever cut, whatever the input, and all CPUs compute the same.
pub(super) struct Int8 {
    weight: PackedInt8,
    scales: Vec<f32>,
    totals: Vec<i32>,            // the sum of each row
    smoothing: Option<Vec<f32>>, // what each input is multiplied by before it is quantised
    dim_in: usize,
}

/// Integers, packed for the product that is fastest on this CPU.
enum PackedInt8 {
    Tiles(Tiles),
    Packed(PackedBMatrix<i8>),
}

impl PackedInt8 {
    /// Of `rows`, `[dim_out, dim_in]`.
    fn new(rows: &[i8], dim_in: usize) -> Result<Self> {
        match Tiles::new(rows, dim_in) {
            Some(tiles) => Ok(Self::Tiles(tiles)),
            None => Self::packed(rows, dim_in),
        }
    }

    fn packed(rows: &[i8], dim_in: usize) -> Result<Self> {
        let rows = matrix(rows, rows.len() / dim_in, dim_in, dim_in)?;
        Ok(Self::Packed(PRODUCTS.with(|p| p.prepack_b(rows.transposed()))))
    }
}

impl Int8 {
    /// Of values `[dim_out, dim_in]`. Where the inputs come from a normalisation, its scale and shift say how large each
    /// of them gets; large inputs are made smaller and their weights larger, so that both lose less, above all for the
    /// outputs that matter most.
    pub(super) fn new(mut values: Vec<f32>, dim_in: usize, hints: QuantHints<'_>) -> Result<Self> {
        let smoothing = hints.norm.map(|(gamma, beta)| {
            let mut largest = vec![f32::MIN_POSITIVE; dim_in];
            for row in values.chunks_exact(dim_in).skip(hints.skip) {
                largest.iter_mut().zip(row).for_each(|(most, v)| *most = most.max(v.abs()));
            }
            let inputs =
                gamma.iter().zip(beta).map(|(g, b)| (REACH * g.abs() + b.abs()).max(f32::MIN_POSITIVE));
            largest.iter().zip(inputs).map(|(weight, input)| (weight / input).sqrt()).collect::<Vec<f32>>()
        });
        if let Some(smoothing) = &smoothing {
            for row in values.chunks_exact_mut(dim_in) {
                row.iter_mut().zip(smoothing).for_each(|(v, factor)| *v /= factor);
            }
        }
        let rows: Vec<(Vec<i8>, f32)> = values.par_chunks_exact(dim_in).map(quantized).collect();
        let (rows, scales): (Vec<_>, Vec<f32>) = rows.into_iter().unzip();
        let totals = rows.iter().map(|row| row.iter().map(|&v| i32::from(v)).sum()).collect();
        let weight = PackedInt8::new(&rows.concat(), dim_in)?;
        Ok(Self { weight, scales, totals, smoothing, dim_in })
    }

    /// Writes `x W + bias` to `out`, or adds it.
    pub(super) fn multiply(
        &self,
        x: &[f32],
        stride: usize,
        bias: &[f32],
        add: bool,
        out: &mut [f32],
    ) -> Result<()> {
        let dim_out = self.scales.len();
        let rows = out.len() / dim_out;
        let mut scratch = SCRATCH.take(); // not borrowed: another task may come in between, on this thread
        let Scratch { smoothed, inputs, sums } = &mut scratch;
        let stored = self.dim_in.next_multiple_of(WORD);
        let inputs = at_least(inputs, rows * stored);
        let smoothed = at_least(smoothed, self.dim_in);
        let mut row_params = Vec::with_capacity(rows);
        for (row, out) in x.chunks(stride).zip(inputs.chunks_exact_mut(stored)) {
            let (out, rest) = out.split_at_mut(self.dim_in);
            let (row, factors) = (&row[..self.dim_in], self.smoothing.as_deref());
            let params = QuantParams::new(Smoothed { row, factors, out: smoothed }.dispatch());
            QuantizedRow { row: smoothed, params, out }.dispatch();
            rest.fill(0);
            row_params.push(params);
        }
        let outputs = Dequantization { totals: &self.totals, scales: &self.scales, bias, add };
        match &self.weight {
            PackedInt8::Tiles(tiles) => tiles.multiply(
                inputs,
                #[inline(always)]
                |row, first, sums| {
                    let out = &mut out[row * dim_out..][first..dim_out];
                    outputs.write(first, sums, row_params[row], out);
                },
            ),
            PackedInt8::Packed(weight) => {
                let sums = at_least(sums, rows * dim_out);
                let inputs = GemmInputA::Unpacked(matrix(inputs, rows, self.dim_in, stored)?);
                PRODUCTS
                    .with(|p| p.gemm(sums, inputs, GemmInputB::Packed(weight), GemmOptions::default()))
                    .map_err(wrong)?;
                // What the zeros add is taken off here: rten-gemm 0.24 takes off a wrong amount from inputs over 1,024
                // long.
                let rows = out.chunks_exact_mut(dim_out).zip(sums.chunks_exact(dim_out));
                for ((out, sums), &params) in rows.zip(&row_params) {
                    DequantizedRow { outputs: &outputs, sums, params, out }.dispatch();
                }
            }
        }
        SCRATCH.set(scratch);
        Ok(())
    }
}

/// The first numbers of a buffer that is made longer where it is too short.
fn at_least<T: Copy + Default>(buffer: &mut Vec<T>, length: usize) -> &mut [T] {
    if buffer.len() < length {
        buffer.resize(length, T::default());
    }
    &mut buffer[..length]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_product_in_integers_is_close_to_one_in_floats(
            weight in prop::collection::vec(-1f32..1.0, 5 * 1540), x in prop::collection::vec(-1f32..3.0, 7 * 1540)
        ) {
            let int8 = Int8::new(weight.clone(), 1540, QuantHints::default()).unwrap();
            let mut found = vec![0f32; 7 * 5];
            int8.multiply(&x, 1540, &[0.0; 5], false, &mut found).unwrap();
            for (i, found) in found.iter().enumerate() {
                let (x, w) = (&x[i / 5 * 1540..][..1540], &weight[i % 5 * 1540..][..1540]);
                let exact: f32 = x.iter().zip(w).map(|(x, w)| x * w).sum();
                prop_assert!((found - exact).abs() < 1.5, "{} {}", found, exact);
            }
        }

        #[test]
        fn both_layouts_give_the_same_bits(
            (dim_in, dim_out, rows, add) in (1usize..70, 1usize..70, 1usize..14, any::<bool>()), seed in 0u32..1000
        ) {
            let value = |i: usize| ((i as u32 * 7919 + seed * 104_729) % 2003) as f32 / 1000.0 - 1.0;
            let weight: Vec<f32> = (0..dim_in * dim_out).map(value).collect();
            let x: Vec<f32> = (0..dim_in * rows).map(|i| value(i + 13)).collect();
            let bias: Vec<f32> = (0..dim_out).map(|i| value(i + 29)).collect();
            let tiles = Int8::new(weight.clone(), dim_in, QuantHints::default()).unwrap();
            let whole: Vec<i8> = weight.chunks_exact(dim_in).flat_map(|row| quantized(row).0).collect();
            let packed = PackedInt8::packed(&whole, dim_in).unwrap();
            let packed = Int8 { weight: packed, ..Int8::new(weight, dim_in, QuantHints::default()).unwrap() };
            let [mut one, mut other] = [(); 2].map(|()| vec![0.25f32; rows * dim_out]);
            tiles.multiply(&x, dim_in, &bias, add, &mut one).unwrap();
            packed.multiply(&x, dim_in, &bias, add, &mut other).unwrap();
            prop_assert_eq!(one, other);
        }
    }
}
