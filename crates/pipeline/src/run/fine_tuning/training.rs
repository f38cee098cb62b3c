use super::FineTuning;
use crate::Result;
use crate::config::Encoder;
use crate::run::VariantDir;
use manyview_artifact::{ENCODER, WORK, device};
use manyview_core::{Fingerprint, Progress};
use manyview_encoder::TextEncoder;
use manyview_encoder::finetune::{FineTuned, FineTuner, Method, StepMetrics, TrainingData};

/// Higher learning rates destroy the pretrained weights in full fine-tuning.
const HIGH_RATE: f64 = 1e-4;

impl FineTuning<'_> {
    fn tuner(&self, encoder: &Encoder) -> Result<FineTuner> {
        Ok(FineTuner::new(self.config.clone(), device(&encoder.device)?))
    }

    fn data<'b>(&'b self, progress: &'b dyn Progress) -> TrainingData<'b> {
        TrainingData {
            queries: &self.queries,
            passages: &self.passages,
            negatives: &[],
            objective: &*self.objective,
            progress,
            on_step: &log,
        }
    }

    /// Identity of everything the new encoder depends on.
    ///
    /// # Errors
    /// Settings that training does not support, a model that cannot be trained.
    pub(in crate::run) fn identity(
        &self,
        (base, encoder): (&TextEncoder, &Encoder),
        progress: &dyn Progress,
    ) -> Result<Fingerprint> {
        Ok(self.tuner(encoder)?.identity(base, &self.data(progress))?)
    }

    /// Trains the encoder, starting from `base`.
    ///
    /// # Errors
    /// Settings that training does not support, an interruption, or files that cannot be written.
    pub(in crate::run) fn train(
        &self,
        (base, encoder): (&TextEncoder, &Encoder),
        dir: &VariantDir,
        progress: &dyn Progress,
    ) -> Result<FineTuned> {
        if self.config.method == Method::Full && self.config.lr > HIGH_RATE {
            tracing::warn!(
                "train.lr = {} is high where all of an encoder learns; 2e-5 is usual",
                self.config.lr
            );
        }
        let (work, to) = (dir.artifact(WORK), dir.artifact(ENCODER));
        let tuned = self.tuner(encoder)?.run(base, &self.data(progress), &work, &to)?;
        dir.forget_metrics()?;
        Ok(tuned)
    }
}

fn log(step: &StepMetrics) {
    tracing::debug!(step = step.step, loss = step.loss, lr = step.lr, "fine-tuning");
}
