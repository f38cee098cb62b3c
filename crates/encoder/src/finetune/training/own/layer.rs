use super::activation;
use super::attention::Attention;
use super::dropout::{Dropout, Site};
use super::norm::{LayerNorm, Normed};
use super::parameters;
use super::products::{PackedWeight, Scratch, outer};
use super::sums::add_rows;
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::post_norm::Activation;
use rayon::prelude::*;
use std::ops::Range;

/// Tokens that pass together through all steps between two attentions. A fixed number: sums over them are then added in
/// the same order however many threads there are.
pub(super) const ROWS: usize = 66;

/// The weights of a layer, packed out.
pub(super) struct PackedLayer {
    pub(super) qkv: PackedWeight,
    pub(super) out: PackedWeight,
    pub(super) up: PackedWeight,
    pub(super) down: PackedWeight,
}

/// What the backward pass of a layer needs of its forward pass.
#[derive(Default)]
pub(super) struct Activations {
    qkv: Vec<f32>,     // [tokens, 3 * hidden]
    context: Vec<f32>, // [tokens, hidden]
    first: Normed,
    middle: Vec<f32>, // between the two blocks, [tokens, hidden]
    inner: Vec<f32>,  // before the activation, [tokens, inner]
    second: Normed,
}

/// Memory one layer after another uses, in both directions.
#[derive(Default)]
pub(super) struct Memory {
    heads: Vec<f32>,     // [tokens, 3 * hidden]
    d_qkv: Vec<f32>,     // [tokens, 3 * hidden]
    d_context: Vec<f32>, // [tokens, hidden]
    d_out: Vec<f32>,     // [tokens, hidden]
    d_down: Vec<f32>,    // [tokens, hidden]
    d_inner: Vec<f32>,   // [tokens, inner]
    active: Vec<f32>,    // after the activation, [tokens, inner]
    scratch: Scratch,
}

/// One layer of a batch.
pub(super) struct Layer<'a> {
    pub(super) at: &'a parameters::Layer,
    pub(super) values: &'a [f32],
    pub(super) packed: &'a PackedLayer,
    pub(super) number: usize,
    pub(super) heads: Heads,
    pub(super) activation: Activation,
    pub(super) epsilon: f32,
    pub(super) spans: &'a [Range<usize>],
    pub(super) dropout: Option<&'a Dropout>,
    /// Which of its matrices are trained: no gradient is computed of the others.
    pub(super) trains: TrainedMatrices,
}

/// Which matrices of a layer are trained.
#[derive(Clone, Copy)]
pub(super) struct TrainedMatrices {
    pub(super) qkv: bool,
    pub(super) out: bool,
    pub(super) up: bool,
    pub(super) down: bool,
}

impl TrainedMatrices {
    pub(super) const ALL: Self = Self { qkv: true, out: true, up: true, down: true };

    /// Those of the layer at `at` that hold one of these ranges of values.
    pub(super) fn within(at: &parameters::Layer, ranges: &[Range<usize>]) -> Self {
        let any = |dense: &parameters::Dense| {
            ranges.iter().any(|r| dense.weight.start <= r.start && r.end <= dense.weight.end)
        };
        Self { qkv: any(&at.qkv), out: any(&at.out), up: any(&at.up), down: any(&at.down) }
    }
}

/// Gradients of what is added to or multiplied with every token alike, of some rows.
struct Sums {
    first: [Vec<f32>; 2],
    second: [Vec<f32>; 2],
    out: Vec<f32>,
    up: Vec<f32>,
    down: Vec<f32>,
}

impl Layer<'_> {
    /// States `[tokens, hidden]` before it to those after it.
    pub(super) fn forward(
        &self,
        x: &[f32],
        kept: &mut Activations,
        memory: &mut Memory,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let (hidden, inner) = (self.at.out.dim_out, self.at.up.dim_out);
        let tokens = x.len() / hidden;
        kept.resize(tokens, hidden, inner);
        out.resize(x.len(), 0.0);
        let rows = (x.par_chunks(ROWS * hidden), kept.qkv.par_chunks_mut(3 * ROWS * hidden));
        rows.into_par_iter()
            .try_for_each(|(x, qkv)| self.packed.qkv.forward(x, self.bias(&self.at.qkv), qkv))?;
        memory.heads.resize(tokens * hidden, 0.0);
        self.attention().forward(&kept.qkv, &mut memory.heads, &mut kept.context)?;
        let (first, second) = (self.norm(&self.at.attention_norm), self.norm(&self.at.output_norm));
        let rows = (
            x.par_chunks(ROWS * hidden),
            kept.context.par_chunks(ROWS * hidden),
            kept.first.rows.par_chunks_mut(ROWS * hidden),
            kept.first.scales.par_chunks_mut(ROWS),
            kept.middle.par_chunks_mut(ROWS * hidden),
            kept.inner.par_chunks_mut(ROWS * inner),
            kept.second.rows.par_chunks_mut(ROWS * hidden),
            kept.second.scales.par_chunks_mut(ROWS),
            out.par_chunks_mut(ROWS * hidden),
        );
        rows.into_par_iter().enumerate().try_for_each_init(
            Vec::new,
            |active, (part, (x, context, rows_1, scales_1, middle, inner, rows_2, scales_2, out))| {
                self.packed.out.forward(context, self.bias(&self.at.out), middle)?;
                self.drop(Site::AttentionOutput(self.number), part, middle);
                middle.iter_mut().zip(x).for_each(|(out, x)| *out += x);
                first.forward(middle, rows_1, scales_1);
                self.packed.up.forward(middle, self.bias(&self.at.up), inner)?;
                active.clear();
                active.extend_from_slice(inner);
                activation::forward(self.activation, active);
                self.packed.down.forward(active, self.bias(&self.at.down), out)?;
                self.drop(Site::FeedForward(self.number), part, out);
                out.iter_mut().zip(&*middle).for_each(|(out, x)| *out += x);
                second.forward(out, rows_2, scales_2);
                Ok(())
            },
        )
    }

    /// Turns the gradient of the states after it into that of those before it, `x`, in place, and writes those of its
    /// values to their places in `gradient`.
    pub(super) fn backward(
        &self,
        x: &[f32],
        kept: &Activations,
        memory: &mut Memory,
        states: &mut [f32],
        gradient: &mut [f32],
    ) -> Result<()> {
        let (hidden, inner) = (self.at.out.dim_out, self.at.up.dim_out);
        memory.resize(x.len() / hidden, hidden, inner);
        for sums in self.between(kept, memory, states)? {
            self.add(&sums, gradient);
        }
        let Memory { heads, d_qkv, d_context, d_out, d_down, d_inner, active, scratch } = memory;
        let mut weight = |trains: bool, at: &parameters::Dense, dy: &[f32], x: &[f32]| match trains {
            true => outer((dy, at.dim_out), (x, at.dim_in), &mut gradient[at.weight.clone()], scratch),
            false => Ok(()),
        };
        weight(self.trains.down, &self.at.down, d_down, active)?;
        weight(self.trains.up, &self.at.up, d_inner, &kept.middle)?;
        weight(self.trains.out, &self.at.out, d_out, &kept.context)?;
        self.attention().backward((&kept.qkv, &kept.context, d_context), heads, d_qkv)?;
        weight(self.trains.qkv, &self.at.qkv, d_qkv, x)?;
        let rows = (d_qkv.par_chunks(3 * ROWS * hidden), states.par_chunks_mut(ROWS * hidden));
        let sums = rows.into_par_iter().map(|(d_qkv, states)| {
            let mut sums = vec![0.0; 3 * hidden];
            add_rows(d_qkv, &mut sums);
            self.packed.qkv.backward(d_qkv, states)?;
            Ok(sums)
        });
        for sums in sums.collect::<Result<Vec<_>>>()? {
            add_rows(&sums, &mut gradient[self.at.qkv.bias.clone()]);
        }
        Ok(())
    }

    /// The backward pass from the states after it to the context of attention; `states` becomes the gradient of what attention
    /// was added to.
    fn between(&self, kept: &Activations, memory: &mut Memory, states: &mut [f32]) -> Result<Vec<Sums>> {
        let (hidden, inner) = (self.at.out.dim_out, self.at.up.dim_out);
        let (first, second) = (self.norm(&self.at.attention_norm), self.norm(&self.at.output_norm));
        let found = (
            kept.first.rows.par_chunks(ROWS * hidden),
            kept.first.scales.par_chunks(ROWS),
            kept.inner.par_chunks(ROWS * inner),
            kept.second.rows.par_chunks(ROWS * hidden),
            kept.second.scales.par_chunks(ROWS),
        );
        let gradients = (
            memory.d_down.par_chunks_mut(ROWS * hidden),
            memory.active.par_chunks_mut(ROWS * inner),
            memory.d_inner.par_chunks_mut(ROWS * inner),
            memory.d_out.par_chunks_mut(ROWS * hidden),
            memory.d_context.par_chunks_mut(ROWS * hidden),
            states.par_chunks_mut(ROWS * hidden),
        );
        let rows = found.into_par_iter().zip(gradients.into_par_iter()).enumerate();
        let sums = rows.map(|(part, (found, gradients))| {
            let (rows_1, scales_1, inner_values, rows_2, scales_2) = found;
            let (d_down, active, d_inner, d_out, d_context, states) = gradients;
            let mut sums = Sums::new(hidden, inner);
            let [gamma, beta] = &mut sums.second;
            second.backward(states, rows_2, scales_2, gamma, beta);
            d_down.copy_from_slice(states);
            self.drop(Site::FeedForward(self.number), part, d_down);
            add_rows(d_down, &mut sums.down);
            d_inner.fill(0.0);
            self.packed.down.backward(d_down, d_inner)?;
            activation::backward(self.activation, inner_values, active, d_inner);
            add_rows(d_inner, &mut sums.up);
            self.packed.up.backward(d_inner, states)?;
            let [gamma, beta] = &mut sums.first;
            first.backward(states, rows_1, scales_1, gamma, beta);
            d_out.copy_from_slice(states);
            self.drop(Site::AttentionOutput(self.number), part, d_out);
            add_rows(d_out, &mut sums.out);
            d_context.fill(0.0);
            self.packed.out.backward(d_out, d_context)?;
            Ok(sums)
        });
        sums.collect()
    }

    fn add(&self, sums: &Sums, gradient: &mut [f32]) {
        let mut add = |sums: &[f32], at: &Range<usize>| add_rows(sums, &mut gradient[at.clone()]);
        for ([gamma, beta], at) in
            [(&sums.first, &self.at.attention_norm), (&sums.second, &self.at.output_norm)]
        {
            add(gamma, &at.gamma);
            add(beta, &at.beta);
        }
        add(&sums.out, &self.at.out.bias);
        add(&sums.up, &self.at.up.bias);
        add(&sums.down, &self.at.down.bias);
    }

    fn attention(&self) -> Attention<'_> {
        Attention { heads: self.heads, spans: self.spans, dropout: self.dropout, layer: self.number }
    }

    fn bias(&self, at: &parameters::Dense) -> &[f32] {
        &self.values[at.bias.clone()]
    }

    fn norm(&self, at: &parameters::Norm) -> LayerNorm<'_> {
        let (gamma, beta) = (&self.values[at.gamma.clone()], &self.values[at.beta.clone()]);
        LayerNorm { gamma, beta, epsilon: self.epsilon }
    }

    fn drop(&self, site: Site, part: usize, values: &mut [f32]) {
        if let Some(mut mask) = self.dropout.and_then(|dropout| dropout.mask(site, part)) {
            mask.apply(values);
        }
    }
}

impl Sums {
    fn new(hidden: usize, inner: usize) -> Self {
        let zeros = || vec![0.0; hidden];
        Self {
            first: [zeros(), zeros()],
            second: [zeros(), zeros()],
            out: zeros(),
            up: vec![0.0; inner],
            down: zeros(),
        }
    }
}

impl PackedLayer {
    pub(super) fn new(values: &[f32], at: &parameters::Layer) -> Result<Self> {
        let packed = |at: &parameters::Dense| PackedWeight::new(&values[at.weight.clone()], at);
        Ok(Self {
            qkv: packed(&at.qkv)?,
            out: packed(&at.out)?,
            up: packed(&at.up)?,
            down: packed(&at.down)?,
        })
    }
}

impl Activations {
    fn resize(&mut self, tokens: usize, hidden: usize, inner: usize) {
        self.qkv.resize(tokens * 3 * hidden, 0.0);
        self.context.resize(tokens * hidden, 0.0);
        self.first.resize(tokens, hidden);
        self.middle.resize(tokens * hidden, 0.0);
        self.inner.resize(tokens * inner, 0.0);
        self.second.resize(tokens, hidden);
    }
}

impl Memory {
    fn resize(&mut self, tokens: usize, hidden: usize, inner: usize) {
        for wide in [&mut self.heads, &mut self.d_qkv] {
            wide.resize(tokens * 3 * hidden, 0.0);
        }
        for narrow in [&mut self.d_context, &mut self.d_out, &mut self.d_down] {
            narrow.resize(tokens * hidden, 0.0);
        }
        for inner_values in [&mut self.d_inner, &mut self.active] {
            inner_values.resize(tokens * inner, 0.0);
        }
    }
}
