use super::dropout::{Dropout, Site};
use super::layer::{Activations, Layer, Memory, PackedLayer, ROWS, TrainedMatrices};
use super::norm::{LayerNorm, Normed};
use super::parameters::ParameterLayout;
use crate::Result;
use crate::architecture::bert::Config;
use crate::batch::Keep;
use crate::checkpoint::Checkpoint;
use rayon::prelude::*;
use std::ops::Range;

/// A BERT that trains: the same steps as the one that only encodes, and their backward pass.
pub(super) struct Bert {
    pub(super) config: Config,
    pub(super) layout: ParameterLayout,
    /// All its values, as the layout lays them out.
    pub(super) values: Vec<f32>,
    /// The tokens whose mean is the vector of a text.
    keep: Keep,
    packed: Vec<PackedLayer>,
    /// Which matrices of each layer are trained, and whether anything else is.
    trains: Vec<TrainedMatrices>,
    all: bool,
}

/// One batch on its way through the model, and the memory it leaves to the next.
#[derive(Default)]
pub(super) struct Pass {
    ids: Vec<u32>,
    spans: Vec<Range<usize>>,
    dropout: Option<Dropout>,
    token_embeddings: Normed,
    states: Vec<Vec<f32>>, // before each layer and after the last, [tokens, hidden]
    kept: Vec<Activations>,
    memory: Memory,
}

impl Bert {
    pub(super) fn load(config: &Config, checkpoint: &Checkpoint, keep: Keep) -> Result<Self> {
        let layout = ParameterLayout::new(config);
        let mut values = Vec::with_capacity(layout.len());
        for tensor in &layout.tensors {
            values.extend(checkpoint.values(&tensor.name, &tensor.shape)?);
        }
        let mut bert = Self {
            config: config.clone(),
            trains: vec![TrainedMatrices::ALL; layout.layers.len()],
            all: true,
            layout,
            values,
            keep,
            packed: Vec::new(),
        };
        bert.pack()?;
        Ok(bert)
    }

    /// Computes gradients only of the layers' matrices that hold one of these ranges of values.
    pub(super) fn train_only(&mut self, ranges: &[Range<usize>]) {
        self.trains = self.layout.layers.iter().map(|at| TrainedMatrices::within(at, ranges)).collect();
        self.all = false;
    }

    /// Packs its weights anew, after they changed.
    pub(super) fn pack(&mut self) -> Result<()> {
        let packed = self.layout.layers.par_iter().map(|at| PackedLayer::new(&self.values, at));
        self.packed = packed.collect::<Result<_>>()?;
        Ok(())
    }

    /// Pooled states of texts, `[texts, hidden]`.
    pub(super) fn forward(
        &self,
        texts: &[&[u32]],
        dropout: Option<Dropout>,
        pass: &mut Pass,
    ) -> Result<Vec<f32>> {
        pass.take(texts, dropout, self.layout.layers.len());
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
        for (span, gradient) in pass.spans.iter().zip(pooled.chunks_exact(hidden)) {
            let (rows, share) = self.pooled(span);
            for row in states[rows.start * hidden..rows.end * hidden].chunks_exact_mut(hidden) {
                row.iter_mut().zip(gradient).for_each(|(state, gradient)| *state = gradient * share);
            }
        }
        for (i, kept) in pass.kept.iter().enumerate().rev() {
            let layer = self.layer(i, &pass.spans, pass.dropout.as_ref());
            layer.backward(&pass.states[i], kept, &mut pass.memory, &mut states, gradient)?;
        }
        if self.all {
            self.embed_backward(pass, &mut states, gradient);
        }
        Ok(())
    }

    /// Which rows of a text its vector is the sum of, and the share of each.
    fn pooled(&self, span: &Range<usize>) -> (Range<usize>, f32) {
        match self.keep {
            Keep::All => (span.clone(), 1.0 / span.len() as f32),
            Keep::First => (span.start..span.start + 1, 1.0),
            Keep::Last => (span.end - 1..span.end, 1.0),
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
            at: &self.layout.layers[number],
            values: &self.values,
            packed: &self.packed[number],
            number,
            heads: self.config.heads(),
            activation: self.config.activation,
            epsilon: self.config.layer_norm_eps as f32,
            spans,
            dropout,
            trains: self.trains[number],
        }
    }

    fn norm(&self) -> LayerNorm<'_> {
        let at = &self.layout.norm;
        LayerNorm {
            gamma: &self.values[at.gamma.clone()],
            beta: &self.values[at.beta.clone()],
            epsilon: self.config.layer_norm_eps as f32,
        }
    }

    fn embed(&self, pass: &mut Pass, states: &mut Vec<f32>) {
        let hidden = self.config.hidden_size;
        states.resize(pass.ids.len() * hidden, 0.0);
        pass.token_embeddings.resize(pass.ids.len(), hidden);
        let of = |range: &Range<usize>| &self.values[range.clone()];
        let token_embeddings = of(&self.layout.token_embeddings);
        let position_embeddings = of(&self.layout.position_embeddings);
        let token_type = &of(&self.layout.token_type_embeddings)[..hidden];
        let norm = self.norm();
        let (positions, dropout) = (pass.positions(), pass.dropout.as_ref());
        let rows = (
            states.par_chunks_mut(ROWS * hidden),
            pass.token_embeddings.rows.par_chunks_mut(ROWS * hidden),
            pass.token_embeddings.scales.par_chunks_mut(ROWS),
            pass.ids.par_chunks(ROWS),
            positions.par_chunks(ROWS),
        );
        rows.into_par_iter().enumerate().for_each(|(part, (states, normed, scales, ids, positions))| {
            for ((row, &id), &position) in states.chunks_exact_mut(hidden).zip(ids).zip(positions) {
                let token = &token_embeddings[id as usize * hidden..];
                let position = &position_embeddings[position * hidden..];
                let sums = token.iter().zip(position).zip(token_type).map(|((a, b), c)| a + b + c);
                row.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum);
            }
            norm.forward(states, normed, scales);
            if let Some(mut mask) = dropout.and_then(|d| d.mask(Site::Embeddings, part)) {
                mask.apply(states);
            }
        });
    }

    fn embed_backward(&self, pass: &Pass, states: &mut [f32], gradient: &mut [f32]) {
        let hidden = self.config.hidden_size;
        let norm = self.norm();
        let rows = (
            states.par_chunks_mut(ROWS * hidden),
            pass.token_embeddings.rows.par_chunks(ROWS * hidden),
            pass.token_embeddings.scales.par_chunks(ROWS),
        );
        let sums: Vec<[Vec<f32>; 2]> = rows
            .into_par_iter()
            .enumerate()
            .map(|(part, (states, normed, scales))| {
                if let Some(mut mask) = pass.dropout.as_ref().and_then(|d| d.mask(Site::Embeddings, part)) {
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
            add(self.layout.norm.gamma.start, &gamma);
            add(self.layout.norm.beta.start, &beta);
        }
        for ((row, &id), position) in states.chunks_exact(hidden).zip(&pass.ids).zip(pass.positions()) {
            add(self.layout.token_embeddings.start + id as usize * hidden, row);
            add(self.layout.position_embeddings.start + position * hidden, row);
            add(self.layout.token_type_embeddings.start, row);
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
        self.kept.resize_with(layers, Activations::default);
    }

    fn positions(&self) -> Vec<usize> {
        self.spans.iter().flat_map(|span| 0..span.len()).collect()
    }
}
