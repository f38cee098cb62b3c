use super::attention::{Span, attend};
use crate::Result;
use crate::architecture::Heads;
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
    /// Queries, keys and values side by side, `[rows, width]`, of states `[rows, hidden]` before a layer; `first` is
    /// the packed token of the first row.
    fn project(&self, layer: usize, states: &[f32], first: usize, qkv: &mut [f32]) -> Result<()>;
    /// Makes states before a layer those after it, from what its attention gathered, `[rows, query * dim]`; `spare` is
    /// a buffer for whatever comes in between.
    fn finish(&self, layer: usize, states: &mut [f32], gathered: &[f32], spare: &mut Vec<f32>) -> Result<()>;
}

/// Queries, keys and values of tokens that stand before other texts, `[tokens, width]`, layer by layer.
pub(crate) struct Past {
    qkv: Vec<Vec<f32>>,
    tokens: usize,
}

impl Past {
    /// Number of tokens.
    pub(crate) fn tokens(&self) -> usize {
        self.tokens
    }
}

/// Runs the states of one text through all layers, and keeps what those who come after it will ask for.
pub(super) fn past(layers: &impl Layers, states: Vec<f32>, tokens: usize) -> Result<Past> {
    let mut qkv = Vec::with_capacity(layers.count());
    walk(layers, states, &[tokens], None, None, |found| qkv.push(found.to_vec()))?;
    Ok(Past { qkv, tokens })
}

/// Runs packed states `[tokens, hidden]` of texts of these lengths through all layers. Where only one token of each
/// text is `kept`, the last layer computes no other: `[texts, hidden]`. The tokens of `past` stand before each text.
pub(super) fn run(
    layers: &impl Layers,
    states: Vec<f32>,
    lengths: &[usize],
    past: Option<&Past>,
    kept: Option<&[usize]>,
) -> Result<Vec<f32>> {
    walk(layers, states, lengths, past, kept, |_| ())
}

fn walk(
    layers: &impl Layers,
    mut states: Vec<f32>,
    lengths: &[usize],
    past: Option<&Past>,
    kept: Option<&[usize]>,
    mut seen: impl FnMut(&[f32]),
) -> Result<Vec<f32>> {
    let tokens: usize = lengths.iter().sum();
    let (heads, hidden) = (layers.heads(), states.len() / tokens);
    let (width, gathers) = (heads.width(), heads.query * heads.dim);
    let mut spans = spans(lengths);
    let rows = tokens.div_ceil(rayon::current_num_threads()).next_multiple_of(TILE).min(ROWS);
    let mut qkv = vec![0f32; tokens * width];
    let mut found = vec![0f32; tokens * gathers];
    let parts = states.par_chunks(rows * hidden).zip(qkv.par_chunks_mut(rows * width)).enumerate();
    parts.try_for_each(|(i, (states, qkv))| layers.project(0, states, i * rows, qkv))?;
    for layer in 0..layers.count() {
        let last = layer + 1 == layers.count();
        if let Some(kept) = kept.filter(|_| last) {
            states = kept.iter().flat_map(|&k| &states[k * hidden..(k + 1) * hidden]).copied().collect();
            found.truncate(kept.len() * gathers);
            for (span, &k) in spans.iter_mut().zip(kept) {
                span.queries = k - span.token..k - span.token + 1;
            }
        }
        seen(&qkv);
        attend(&qkv, past.map_or(&[], |past| &past.qkv[layer]), &spans, heads, &mut found)?;
        let places = places(&spans, heads);
        let parts = states.par_chunks_mut(rows * hidden).zip(qkv.par_chunks_mut(rows * width)).enumerate();
        parts.try_for_each_init(Default::default, |(gathered, spare), (i, (states, qkv))| {
            let places = &places[i * rows..][..states.len() / hidden];
            gather(&found, places, heads, gathered);
            layers.finish(layer, states, gathered, spare)?;
            if last { Ok(()) } else { layers.project(layer + 1, states, i * rows, qkv) }
        })?;
    }
    Ok(states)
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
struct Place {
    at: usize,
    step: usize,
}

/// Places in units of one head's vector, query after query.
fn places(spans: &[Span], heads: Heads) -> Vec<Place> {
    let starts = spans.iter().scan(0, |next, span| {
        *next += span.queries.len();
        Some((*next - span.queries.len(), span.queries.len()))
    });
    starts
        .flat_map(|(start, n)| (0..n).map(move |i| Place { at: start * heads.query + i, step: n }))
        .collect()
}

/// The heads of each query side by side, `[rows, query * dim]`.
fn gather(found: &[f32], places: &[Place], heads: Heads, gathered: &mut Vec<f32>) {
    gathered.clear();
    for place in places {
        for head in 0..heads.query {
            let at = (place.at + head * place.step) * heads.dim;
            gathered.extend_from_slice(&found[at..at + heads.dim]);
        }
    }
}
