use super::position_bias::PositionBias;
use super::product::{matrix, multiply};
use super::softmax::Exponentials;
use crate::Result;
use crate::architecture::Heads;
use crate::kv_cache::HeadCache;
use rayon::prelude::*;
use rten_simd::SimdOp;
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

/// Keys and values from elsewhere, head by head; none where there are no tokens but those of the batch.
#[derive(Clone, Copy)]
pub(super) enum CachedKeysValues<'a> {
    /// Those of the tokens that stand before every text of the batch.
    Prefix(&'a [HeadCache]),
    /// Those of the sequence that the batch's one text continues, its own tokens included.
    Sequence(&'a [HeadCache]),
}

/// Attention within each text of a packed batch.
#[derive(Clone, Copy)]
pub(super) struct Attention<'a> {
    pub(super) heads: Heads,
    pub(super) cached: CachedKeysValues<'a>,
    /// Added to the scores, by how far a key is from its query.
    pub(super) bias: Option<&'a PositionBias>,
    /// The farthest token that a token sees; none where it sees all.
    pub(super) window: Option<usize>,
}

impl Attention<'_> {
    /// Packed queries, keys and values `[tokens, width]` side by side, to what each query attended to, text after text, in
    /// each head after head `[query, queries, dim]`.
    pub(super) fn forward(&self, qkv: &[f32], spans: &[Span], out: &mut [f32]) -> Result<()> {
        let heads = self.heads;
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
        tasks.into_par_iter().try_for_each_init(Scratch::default, |scratch, (span, key, part)| {
            self.group(qkv, span, key, scratch, part)
        })
    }

    /// What a token sees of `length` tokens.
    fn visible(&self, token: usize, length: usize) -> Range<usize> {
        let window = self.window.unwrap_or(usize::MAX);
        let last = if self.heads.causal { token } else { token.saturating_add(window) };
        token.saturating_sub(window)..length.min(last.saturating_add(1))
    }

    /// The query heads that share one key head: `[query / key, queries, dim]`.
    fn group(
        &self,
        qkv: &[f32],
        span: &Span,
        key: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<()> {
        let heads = self.heads;
        let (width, dim) = (heads.width(), heads.dim);
        let head = |row: usize, head: usize| &qkv[(span.token + row) * width + head * dim..];
        let (key_head, value_head) = (heads.query + key, heads.query + heads.key + key);
        let Scratch { scores, shares, joined } = scratch;
        let (keys, values, stride, before) = match self.cached {
            CachedKeysValues::Prefix(prefix) => match prefix.get(key) {
                None => (head(0, key_head), head(0, value_head), width, 0),
                Some(prefix) => {
                    let own = &qkv[span.token * width..(span.token + span.length) * width];
                    join(&mut joined.keys, &prefix.keys, own, width, key_head * dim..(key_head + 1) * dim);
                    join(
                        &mut joined.values,
                        &prefix.values,
                        own,
                        width,
                        value_head * dim..(value_head + 1) * dim,
                    );
                    (&joined.keys[..], &joined.values[..], dim, prefix.keys.len() / dim)
                }
            },
            CachedKeysValues::Sequence(whole) => {
                let HeadCache { keys, values } = &whole[key];
                (&keys[..], &values[..], dim, keys.len() / dim - span.length)
            }
        };
        let (group, scale) = (heads.query / heads.key, 1.0 / (dim as f32).sqrt());
        for (query, out) in out.chunks_exact_mut(span.queries.len() * dim).enumerate() {
            let blocks = span.queries.clone().step_by(BLOCK).zip(out.chunks_mut(BLOCK * dim));
            for (first, out) in blocks {
                let rows = out.len() / dim;
                let range = self.visible(before + first, before + span.length).start
                    ..self.visible(before + first + rows - 1, before + span.length).end;
                let (from, seen) = (range.start, range.len());
                let (keys, values) = (&keys[from * stride..], &values[from * stride..]);
                let queries = matrix(head(first, key * group + query), rows, dim, width)?;
                scores.resize(rows * seen, 0.0);
                multiply(scores, queries, matrix(keys, seen, dim, stride)?.transposed(), scale)?;
                shares.clear();
                for (i, row) in scores.chunks_exact_mut(seen).enumerate() {
                    if let Some(bias) = self.bias {
                        bias.add(key * group + query, first + i - from, row);
                    }
                    let visible = self.visible(before + first + i, before + span.length);
                    let (past, others) = row.split_at_mut(visible.start - from);
                    let (visible, future) = others.split_at_mut(visible.len());
                    shares.push(Exponentials(visible).dispatch());
                    past.fill(0.0);
                    future.fill(0.0);
                }
                multiply(out, matrix(scores, rows, seen, seen)?, matrix(values, seen, dim, stride)?, 1.0)?;
                for (out, share) in out.chunks_exact_mut(dim).zip(shares.iter()) {
                    out.iter_mut().for_each(|v| *v *= share);
                }
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Scratch {
    scores: Vec<f32>,
    shares: Vec<f32>,
    joined: HeadCache,
}

/// One head of the prefix and of a text's own tokens, `[prefix + own, dim]`.
fn join(joined: &mut Vec<f32>, prefix: &[f32], own: &[f32], width: usize, head: Range<usize>) {
    joined.clear();
    joined.extend_from_slice(prefix);
    for row in own.chunks_exact(width) {
        joined.extend_from_slice(&row[head.clone()]);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // what sets a scene is part of a test
mod tests {
    use super::*;

    const DIM: usize = 4;

    /// What a query of one head attends to, key by key.
    fn by_hand(qkv: &[f32], query: usize, keys: impl Iterator<Item = usize>) -> Vec<f32> {
        let row = |token: usize, part: usize| &qkv[(token * 3 + part) * DIM..][..DIM];
        let dot = |key| row(query, 0).iter().zip(row(key, 1)).map(|(a, b)| a * b).sum::<f32>();
        let weights: Vec<(usize, f32)> =
            keys.map(|key| (key, (dot(key) / (DIM as f32).sqrt()).exp())).collect();
        let sum: f32 = weights.iter().map(|(_, weight)| weight).sum();
        let value = |i: usize| weights.iter().map(|(key, weight)| weight / sum * row(*key, 2)[i]).sum();
        (0..DIM).map(value).collect()
    }

    /// Texts longer than a block, so that windows begin behind the first key.
    #[test]
    fn a_token_sees_what_is_in_its_window() {
        let lengths = [3, 300, 1, 129];
        let tokens: usize = lengths.iter().sum();
        let value = |i: usize| ((i * 7919 + 13) % 1009) as f32 / 504.0 - 1.0;
        let qkv: Vec<f32> = (0..tokens * 3 * DIM).map(value).collect();
        let starts = [0, 3, 303, 304];
        let spans: Vec<Span> = starts
            .iter()
            .zip(lengths)
            .map(|(&token, length)| Span { token, length, queries: 0..length })
            .collect();
        for causal in [false, true] {
            for window in [None, Some(0), Some(5), Some(140), Some(usize::MAX)] {
                let heads = Heads { query: 1, key: 1, dim: DIM, causal };
                let attention =
                    Attention { heads, cached: CachedKeysValues::Prefix(&[]), bias: None, window };
                let mut found = vec![0f32; tokens * DIM];
                attention.forward(&qkv, &spans, &mut found).unwrap();
                for (token, found) in found.chunks_exact(DIM).enumerate() {
                    let span = spans.iter().rfind(|span| span.token <= token).unwrap();
                    let far = window.unwrap_or(usize::MAX);
                    let keys = (span.token..span.token + span.length)
                        .filter(|&key| key.abs_diff(token) <= far && !(causal && key > token));
                    for (a, b) in found.iter().zip(by_hand(&qkv, token, keys)) {
                        assert!((a - b).abs() < 1e-5, "token {token}, window {window:?}, causal {causal}");
                    }
                }
            }
        }
    }
}
