use super::dropout::{Dropout, Mask, Site};
use super::sums::dot;
use crate::Result;
use crate::architecture::Heads;
use crate::native::product::{add, matrix, multiply};
use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::Softmax;
use std::ops::Range;

/// Queries worked on together: their weights, and the gradient of those, stay in a core's second cache.
const BLOCK: usize = 128;

/// Attention of one layer in both directions. Of a forward pass nothing is kept but queries, keys, values and their
/// context: the weights are computed again in the backward pass.
pub(super) struct Attention<'a> {
    pub(super) heads: Heads,
    /// The tokens of each text.
    pub(super) spans: &'a [Range<usize>],
    pub(super) dropout: Option<&'a Dropout>,
    pub(super) layer: usize,
}

/// A head of a text.
#[derive(Clone, Copy)]
struct Task<'a> {
    span: &'a Range<usize>,
    head: usize,
    /// Its number in the batch.
    part: usize,
}

#[derive(Default)]
struct Scratch {
    weights: Vec<f32>,
    d_weights: Vec<f32>,
    transposed: Vec<f32>,
}

impl Attention<'_> {
    /// Queries, keys and values side by side, `[tokens, 3 * hidden]`, to what each query attends to, `[tokens, hidden]`;
    /// `heads` is memory of that size.
    pub(super) fn forward(&self, qkv: &[f32], heads: &mut [f32], out: &mut [f32]) -> Result<()> {
        self.each(heads, 1, |task, scratch, part| self.attend(qkv, task, scratch, part))?;
        self.rows(heads, 1, out);
        Ok(())
    }

    /// From the gradient of the context that of queries, keys and values, `[tokens, 3 * hidden]`; `heads` is memory
    /// of that size.
    pub(super) fn backward(
        &self,
        (qkv, context, gradient): (&[f32], &[f32], &[f32]),
        heads: &mut [f32],
        out: &mut [f32],
    ) -> Result<()> {
        self.each(heads, 3, |task, scratch, part| {
            self.attend_backward((qkv, context, gradient), task, scratch, part)
        })?;
        self.rows(heads, 3, out);
        Ok(())
    }

    /// Runs `run` for each head of each text, on its part of `memory`, `[sections, length, dim]`.
    fn each(
        &self,
        memory: &mut [f32],
        sections: usize,
        run: impl Fn(Task<'_>, &mut Scratch, &mut [f32]) -> Result<()> + Sync,
    ) -> Result<()> {
        let mut tasks = Vec::with_capacity(self.spans.len() * self.heads.query);
        let mut rest = memory;
        for span in self.spans {
            for head in 0..self.heads.query {
                let (part, others) = rest.split_at_mut(sections * span.len() * self.heads.dim);
                tasks.push((Task { span, head, part: tasks.len() }, part));
                rest = others;
            }
        }
        tasks
            .into_par_iter()
            .try_for_each_init(Scratch::default, |scratch, (task, part)| run(task, scratch, part))
    }

    /// Lays `[head, sections, length, dim]` of each text out as rows `[tokens, sections * hidden]`.
    fn rows(&self, memory: &[f32], sections: usize, out: &mut [f32]) {
        let (heads, dim) = (self.heads.query, self.heads.dim);
        let width = sections * heads * dim;
        let positions: Vec<(usize, usize, usize)> =
            self.spans.iter().flat_map(|s| (0..s.len()).map(move |i| (s.start, s.len(), i))).collect();
        out.par_chunks_exact_mut(width).zip(positions).for_each(|(row, (start, length, i))| {
            for (at, out) in row.chunks_exact_mut(dim).enumerate() {
                let (kind, head) = (at / heads, at % heads);
                let from = start * width + ((head * sections + kind) * length + i) * dim;
                out.copy_from_slice(&memory[from..from + dim]);
            }
        });
    }

    fn mask(&self, task: Task<'_>) -> Option<Mask> {
        self.dropout.and_then(|dropout| dropout.mask(Site::Attention(self.layer), task.part))
    }

    /// The blocks of a text's queries.
    fn blocks(length: usize) -> impl Iterator<Item = Range<usize>> {
        (0..length).step_by(BLOCK).map(move |first| first..length.min(first + BLOCK))
    }

    /// Weights of a block of queries over all tokens of their text, `[block, length]`, none left out.
    fn weigh(&self, qkv: &[f32], task: Task<'_>, block: &Range<usize>, weights: &mut Vec<f32>) -> Result<()> {
        let (dim, width, length) = (self.heads.dim, self.heads.width(), task.span.len());
        let queries = &qkv[(task.span.start + block.start) * width + task.head * dim..];
        let keys = &qkv[task.span.start * width + (self.heads.query + task.head) * dim..];
        weights.resize(block.len() * length, 0.0);
        let keys = matrix(keys, length, dim, width)?.transposed();
        multiply(weights, matrix(queries, block.len(), dim, width)?, keys, self.scale())?;
        weights.chunks_exact_mut(length).for_each(|row| {
            Softmax::new_mut(row).dispatch();
        });
        Ok(())
    }

    fn scale(&self) -> f32 {
        1.0 / (self.heads.dim as f32).sqrt()
    }

    fn attend(&self, qkv: &[f32], task: Task<'_>, scratch: &mut Scratch, out: &mut [f32]) -> Result<()> {
        let (dim, width, length) = (self.heads.dim, self.heads.width(), task.span.len());
        let values = &qkv[task.span.start * width + (2 * self.heads.query + task.head) * dim..];
        let values = matrix(values, length, dim, width)?;
        let mut mask = self.mask(task);
        for (block, out) in Self::blocks(length).zip(out.chunks_mut(BLOCK * dim)) {
            self.weigh(qkv, task, &block, &mut scratch.weights)?;
            if let Some(mask) = &mut mask {
                mask.apply(&mut scratch.weights);
            }
            multiply(out, matrix(&scratch.weights, block.len(), length, length)?, values, 1.0)?;
        }
        Ok(())
    }

    /// With weights P, those kept P', and the gradient dO of their context: dV = P'ᵀ dO, dP = dO Vᵀ where kept,
    /// dS = P (dP − Σ dO O), dQ = dS K, dK = dSᵀ Q.
    fn attend_backward(
        &self,
        (qkv, context, gradient): (&[f32], &[f32], &[f32]),
        task: Task<'_>,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<()> {
        let (dim, width, length) = (self.heads.dim, self.heads.width(), task.span.len());
        let (hidden, start) = (self.heads.query * dim, task.span.start);
        let part = |kind: usize| &qkv[start * width + (kind * self.heads.query + task.head) * dim..];
        let of = |rows: &'_ [f32], i: usize| (start + i) * hidden + task.head * dim..rows.len();
        let (d_queries, rest) = out.split_at_mut(length * dim);
        let (d_keys, d_values) = rest.split_at_mut(length * dim);
        let Scratch { weights, d_weights, transposed } = scratch;
        transposed.clear();
        transposed.resize(2 * length * dim, 0.0); // dK and dV, each [dim, length]
        let (d_keys_t, d_values_t) = transposed.split_at_mut(length * dim);
        let (mut mask, scale) = (self.mask(task), self.scale());
        for block in Self::blocks(length) {
            let rows = block.len();
            self.weigh(qkv, task, &block, weights)?;
            let d_out = matrix(&gradient[of(gradient, block.start)], rows, dim, hidden)?;
            d_weights.resize(rows * length, 0.0);
            multiply(d_weights, d_out, matrix(part(2), length, dim, width)?.transposed(), 1.0)?;
            let kept = mask.as_mut().map(|mask| {
                let mut kept = vec![1.0; rows * length];
                mask.apply(&mut kept);
                kept
            });
            if let Some(kept) = &kept {
                d_weights.iter_mut().zip(kept).for_each(|(d, kept)| *d *= kept);
            }
            let pairs = d_weights.chunks_exact_mut(length).zip(weights.chunks_exact(length));
            for (i, (d_weights, weights)) in block.clone().zip(pairs) {
                let d_out = &gradient[of(gradient, i)][..dim];
                let mean = dot(d_out, &context[of(context, i)][..dim]);
                d_weights.iter_mut().zip(weights).for_each(|(d, w)| *d = w * (*d - mean) * scale);
            }
            if let Some(kept) = &kept {
                weights.iter_mut().zip(kept).for_each(|(weight, kept)| *weight *= kept);
            }
            let (d_weights, weights) =
                (matrix(d_weights, rows, length, length)?, matrix(weights, rows, length, length)?);
            let queries = matrix(&part(0)[block.start * width..], rows, dim, width)?;
            let d_block = &mut d_queries[block.start * dim..block.end * dim];
            multiply(d_block, d_weights, matrix(part(1), length, dim, width)?, 1.0)?;
            add(d_keys_t, queries.transposed(), d_weights)?;
            add(d_values_t, d_out.transposed(), weights)?;
        }
        transpose(d_keys_t, length, d_keys);
        transpose(d_values_t, length, d_values);
        Ok(())
    }
}

/// `[dim, length]` to `[length, dim]`.
fn transpose(x: &[f32], length: usize, out: &mut [f32]) {
    let dim = x.len() / length;
    for (i, out) in out.chunks_exact_mut(dim).enumerate() {
        out.iter_mut().zip(x.iter().skip(i).step_by(length)).for_each(|(out, v)| *out = *v);
    }
}
