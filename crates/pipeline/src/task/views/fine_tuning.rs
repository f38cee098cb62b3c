//! Fine-tuning of the encoder towards the vectors of the teacher.

use super::corpus::SplitCorpus;
use super::data::ViewsData;
use super::spec::{Fit, Spec};
use crate::Result;
use crate::run::FineTuning;
use manyview_encoder::finetune::Distillation;

/// How the encoder is trained, where it is: so that its vector of a text, without a prompt, comes close to the teacher's.
///
/// # Errors
/// Weights that are negative or both 0.
pub(super) fn fine_tuning<'d>(
    spec: &Spec,
    corpus: &'d SplitCorpus,
    data: &'d ViewsData,
) -> Result<Option<FineTuning<'d>>> {
    let Fit::Encoder { config, loss, .. } = &spec.fit else { return Ok(None) };
    let (learnt, _) = data.student_rows();
    let teacher = data.training.train.select(&learnt)?; // [n, dim]
    Ok(Some(FineTuning {
        config: config.clone(),
        queries: corpus.texts(&data.training.rows_at(&learnt)),
        passages: Vec::new(),
        objective: Box::new(Distillation::new(teacher, loss.mse_weight, loss.cosine_weight)?),
    }))
}
