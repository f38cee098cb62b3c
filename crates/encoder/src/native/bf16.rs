use super::product::{matrix, multiply};
use crate::Result;
use half::bf16;
use rayon::prelude::*;

/// Outputs whose weights are made `f32` together: they stay in a core's own cache until they are used.
const BLOCK: usize = 64;

/// A weight held as bf16: half the memory of `f32`, made `f32` again, block by block, for each product.
pub(super) struct Bf16 {
    blocks: Vec<Vec<bf16>>, // [dim_in, up to BLOCK outputs] each
    dim_in: usize,
    dim_out: usize,
}

impl Bf16 {
    /// Of values `[dim_out, dim_in]`.
    pub(super) fn new(values: &[f32], dim_in: usize) -> Self {
        let block = |rows: &[f32]| -> Vec<bf16> {
            let column = |i: usize| rows.iter().skip(i).step_by(dim_in).map(|v| bf16::from_f32(*v));
            (0..dim_in).flat_map(column).collect()
        };
        let blocks = values.par_chunks(BLOCK * dim_in).map(block).collect();
        Self { blocks, dim_in, dim_out: values.len() / dim_in }
    }

    /// Adds `x W` to `out`.
    pub(super) fn add(&self, x: &[f32], stride: usize, out: &mut [f32]) -> Result<()> {
        let x = matrix(x, out.len() / self.dim_out, self.dim_in, stride)?;
        let (mut weight, mut part) = (Vec::new(), Vec::new());
        for (i, block) in self.blocks.iter().enumerate() {
            let columns = block.len() / self.dim_in;
            weight.clear();
            weight.extend(block.iter().map(|v| f32::from_bits(u32::from(v.to_bits()) << 16)));
            part.resize(out.len() / self.dim_out * columns, 0.0);
            multiply(&mut part, x, matrix(&weight, self.dim_in, columns, columns)?, 1.0)?;
            for (out, part) in out.chunks_exact_mut(self.dim_out).zip(part.chunks_exact(columns)) {
                out[i * BLOCK..].iter_mut().zip(part).for_each(|(out, part)| *out += part);
            }
        }
        Ok(())
    }
}
