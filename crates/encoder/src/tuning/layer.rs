use super::activation;
use super::attention::Attention;
use super::dropout::{Dropout, Site};
use super::lanes::add_rows;
use super::norm::{LayerNorm, Normed};
use super::plan;
use super::products::{Laid, Scratch, outer};
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::post_norm::Activation;
use rayon::prelude::*;
use std::ops::Range;

/// Tokens that pass together through all steps between two attentions. A fixed number: sums over them are then added in
/// the same order however many threads there are.
pub(super) const ROWS: usize = 66;

/// The weights of a layer, laid out.
pub(super) struct LaidLayer {
    pub(super) qkv: Laid,
    pub(super) out: Laid,
    pub(super) up: Laid,
    pub(super) down: Laid,
}

/// What the way back through a layer needs of its forward pass.
#[derive(Default)]
pub(super) struct Kept {
    qkv: Vec<f32>,      // [tokens, 3 * hidden]
    gathered: Vec<f32>, // [tokens, hidden]
    first: Normed,
    middle: Vec<f32>, // between the two blocks, [tokens, hidden]
    inner: Vec<f32>,  // before the activation, [tokens, inner]
    second: Normed,
}

/// Memory one layer after another uses, in both directions.
#[derive(Default)]
pub(super) struct Memory {
    heads: Vec<f32>,      // [tokens, 3 * hidden]
    d_qkv: Vec<f32>,      // [tokens, 3 * hidden]
    d_gathered: Vec<f32>, // [tokens, hidden]
    d_out: Vec<f32>,      // [tokens, hidden]
    d_down: Vec<f32>,     // [tokens, hidden]
    d_inner: Vec<f32>,    // [tokens, inner]
    active: Vec<f32>,     // after the activation, [tokens, inner]
    scratch: Scratch,
}

/// One layer of a batch.
pub(super) struct Layer<'a> {
    pub(super) at: &'a plan::Layer,
    pub(super) values: &'a [f32],
    pub(super) laid: &'a LaidLayer,
    pub(super) number: usize,
    pub(super) heads: Heads,
    pub(super) activation: Activation,
    pub(super) epsilon: f32,
    pub(super) spans: &'a [Range<usize>],
    pub(super) dropout: Option<&'a Dropout>,
    /// Which of its matrices learn: the others have no gradient computed.
    pub(super) learns: Learns,
}

/// Which matrices of a layer learn.
#[derive(Clone, Copy)]
pub(super) struct Learns {
    pub(super) qkv: bool,
    pub(super) out: bool,
    pub(super) up: bool,
    pub(super) down: bool,
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
        kept: &mut Kept,
        memory: &mut Memory,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let (hidden, inner) = (self.at.out.dim_out, self.at.up.dim_out);
        let tokens = x.len() / hidden;
        kept.resize(tokens, hidden, inner);
        out.resize(x.len(), 0.0);
        let rows = (x.par_chunks(ROWS * hidden), kept.qkv.par_chunks_mut(3 * ROWS * hidden));
        rows.into_par_iter()
            .try_for_each(|(x, qkv)| self.laid.qkv.forward(x, self.bias(&self.at.qkv), qkv))?;
        memory.heads.resize(tokens * hidden, 0.0);
        self.attention().forward(&kept.qkv, &mut memory.heads, &mut kept.gathered)?;
        let (first, second) = (self.norm(&self.at.attention_norm), self.norm(&self.at.output_norm));
        let rows = (
            x.par_chunks(ROWS * hidden),
            kept.gathered.par_chunks(ROWS * hidden),
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
            |active, (part, (x, gathered, rows_1, scales_1, middle, inner, rows_2, scales_2, out))| {
                self.laid.out.forward(gathered, self.bias(&self.at.out), middle)?;
                self.drop(Site::Gathered(self.number), part, middle);
                middle.iter_mut().zip(x).for_each(|(out, x)| *out += x);
                first.forward(middle, rows_1, scales_1);
                self.laid.up.forward(middle, self.bias(&self.at.up), inner)?;
                active.clear();
                active.extend_from_slice(inner);
                activation::forward(self.activation, active);
                self.laid.down.forward(active, self.bias(&self.at.down), out)?;
                self.drop(Site::Inner(self.number), part, out);
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
        kept: &Kept,
        memory: &mut Memory,
        states: &mut [f32],
        gradient: &mut [f32],
    ) -> Result<()> {
        let (hidden, inner) = (self.at.out.dim_out, self.at.up.dim_out);
        memory.resize(x.len() / hidden, hidden, inner);
        for sums in self.between(kept, memory, states)? {
            self.add(&sums, gradient);
        }
        let Memory { heads, d_qkv, d_gathered, d_out, d_down, d_inner, active, scratch } = memory;
        let mut learn = |learns: bool, at: &plan::Dense, dy: &[f32], x: &[f32]| match learns {
            true => outer((dy, at.dim_out), (x, at.dim_in), &mut gradient[at.weight.clone()], scratch),
            false => Ok(()),
        };
        learn(self.learns.down, &self.at.down, d_down, active)?;
        learn(self.learns.up, &self.at.up, d_inner, &kept.middle)?;
        learn(self.learns.out, &self.at.out, d_out, &kept.gathered)?;
        self.attention().backward((&kept.qkv, &kept.gathered, d_gathered), heads, d_qkv)?;
        learn(self.learns.qkv, &self.at.qkv, d_qkv, x)?;
        let rows = (d_qkv.par_chunks(3 * ROWS * hidden), states.par_chunks_mut(ROWS * hidden));
        let sums = rows.into_par_iter().map(|(d_qkv, states)| {
            let mut sums = vec![0.0; 3 * hidden];
            add_rows(d_qkv, &mut sums);
            self.laid.qkv.backward(d_qkv, states)?;
            Ok(sums)
        });
        for sums in sums.collect::<Result<Vec<_>>>()? {
            add_rows(&sums, &mut gradient[self.at.qkv.bias.clone()]);
        }
        Ok(())
    }

    /// The way back from the states after it to what attention gathered; `states` becomes the gradient of what attention
    /// was added to.
    fn between(&self, kept: &Kept, memory: &mut Memory, states: &mut [f32]) -> Result<Vec<Sums>> {
        let (hidden, inner) = (self.at.out.dim_out, self.at.up.dim_out);
        let (first, second) = (self.norm(&self.at.attention_norm), self.norm(&self.at.output_norm));
        let found = (
            kept.first.rows.par_chunks(ROWS * hidden),
            kept.first.scales.par_chunks(ROWS),
            kept.inner.par_chunks(ROWS * inner),
            kept.second.rows.par_chunks(ROWS * hidden),
            kept.second.scales.par_chunks(ROWS),
        );
        let slopes = (
            memory.d_down.par_chunks_mut(ROWS * hidden),
            memory.active.par_chunks_mut(ROWS * inner),
            memory.d_inner.par_chunks_mut(ROWS * inner),
            memory.d_out.par_chunks_mut(ROWS * hidden),
            memory.d_gathered.par_chunks_mut(ROWS * hidden),
            states.par_chunks_mut(ROWS * hidden),
        );
        let rows = found.into_par_iter().zip(slopes.into_par_iter()).enumerate();
        let sums = rows.map(|(part, (found, slopes))| {
            let (rows_1, scales_1, inner_values, rows_2, scales_2) = found;
            let (d_down, active, d_inner, d_out, d_gathered, states) = slopes;
            let mut sums = Sums::new(hidden, inner);
            let [gamma, beta] = &mut sums.second;
            second.backward(states, rows_2, scales_2, gamma, beta);
            d_down.copy_from_slice(states);
            self.drop(Site::Inner(self.number), part, d_down);
            add_rows(d_down, &mut sums.down);
            d_inner.fill(0.0);
            self.laid.down.backward(d_down, d_inner)?;
            activation::backward(self.activation, inner_values, active, d_inner);
            add_rows(d_inner, &mut sums.up);
            self.laid.up.backward(d_inner, states)?;
            let [gamma, beta] = &mut sums.first;
            first.backward(states, rows_1, scales_1, gamma, beta);
            d_out.copy_from_slice(states);
            self.drop(Site::Gathered(self.number), part, d_out);
            add_rows(d_out, &mut sums.out);
            d_gathered.fill(0.0);
            self.laid.out.backward(d_out, d_gathered)?;
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

    fn bias(&self, at: &plan::Dense) -> &[f32] {
        &self.values[at.bias.clone()]
    }

    fn norm(&self, at: &plan::Norm) -> LayerNorm<'_> {
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

impl LaidLayer {
    pub(super) fn new(values: &[f32], at: &plan::Layer) -> Result<Self> {
        let laid = |at: &plan::Dense| Laid::new(&values[at.weight.clone()], at);
        Ok(Self { qkv: laid(&at.qkv)?, out: laid(&at.out)?, up: laid(&at.up)?, down: laid(&at.down)? })
    }
}

impl Kept {
    fn resize(&mut self, tokens: usize, hidden: usize, inner: usize) {
        self.qkv.resize(tokens * 3 * hidden, 0.0);
        self.gathered.resize(tokens * hidden, 0.0);
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
        for narrow in [&mut self.d_gathered, &mut self.d_out, &mut self.d_down] {
            narrow.resize(tokens * hidden, 0.0);
        }
        for inner_values in [&mut self.d_inner, &mut self.active] {
            inner_values.resize(tokens * inner, 0.0);
        }
    }
}
