use super::product::{matrix, multiply};
use crate::Result;
use crate::architecture::Heads;
use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::Softmax;
use std::ops::Range;

/// Queries worked on together: their scores stay in the cache however long the text is.
const BLOCK: usize = 128;

/// One text of a packed batch.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// Its first packed token.
    pub(super) token: usize,
    /// Its tokens.
    pub(super) length: usize,
    /// Those of its tokens that look around, counted from its first.
    pub(super) queries: Range<usize>,
}

/// Attention within each text: packed queries, keys and values `[tokens, width]` side by side, to what each query
/// gathered, text after text, in each head after head `[query, queries, dim]`.
pub(super) fn attend(qkv: &[f32], spans: &[Span], heads: Heads, out: &mut [f32]) -> Result<()> {
    let mut tasks = Vec::with_capacity(spans.len() * heads.key);
    let mut rest = out;
    for span in spans {
        for key in 0..heads.key {
            let size = span.queries.len() * heads.query / heads.key * heads.dim;
            let (part, others) = rest.split_at_mut(size);
            tasks.push((span, key, part));
            rest = others;
        }
    }
    tasks
        .into_par_iter()
        .try_for_each_init(Vec::new, |scores, (span, key, part)| share(qkv, span, key, heads, scores, part))
}

/// The query heads that share one key head: `[query / key, queries, dim]`.
fn share(
    qkv: &[f32],
    span: &Span,
    key: usize,
    heads: Heads,
    scores: &mut Vec<f32>,
    out: &mut [f32],
) -> Result<()> {
    let (width, dim) = (heads.width(), heads.dim);
    let head = |row: usize, head: usize| &qkv[(span.token + row) * width + head * dim..];
    let (group, scale) = (heads.query / heads.key, 1.0 / (dim as f32).sqrt());
    for (query, out) in out.chunks_exact_mut(span.queries.len() * dim).enumerate() {
        let blocks = span.queries.clone().step_by(BLOCK).zip(out.chunks_mut(BLOCK * dim));
        for (first, out) in blocks {
            let rows = out.len() / dim;
            let seen = if heads.causal { first + rows } else { span.length };
            let queries = matrix(head(first, key * group + query), rows, dim, width)?;
            let keys = matrix(head(0, heads.query + key), seen, dim, width)?;
            let values = matrix(head(0, heads.query + heads.key + key), seen, dim, width)?;
            scores.resize(rows * seen, 0.0);
            multiply(scores, queries, keys.transposed(), scale)?;
            for (i, row) in scores.chunks_exact_mut(seen).enumerate() {
                let (past, future) = row.split_at_mut(if heads.causal { first + i + 1 } else { seen });
                Softmax::new_mut(past).dispatch();
                future.fill(0.0);
            }
            multiply(out, matrix(scores, rows, seen, seen)?, values, 1.0)?;
        }
    }
    Ok(())
}
