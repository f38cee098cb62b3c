use super::{Objective, StepMetrics};
use manyview_core::Progress;

/// The training data of an encoder.
pub struct TrainingData<'a> {
    /// Queries; or all texts, for objectives on single texts.
    pub queries: &'a [&'a str],
    /// The passage that answers each query; empty for objectives on single texts.
    pub passages: &'a [&'a str],
    /// Hard negatives: empty, or a list of texts for each query.
    pub negatives: &'a [Vec<&'a str>],
    /// The loss of a batch.
    pub objective: &'a dyn Objective,
    /// Receives progress, and is asked between steps whether to stop.
    pub progress: &'a dyn Progress,
    /// Called with the metrics of each step.
    pub on_step: &'a (dyn Fn(&StepMetrics) + Sync),
}
