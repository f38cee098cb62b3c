use super::{Objective, StepMetrics};
use manyview_core::Progress;

/// What an encoder is trained on.
pub struct TrainingData<'a> {
    /// Texts that ask, or all there are.
    pub queries: &'a [&'a str],
    /// The text that answers each; empty where the objective rates single texts.
    pub passages: &'a [&'a str],
    /// Texts that do not answer each, though they may seem to; empty, or a list for each query.
    pub negatives: &'a [Vec<&'a str>],
    /// The loss of a batch.
    pub objective: &'a dyn Objective,
    /// Told of each step, and asked between steps whether to stop.
    pub progress: &'a dyn Progress,
    /// Told what each step measured.
    pub on_step: &'a (dyn Fn(&StepMetrics) + Sync),
}
