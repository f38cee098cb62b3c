use super::attention::{Attention, CachedKeysValues, Span};
use super::position_bias::PositionBias;
use crate::Result;
use crate::architecture::Heads;
use crate::batch::Batch;
use crate::kv_cache::{HeadCache, KvCache};
use rayon::prelude::*;

/// Rows that pass together through all steps between two attentions: what they need stays in a core's own cache.
const ROWS: usize = 66;
/// Rows a product takes at a time.
const TILE: usize = 6;

/// The layers of a model, but for attention: every step works on each token alone, so rows are cut among threads.
pub(super) trait Layers: Sync {
    /// Number of layers.
    fn count(&self) -> usize;
    /// Heads of each.
    fn heads(&self) -> Heads;
    /// What their attention adds to scores.
    fn bias(&self) -> Option<&PositionBias> {
        None
    }
    /// The farthest token that a token of a layer sees; none where it sees all.
    fn window(&self, _layer: usize) -> Option<usize> {
        None
    }
    /// Queries, keys and values side by side, `[rows, width]`, of states `[rows, hidden]` before a layer; `first` is
    /// the packed token of the first row.
    fn project(&self, layer: usize, states: &[f32], first: usize, qkv: &mut [f32]) -> Result<()>;
    /// Makes states before a layer those after it, from what its attention gave, `[rows, query * dim]`; `spare` is a
    /// buffer for whatever comes in between.
    fn finish(&self, layer: usize, states: &mut [f32], attended: &[f32], spare: &mut Vec<f32>) -> Result<()>;
}

/// Runs packed states `[tokens, hidden]` of a batch through all layers. Where only one token of each text is kept, the
/// last layer computes no other: `[texts, hidden]`. Keys and values are appended to the cache, if there is one.
pub(super) fn run(
    layers: &impl Layers,
    mut states: Vec<f32>,
    batch: &Batch<'_>,
    mut cache: Option<&mut KvCache>,
) -> Result<Vec<f32>> {
    let tokens = batch.ids.len();
    let (heads, hidden) = (layers.heads(), states.len() / tokens);
    let (width, gathers) = (heads.width(), heads.query * heads.dim);
    let kept = batch.rows();
    let mut spans = spans(batch.lengths);
    let rows = tokens.div_ceil(rayon::current_num_threads()).next_multiple_of(TILE).min(ROWS);
    let mut qkv = vec![0f32; tokens * width];
    let mut found = vec![0f32; tokens * gathers];
    let parts = states.par_chunks(rows * hidden).zip(qkv.par_chunks_mut(rows * width)).enumerate();
    parts.try_for_each(|(i, (states, qkv))| layers.project(0, states, i * rows, qkv))?;
    for layer in 0..layers.count() {
        let last = layer + 1 == layers.count();
        if let Some(kept) = kept.as_ref().filter(|_| last) {
            states = kept.iter().flat_map(|&k| &states[k * hidden..(k + 1) * hidden]).copied().collect();
            found.truncate(kept.len() * gathers);
            for (span, &k) in spans.iter_mut().zip(kept) {
                span.queries = k - span.token..k - span.token + 1;
            }
        }
        let cached = match (&mut cache, batch.prefix) {
            (Some(cache), _) => {
                CachedKeysValues::Sequence(append(cache.heads_mut(layer, heads.key)?, &qkv, heads))
            }
            (None, Some(prefix)) => CachedKeysValues::Prefix(prefix.heads(layer)?),
            (None, None) => CachedKeysValues::Prefix(&[]),
        };
        let attention = Attention { heads, cached, bias: layers.bias(), window: layers.window(layer) };
        attention.forward(&qkv, &spans, &mut found)?;
        let strides = head_strides(&spans, heads);
        let parts = states.par_chunks_mut(rows * hidden).zip(qkv.par_chunks_mut(rows * width)).enumerate();
        parts.try_for_each_init(Default::default, |(attended, spare), (i, (states, qkv))| {
            let strides = &strides[i * rows..][..states.len() / hidden];
            gather(&found, strides, heads, attended);
            layers.finish(layer, states, attended, spare)?;
            if last { Ok(()) } else { layers.project(layer + 1, states, i * rows, qkv) }
        })?;
    }
    if let Some(cache) = cache {
        cache.advance(tokens);
    }
    Ok(states)
}

/// Appends keys and values of packed tokens, `[tokens, width]` behind their queries, to those of each head.
fn append<'a>(cache: &'a mut [HeadCache], qkv: &[f32], heads: Heads) -> &'a [HeadCache] {
    for (i, head) in cache.iter_mut().enumerate() {
        let part = |head: usize| head * heads.dim..(head + 1) * heads.dim;
        let (key, value) = (part(heads.query + i), part(heads.query + heads.key + i));
        for row in qkv.chunks_exact(heads.width()) {
            head.keys.extend_from_slice(&row[key.clone()]);
            head.values.extend_from_slice(&row[value.clone()]);
        }
    }
    cache
}

fn spans(lengths: &[usize]) -> Vec<Span> {
    let starts = lengths.iter().scan(0, |next, &length| {
        *next += length;
        Some(*next - length)
    });
    starts.zip(lengths).map(|(token, &length)| Span { token, length, queries: 0..length }).collect()
}

/// Where a query's part of the first head stands, and how far from there to its part of the next.
#[derive(Clone, Copy)]
struct HeadStride {
    first: usize,
    step: usize,
}

/// In units of one head's vector, query after query.
fn head_strides(spans: &[Span], heads: Heads) -> Vec<HeadStride> {
    let starts = spans.iter().scan(0, |next, span| {
        *next += span.queries.len();
        Some((*next - span.queries.len(), span.queries.len()))
    });
    starts
        .flat_map(|(start, n)| (0..n).map(move |i| HeadStride { first: start * heads.query + i, step: n }))
        .collect()
}

/// The heads of each query side by side, `[rows, query * dim]`.
fn gather(found: &[f32], strides: &[HeadStride], heads: Heads, gathered: &mut Vec<f32>) {
    gathered.clear();
    for stride in strides {
        for head in 0..heads.query {
            let at = (stride.first + head * stride.step) * heads.dim;
            gathered.extend_from_slice(&found[at..at + heads.dim]);
        }
    }
}
