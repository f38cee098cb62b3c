use super::corpus::SplitCorpus;
use super::spec::{Fit, Spec};
use super::teacher::{self, TrainingData};
use crate::config::{Encoder, Monitor};
use crate::run::{Context, Encoded};
use crate::{Error, Result};
use manyview_core::{Embeddings, Fingerprint};
use manyview_encoder::finetune::FineTuned;

/// Of the training rows of a teacher that sees no others, one in so many is held back from training.
const HELD_BACK: usize = 10;

/// Vectors, and what an adapter or an encoder may learn from.
pub struct ViewsData {
    /// Name of the corpus.
    pub(super) dataset: String,
    /// The encoder's fingerprint.
    pub(super) encoder: Fingerprint,
    /// Vectors of all rows, `[n, dim]`.
    pub(super) base: Embeddings,
    /// Texts whose end was cut.
    pub(super) truncated: usize,
    pub(super) share_read: Option<f64>,
    /// What the teacher taught.
    pub(super) training: TrainingData,
    /// The validation rows.
    pub(super) val: Vec<usize>,
    /// Their labels, where `train.monitor` asks for them.
    pub(super) val_truth: Option<Vec<usize>>,
    /// What the fine-tuned encoder makes of all rows, where it is fine-tuned.
    pub(super) tuned: Option<TunedVectors>,
}

/// Vectors of an encoder that was fine-tuned, and how it was.
pub(super) struct TunedVectors {
    /// Vectors of all rows, `[n, dim]`.
    pub(super) vectors: Embeddings,
    /// Where the encoder is, and how it is loaded.
    pub(super) encoder: Encoder,
    pub(super) training: FineTuned,
}

impl ViewsData {
    /// Asks the teacher. No label of a test row is read, and one of a validation row only where `train.monitor` says so.
    ///
    /// # Errors
    /// Supervision that cannot be had, and a teacher whose vectors are of another length than those of an encoder that is
    /// to be fine-tuned towards them.
    pub(super) fn of(
        spec: &Spec,
        corpus: &SplitCorpus,
        encoded: Encoded,
        cx: &mut Context<'_>,
    ) -> Result<Self> {
        let [base] = encoded.sets()?;
        let training = teacher::teach(spec, corpus, base, cx)?;
        check_lengths(spec, base.dim(), training.train.dim())?;
        let val = corpus.split.val.clone();
        let by_labels = matches!(spec.fit, Fit::Gradient { monitor: Monitor::ValVMeasure, .. });
        Ok(Self {
            dataset: corpus.name.clone(),
            encoder: encoded.fingerprint.clone(),
            base: base.clone(),
            truncated: encoded.truncated,
            share_read: encoded.share_read,
            training,
            val_truth: (by_labels && !val.is_empty()).then(|| corpus.truth_of(&val)),
            val,
            tuned: None,
        })
    }

    /// The same with the vectors of the fine-tuned encoder, which is at `encoder`.
    pub(super) fn with_tuned(self, encoded: &Encoded, tuned: (&FineTuned, &Encoder)) -> Result<Self> {
        let ([vectors], (training, encoder)) = (encoded.sets()?, tuned);
        let (vectors, training, encoder) = (vectors.clone(), training.clone(), encoder.clone());
        Ok(Self { tuned: Some(TunedVectors { vectors, encoder, training }), ..self })
    }

    /// Positions of the training rows: those that an encoder is trained on, and those held back to measure how close it
    /// comes where the teacher sees no test rows.
    pub(super) fn student_rows(&self) -> (Vec<usize>, Vec<usize>) {
        let n = self.training.rows.len();
        match self.training.test {
            Some(_) => ((0..n).collect(), Vec::new()),
            None => hold_back(n),
        }
    }
}

/// The positions of `n` training rows: those to train on, and one in [`HELD_BACK`] apart.
pub(super) fn hold_back(n: usize) -> (Vec<usize>, Vec<usize>) {
    (0..n).partition(|i| i % HELD_BACK != HELD_BACK - 1)
}

/// That an encoder which is to be fine-tuned has vectors as long as the teacher's.
fn check_lengths(spec: &Spec, base: usize, teacher: usize) -> Result<()> {
    if base == teacher || !spec.fine_tunes() {
        return Ok(());
    }
    let (how, model) = (spec.fit.method(), &spec.encoder.model);
    let problem = format!(
        "expected a teacher with vectors of {base} values, as those of {model}, with train.method = `{how}`, found \
         {teacher}; a teacher of another length needs an adapter: `ridge` with train.towards = \"procrustes\" or \"zero\""
    );
    Err(Error::setting("train.method", problem))
}
