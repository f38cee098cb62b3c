use super::dense::Care;
use super::product::{matrix, packed, product, wrong};
use super::rounding::quantized;
use super::rows::{Range, Scaled, Sum, Times};
use crate::Result;
use rayon::prelude::*;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::SimdOp;
use rten_vecmath::{ExtendInit, Quantize};
use std::cell::Cell;

thread_local! {
    static PRODUCTS: GemmExecutor<u8, i8, i32> = GemmExecutor::new();
    static SPARE: Cell<Spare> = Cell::default();
}

/// Buffers kept from product to product, so that nobody fills them with zeros.
#[derive(Default)]
struct Spare {
    shrunk: Vec<f32>,
    inputs: Vec<u8>,
    sums: Vec<i32>,
    part: Vec<f32>,
}

/// Standard deviations a normalised input is expected to reach.
const REACH: f32 = 3.0;

/// A weight as int8 with a scale for each row (of `[dim_out, dim_in]`), for products in integers with inputs quantised
/// to 8 bits token by token.
///
/// Older x86 kernels add the products of two neighbours in 16 bits and cut what does not fit. So no two neighbours of
/// one sign sum to more than 128: then nothing is ever cut, whatever the input, and all CPUs compute the same.
pub(super) struct Int8 {
    weight: PackedBMatrix<i8>,
    scales: Vec<f32>,
    totals: Vec<i32>,                  // the sum of each row
    shrink: Option<Vec<f32>>,          // what each input is multiplied by before it is quantised
    exact: Option<PackedBMatrix<f32>>, // the last outputs, in `f32`
    dim_in: usize,
}

impl Int8 {
    /// Of values `[dim_out, dim_in]`. Where the inputs come from a normalisation, its scale and shift say how large each
    /// of them gets; large inputs are made smaller and their weights larger, so that both lose less.
    pub(super) fn new(mut values: Vec<f32>, dim_in: usize, care: Care<'_>) -> Result<Self> {
        let exact = values.split_off(values.len() - care.exact * dim_in);
        let exact = (care.exact > 0).then(|| packed(&exact, dim_in)).transpose()?;
        let shrink = care.norm.map(|(gamma, beta)| {
            let mut largest = vec![f32::MIN_POSITIVE; dim_in];
            for row in values.chunks_exact(dim_in) {
                largest.iter_mut().zip(row).for_each(|(most, v)| *most = most.max(v.abs()));
            }
            let inputs =
                gamma.iter().zip(beta).map(|(g, b)| (REACH * g.abs() + b.abs()).max(f32::MIN_POSITIVE));
            largest.iter().zip(inputs).map(|(weight, input)| (weight / input).sqrt()).collect::<Vec<f32>>()
        });
        if let Some(shrink) = &shrink {
            for row in values.chunks_exact_mut(dim_in) {
                row.iter_mut().zip(shrink).for_each(|(v, shrink)| *v /= shrink);
            }
        }
        let rows: Vec<(Vec<i8>, f32)> = values.par_chunks_exact(dim_in).map(quantized).collect();
        let (rows, scales): (Vec<_>, Vec<f32>) = rows.into_iter().unzip();
        let totals = rows.iter().map(|row| row.iter().map(|&v| i32::from(v)).sum()).collect();
        let rows = rows.concat();
        let rows = matrix(&rows, scales.len(), dim_in, dim_in)?;
        let weight = PRODUCTS.with(|p| p.prepack_b(rows.transposed()));
        Ok(Self { weight, scales, totals, shrink, exact, dim_in })
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
        let (whole, exact) = (self.scales.len(), self.exact.as_ref().map_or(0, PackedBMatrix::cols));
        let rows = out.len() / (whole + exact);
        let mut spare = SPARE.take(); // not borrowed: another task may come in between, on this thread
        let Spare { shrunk, inputs, sums, part } = &mut spare;
        if let Some(weight) = &self.exact {
            product(at_least(part, rows * exact), matrix(x, rows, self.dim_in, stride)?, weight)?;
        }
        inputs.clear();
        inputs.reserve(rows * self.dim_in);
        let mut grids = Vec::with_capacity(rows);
        for row in x.chunks(stride).map(|row| &row[..self.dim_in]) {
            let row = match &self.shrink {
                None => row,
                Some(factors) => {
                    let out = at_least(shrunk, self.dim_in);
                    Times { row, factors, out }.dispatch();
                    out
                }
            };
            let (step, zero) = grid(row);
            inputs.extend_init(|space| {
                Quantize::new(row, &mut space[..row.len()], 1.0 / step, zero).dispatch()
            });
            grids.push((i32::from(zero), step));
        }
        let sums = at_least(sums, rows * whole);
        let inputs = GemmInputA::Unpacked(matrix(inputs, rows, self.dim_in, self.dim_in)?);
        PRODUCTS
            .with(|p| p.gemm(sums, inputs, GemmInputB::Packed(&self.weight), GemmOptions::default()))
            .map_err(wrong)?;
        // What the zeros add is taken off here: rten-gemm 0.24 takes off a wrong amount from inputs over 1,024 long.
        let (totals, scales) = (&self.totals, &self.scales);
        let (bias, last_bias) = bias.split_at(whole);
        for (i, (out, grid)) in out.chunks_exact_mut(whole + exact).zip(grids).enumerate() {
            let (out, last) = out.split_at_mut(whole);
            Scaled { sums: &sums[i * whole..][..whole], totals, scales, grid, bias, add, out }.dispatch();
            Sum { row: &part[i * exact..][..exact], bias: last_bias, add, out: last }.dispatch();
        }
        SPARE.set(spare);
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

/// The step between the 256 values of a row's grid, and which of them is zero.
fn grid(row: &[f32]) -> (f32, u8) {
    let (least, most) = Range(row).dispatch();
    if least == most {
        return (1.0, 0);
    }
    let step = (most - least) / 255.0;
    (step, (-least / step).round() as u8)
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
            let int8 = Int8::new(weight.clone(), 1540, Care::default()).unwrap();
            let mut found = vec![0f32; 7 * 5];
            int8.multiply(&x, 1540, &[0.0; 5], false, &mut found).unwrap();
            for (i, found) in found.iter().enumerate() {
                let (x, w) = (&x[i / 5 * 1540..][..1540], &weight[i % 5 * 1540..][..1540]);
                let exact: f32 = x.iter().zip(w).map(|(x, w)| x * w).sum();
                prop_assert!((found - exact).abs() < 1.5, "{} {}", found, exact);
            }
        }
    }
}
