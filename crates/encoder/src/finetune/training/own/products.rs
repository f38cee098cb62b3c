use super::parameters;
use crate::Result;
use crate::native::product::{add_packed, matrix, multiply, packed, packed_as_is};
use rayon::prelude::*;
use rten_gemm::PackedBMatrix;

/// Edge of the squares a matrix is transposed by: two of them fit a core's first cache.
const SQUARE: usize = 32;

/// A weight packed out for both directions, anew after each step.
pub(super) struct PackedWeight {
    forward: PackedBMatrix<f32>,
    backward: PackedBMatrix<f32>,
    dim_in: usize,
    dim_out: usize,
}

impl PackedWeight {
    /// Of the weight `[dim_out, dim_in]`.
    pub(super) fn new(weight: &[f32], at: &parameters::Dense) -> Result<Self> {
        let (forward, backward) = (packed(weight, at.dim_in)?, packed_as_is(weight, at.dim_in)?);
        Ok(Self { forward, backward, dim_in: at.dim_in, dim_out: at.dim_out })
    }

    /// `out = x Wᵀ + b`.
    pub(super) fn forward(&self, x: &[f32], bias: &[f32], out: &mut [f32]) -> Result<()> {
        out.chunks_exact_mut(self.dim_out).for_each(|row| row.copy_from_slice(bias));
        add_packed(out, matrix(x, x.len() / self.dim_in, self.dim_in, self.dim_in)?, &self.forward)
    }

    /// Adds `dy W` to `dx`.
    pub(super) fn backward(&self, dy: &[f32], dx: &mut [f32]) -> Result<()> {
        add_packed(dx, matrix(dy, dy.len() / self.dim_out, self.dim_out, self.dim_out)?, &self.backward)
    }
}

/// Memory for one [`outer`] after another.
#[derive(Default)]
pub(super) struct Scratch {
    narrow: Vec<f32>,
    transposed: Vec<f32>,
}

/// The gradient of a weight, `out = dyᵀ x`, `[dim_out, dim_in]`, of `dy` `[tokens, dim_out]` and `x`
/// `[tokens, dim_in]`. The narrower of the two is transposed first, so a product reads both row by row.
pub(super) fn outer(
    dy: (&[f32], usize),
    x: (&[f32], usize),
    out: &mut [f32],
    scratch: &mut Scratch,
) -> Result<()> {
    let ((narrow, rows), (wide, columns)) = if dy.1 <= x.1 { (dy, x) } else { (x, dy) };
    let tokens = narrow.len() / rows;
    scratch.narrow.resize(narrow.len(), 0.0);
    transpose(narrow, rows, &mut scratch.narrow);
    let (a, b) = (matrix(&scratch.narrow, rows, tokens, tokens)?, matrix(wide, tokens, columns, columns)?);
    if dy.1 <= x.1 {
        return multiply(out, a, b, 1.0);
    }
    scratch.transposed.resize(out.len(), 0.0);
    multiply(&mut scratch.transposed, a, b, 1.0)?;
    transpose(&scratch.transposed, columns, out);
    Ok(())
}

/// `x` `[rows, columns]` to `out` `[columns, rows]`.
fn transpose(x: &[f32], columns: usize, out: &mut [f32]) {
    let rows = x.len() / columns;
    out.par_chunks_mut(SQUARE * rows).enumerate().for_each(|(block, out)| {
        let first = block * SQUARE;
        for (start, part) in x.chunks(SQUARE * columns).enumerate().map(|(i, part)| (i * SQUARE, part)) {
            for (j, out) in out.chunks_exact_mut(rows).enumerate() {
                let column = part.iter().skip(first + j).step_by(columns);
                out[start..].iter_mut().zip(column).for_each(|(out, value)| *out = *value);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outer_product_is_the_sum_over_tokens_whichever_side_is_wider() {
        for (dim_out, dim_in, tokens) in [(3, 70, 41), (70, 3, 41), (33, 33, 1), (1, 1, 300)] {
            let dy: Vec<f32> = (0..tokens * dim_out).map(|i| ((i * 7 % 11) as f32) - 5.0).collect();
            let x: Vec<f32> = (0..tokens * dim_in).map(|i| ((i * 5 % 13) as f32) - 6.0).collect();
            let mut found = vec![9.0; dim_out * dim_in];
            outer((&dy, dim_out), (&x, dim_in), &mut found, &mut Scratch::default()).unwrap();
            for (at, found) in found.iter().enumerate() {
                let (o, i) = (at / dim_in, at % dim_in);
                let expected: f32 = (0..tokens).map(|t| dy[t * dim_out + o] * x[t * dim_in + i]).sum();
                assert_eq!(*found, expected, "{dim_out} {dim_in} {tokens} at {o} {i}");
            }
        }
    }
}
