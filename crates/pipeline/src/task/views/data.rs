use super::corpus::SplitCorpus;
use super::spec::{Fit, Spec};
use super::teacher::{self, TrainingData};
use crate::Result;
use crate::config::Monitor;
use crate::run::{Context, Encoded};
use manyview_core::{Embeddings, Fingerprint};

/// Vectors, and what an adapter may learn from.
pub struct ViewsData {
    /// Name of the corpus.
    pub(super) dataset: String,
    /// The encoder's fingerprint.
    pub(super) encoder: Fingerprint,
    /// Vectors of all rows, `[n, dim]`.
    pub(super) base: Embeddings,
    /// Texts whose end was cut.
    pub(super) truncated: usize,
    /// What the teacher taught.
    pub(super) training: TrainingData,
    /// The validation rows.
    pub(super) val: Vec<usize>,
    /// Their labels, where `train.monitor` asks for them.
    pub(super) val_truth: Option<Vec<usize>>,
}

impl ViewsData {
    /// Asks the teacher. No label of a test row is read, and one of a validation row only where `train.monitor` says so.
    pub(super) fn of(
        spec: &Spec,
        corpus: &SplitCorpus,
        encoded: Encoded,
        cx: &mut Context<'_>,
    ) -> Result<Self> {
        let [base] = encoded.sets()?;
        let training = teacher::teach(spec, corpus, base, cx)?;
        let val = corpus.split.val.clone();
        let by_labels = matches!(spec.fit, Fit::Gradient { monitor: Monitor::ValVMeasure, .. });
        Ok(Self {
            dataset: corpus.name.clone(),
            encoder: encoded.fingerprint.clone(),
            base: base.clone(),
            truncated: encoded.truncated,
            training,
            val_truth: (by_labels && !val.is_empty()).then(|| corpus.truth_of(&val)),
            val,
        })
    }
}
