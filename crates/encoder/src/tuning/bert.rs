use super::dropout::{Dropout, Site};
use super::layer::{Kept, LaidLayer, Layer, Learns, Memory, ROWS};
use super::norm::{LayerNorm, Normed};
use super::plan::Plan;
use crate::architecture::bert::Config;
use crate::checkpoint::Checkpoint;
use crate::{Pooling, Result};
use rayon::prelude::*;
use std::ops::Range;

/// A BERT that learns: the same steps as the one that only encodes, and the way back through them.
pub(super) struct Bert {
    pub(super) config: Config,
    pub(super) plan: Plan,
    /// All its values, as the plan lays them out.
    pub(super) values: Vec<f32>,
    pooling: Pooling,
    laid: Vec<LaidLayer>,
    /// Which matrices of each layer learn, and whether anything else does.
    learns: Vec<Learns>,
    all: bool,
}

/// One batch on its way through the model, and the memory it leaves to the next.
#[derive(Default)]
pub(super) struct Pass {
    ids: Vec<u32>,
    spans: Vec<Range<usize>>,
    dropout: Option<Dropout>,
    words: Normed,
    states: Vec<Vec<f32>>, // before each layer and after the last, [tokens, hidden]
    kept: Vec<Kept>,
    memory: Memory,
}

impl Bert {
    pub(super) fn load(
        config: &Config,
        checkpoint: &Checkpoint,
        pooling: Pooling,
        learns: Option<Learns>,
    ) -> Result<Self> {
        let plan = Plan::new(config);
        let mut values = Vec::with_capacity(plan.len());
        for tensor in &plan.tensors {
            values.extend(checkpoint.values(&tensor.name, &tensor.shape)?);
        }
        let every = Learns { qkv: true, out: true, up: true, down: true };
        let learns_each = vec![learns.unwrap_or(every); plan.layers.len()];
        let mut bert = Self {
            config: config.clone(),
            plan,
            values,
            pooling,
            laid: Vec::new(),
            learns: learns_each,
            all: learns.is_none(),
        };
        bert.lay_out()?;
        Ok(bert)
    }

    /// Lays its weights out anew, after they changed.
    pub(super) fn lay_out(&mut self) -> Result<()> {
        let laid = self.plan.layers.par_iter().map(|at| LaidLayer::new(&self.values, at));
        self.laid = laid.collect::<Result<_>>()?;
        Ok(())
    }

    /// Pooled states of texts, `[texts, hidden]`.
    pub(super) fn forward(
        &self,
        texts: &[&[u32]],
        dropout: Option<Dropout>,
        pass: &mut Pass,
    ) -> Result<Vec<f32>> {
        pass.take(texts, dropout, self.plan.layers.len());
        let mut states = std::mem::take(&mut pass.states);
        self.embed(pass, &mut states[0]);
        for (i, kept) in pass.kept.iter_mut().enumerate() {
            let (before, after) = states.split_at_mut(i + 1);
            let layer = self.layer(i, &pass.spans, pass.dropout.as_ref());
            layer.forward(&before[i], kept, &mut pass.memory, &mut after[0])?;
        }
        let last = states.last().map_or(&[][..], |states| states);
        let pooled = pass.spans.iter().flat_map(|span| self.pool(last, span)).collect();
        pass.states = states;
        Ok(pooled)
    }

    /// From the gradient of the pooled states that of every value, to `gradient`.
    pub(super) fn backward(&self, pass: &mut Pass, pooled: &[f32], gradient: &mut [f32]) -> Result<()> {
        gradient.fill(0.0);
        let hidden = self.config.hidden_size;
        let mut states = vec![0f32; pass.ids.len() * hidden];
        for (span, slope) in pass.spans.iter().zip(pooled.chunks_exact(hidden)) {
            let (rows, share) = self.pooled(span);
            for row in states[rows.start * hidden..rows.end * hidden].chunks_exact_mut(hidden) {
                row.iter_mut().zip(slope).for_each(|(state, slope)| *state = slope * share);
            }
        }
        for (i, kept) in pass.kept.iter().enumerate().rev() {
            let layer = self.layer(i, &pass.spans, pass.dropout.as_ref());
            layer.backward(&pass.states[i], kept, &mut pass.memory, &mut states, gradient)?;
        }
        if self.all {
            self.unembed(pass, &mut states, gradient);
        }
        Ok(())
    }

    /// Which rows of a text its vector is the sum of, and the share of each.
    fn pooled(&self, span: &Range<usize>) -> (Range<usize>, f32) {
        match self.pooling {
            Pooling::Mean => (span.clone(), 1.0 / span.len() as f32),
            Pooling::Cls => (span.start..span.start + 1, 1.0),
            Pooling::LastToken => (span.end - 1..span.end, 1.0),
        }
    }

    fn pool(&self, states: &[f32], span: &Range<usize>) -> Vec<f32> {
        let hidden = self.config.hidden_size;
        let (rows, share) = self.pooled(span);
        let mut sum = vec![0f32; hidden];
        for row in states[rows.start * hidden..rows.end * hidden].chunks_exact(hidden) {
            sum.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
        }
        sum.iter_mut().for_each(|sum| *sum *= share);
        sum
    }

    fn layer<'a>(
        &'a self,
        number: usize,
        spans: &'a [Range<usize>],
        dropout: Option<&'a Dropout>,
    ) -> Layer<'a> {
        Layer {
            at: &self.plan.layers[number],
            values: &self.values,
            laid: &self.laid[number],
            number,
            heads: self.config.heads(),
            activation: self.config.activation,
            epsilon: self.config.layer_norm_eps as f32,
            spans,
            dropout,
            learns: self.learns[number],
        }
    }

    fn norm(&self) -> LayerNorm<'_> {
        let at = &self.plan.norm;
        LayerNorm {
            gamma: &self.values[at.gamma.clone()],
            beta: &self.values[at.beta.clone()],
            epsilon: self.config.layer_norm_eps as f32,
        }
    }

    fn embed(&self, pass: &mut Pass, states: &mut Vec<f32>) {
        let hidden = self.config.hidden_size;
        states.resize(pass.ids.len() * hidden, 0.0);
        pass.words.resize(pass.ids.len(), hidden);
        let (words, places) =
            (&self.values[self.plan.words.clone()], &self.values[self.plan.positions.clone()]);
        let kind = &self.values[self.plan.kinds.clone()][..hidden];
        let norm = self.norm();
        let (positions, dropout) = (pass.positions(), pass.dropout.as_ref());
        let rows = (
            states.par_chunks_mut(ROWS * hidden),
            pass.words.rows.par_chunks_mut(ROWS * hidden),
            pass.words.scales.par_chunks_mut(ROWS),
            pass.ids.par_chunks(ROWS),
            positions.par_chunks(ROWS),
        );
        rows.into_par_iter().enumerate().for_each(|(part, (states, normed, scales, ids, positions))| {
            for ((row, &id), &place) in states.chunks_exact_mut(hidden).zip(ids).zip(positions) {
                let (word, place) = (&words[id as usize * hidden..], &places[place * hidden..]);
                for (out, ((word, place), kind)) in row.iter_mut().zip(word.iter().zip(place).zip(kind)) {
                    *out = word + place + kind;
                }
            }
            norm.forward(states, normed, scales);
            if let Some(mut mask) = dropout.and_then(|d| d.mask(Site::Words, part)) {
                mask.apply(states);
            }
        });
    }

    fn unembed(&self, pass: &Pass, states: &mut [f32], gradient: &mut [f32]) {
        let hidden = self.config.hidden_size;
        let norm = self.norm();
        let rows = (
            states.par_chunks_mut(ROWS * hidden),
            pass.words.rows.par_chunks(ROWS * hidden),
            pass.words.scales.par_chunks(ROWS),
        );
        let sums: Vec<[Vec<f32>; 2]> = rows
            .into_par_iter()
            .enumerate()
            .map(|(part, (states, normed, scales))| {
                if let Some(mut mask) = pass.dropout.as_ref().and_then(|d| d.mask(Site::Words, part)) {
                    mask.apply(states);
                }
                let [mut gamma, mut beta] = [vec![0.0; hidden], vec![0.0; hidden]];
                norm.backward(states, normed, scales, &mut gamma, &mut beta);
                [gamma, beta]
            })
            .collect();
        let mut add = |start: usize, row: &[f32]| {
            gradient[start..start + hidden].iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
        };
        for [gamma, beta] in sums {
            add(self.plan.norm.gamma.start, &gamma);
            add(self.plan.norm.beta.start, &beta);
        }
        for ((row, &id), place) in states.chunks_exact(hidden).zip(&pass.ids).zip(pass.positions()) {
            add(self.plan.words.start + id as usize * hidden, row);
            add(self.plan.positions.start + place * hidden, row);
            add(self.plan.kinds.start, row);
        }
    }
}

impl Pass {
    fn take(&mut self, texts: &[&[u32]], dropout: Option<Dropout>, layers: usize) {
        self.ids = texts.concat();
        self.spans.clear();
        let mut start = 0;
        for text in texts {
            self.spans.push(start..start + text.len());
            start += text.len();
        }
        self.dropout = dropout;
        self.states.resize_with(layers + 1, Vec::new);
        self.kept.resize_with(layers, Kept::default);
    }

    fn positions(&self) -> Vec<usize> {
        self.spans.iter().flat_map(|span| 0..span.len()).collect()
    }
}
