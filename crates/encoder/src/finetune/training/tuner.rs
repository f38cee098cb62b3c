use super::engine::{self, Job};
use super::tokenized::TokenizedTexts;
use super::{FineTuneConfig, FineTuned, Method, TrainingData, save};
use crate::{Device, Error, Result, TextEncoder};
use manyview_core::{Encoder, Fingerprint};
use std::path::Path;

const SCHEMA: &str = "manyview-fine-tuning/2";

/// Fine-tunes encoders.
#[derive(Clone, Debug)]
pub struct FineTuner {
    /// The settings.
    pub config: FineTuneConfig,
    /// The device to train on.
    pub device: Device,
}

impl FineTuner {
    /// Fine-tuning with `config` on `device`.
    pub fn new(config: FineTuneConfig, device: Device) -> Self {
        Self { config, device }
    }

    /// Fine-tunes `base` and writes the directory `to`, which sentence-transformers and [`TextEncoder::load`] read:
    /// the same layout, tokenizer and pooling, new weights, and with LoRA the LoRA matrices alone in peft's layout
    /// (`lora/`). `work` is the directory for checkpoints, `training_metrics.jsonl`, `training_progress.json` and the
    /// record of the run. A second call with the same inputs returns that record at once.
    ///
    /// # Errors
    /// A setting out of range, counts that do not match, a loss that is not finite, an error of the objective, files that
    /// cannot be read or written, and [`manyview_core::Error::Interrupted`] when asked to stop: the steps done by then are
    /// on disk.
    pub fn run(
        &self,
        base: &TextEncoder,
        data: &TrainingData<'_>,
        work: &Path,
        to: &Path,
    ) -> Result<FineTuned> {
        self.config.check()?;
        let keep = base.tokens_of_mean()?;
        let texts = TokenizedTexts::read(base, data)?;
        let key = self.key(base, data, &texts)?;
        if let Some(earlier) = FineTuned::earlier(&key, work, to) {
            return Ok(earlier);
        }
        let job = Job { base, config: &self.config, device: &self.device, data, texts, keep, key, work };
        let trained = engine::train(&job)?;
        let lora = match &self.config.method {
            Method::Full => None,
            Method::Lora(lora) => Some(lora),
        };
        save::save(base, &trained, lora, to)?;
        let total = trained.steps;
        let mut journal = job.journal(total);
        let record = FineTuned {
            run: job.key.clone(),
            steps: total,
            examples: job.texts.examples(),
            parameters: trained.parameters,
            losses: trained.losses,
            seconds: journal.finish()?,
            weights: crate::finetune::fine_tuned::weights(to)?,
        };
        record.write(work)?;
        job.clear_checkpoints()?;
        Ok(record)
    }

    /// Identity of everything that the result of [`Self::run`] depends on: the same identity, the same encoder.
    ///
    /// # Errors
    /// A setting out of range, counts that do not match, a text that cannot be read.
    pub fn identity(&self, base: &TextEncoder, data: &TrainingData<'_>) -> Result<Fingerprint> {
        self.config.check()?;
        self.key(base, data, &TokenizedTexts::read(base, data)?)
    }

    fn key(
        &self,
        base: &TextEncoder,
        data: &TrainingData<'_>,
        texts: &TokenizedTexts,
    ) -> Result<Fingerprint> {
        let described = |e: serde_json::Error| Error::file(base.path(), e.to_string());
        let config = FineTuneConfig { checkpoint_every: 1, ..self.config.clone() };
        let key = Fingerprint::builder(SCHEMA)
            .field("base", base.fingerprint().as_str().as_bytes())
            .field("config", &serde_json::to_vec(&config).map_err(described)?)
            .field("objective", data.objective.name().as_bytes());
        Ok(texts.identify(key).finish())
    }
}
