use manyview_core::{Embeddings, Progress};
use serde::{Deserialize, Serialize};

/// What an encoder learns from, and by what.
pub struct Lesson<'a> {
    /// Texts that ask, or all there are.
    pub queries: &'a [&'a str],
    /// The text that answers each; empty where the objective rates single texts.
    pub passages: &'a [&'a str],
    /// Texts that do not answer each, though they may seem to; empty, or a list for each query.
    pub negatives: &'a [Vec<&'a str>],
    /// Rates a batch.
    pub objective: &'a Objective<'a>,
    /// A name of the objective and its settings: a run goes on only under the same.
    pub objective_name: &'a str,
    /// Told of each step, and asked between steps whether to stop.
    pub progress: &'a dyn Progress,
    /// Told what each step measured.
    pub on_step: &'a dyn Fn(&Step),
}

/// The loss of a batch and its slopes.
pub type Objective<'a> = dyn Fn(&Batch<'_>) -> manyview_core::Result<Slopes> + 'a;

/// The vectors of one step.
pub struct Batch<'a> {
    /// Which pairs they are of, or which texts, `[batch]`.
    pub pairs: &'a [usize],
    /// Unit vectors of their queries, `[batch, dim]`.
    pub queries: Embeddings,
    /// Unit vectors of their passages in the same order, then of their negatives, `[candidates, dim]`; none where the
    /// texts are single.
    pub passages: Option<Embeddings>,
    /// Numbers by which equal queries are known, `[batch]`.
    pub query_ids: &'a [usize],
    /// Numbers by which equal passages are known, `[candidates]`.
    pub passage_ids: &'a [usize],
}

/// A loss, and its gradient with respect to the vectors of a [`Batch`].
#[derive(Clone, Debug, PartialEq)]
pub struct Slopes {
    /// The loss.
    pub loss: f64,
    /// With respect to the queries, `[batch, dim]`.
    pub queries: Vec<f32>,
    /// With respect to the passages, `[candidates, dim]`.
    pub passages: Vec<f32>,
}

/// What one step measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its pass over the pairs, from 1.
    pub epoch: usize,
    /// Its number, from 1.
    pub step: u64,
    /// The loss before it.
    pub loss: f64,
    /// Its learning rate.
    pub lr: f64,
    /// Length of its gradient before it was scaled down.
    pub gradient_length: f64,
}
