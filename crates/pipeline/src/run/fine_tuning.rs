//! The encoder of a variant: the configured one, or one fine-tuned from it in the variant's directory.

#[cfg(not(feature = "train"))]
mod absent;
#[cfg(feature = "train")]
mod training;

use super::directory::VariantDir;
use crate::config::Encoder;
use crate::{Error, Result};
use manyview_artifact::{ENCODER, LORA, WORK};
use manyview_core::Fingerprint;
#[cfg(feature = "train")]
use manyview_encoder::finetune::Objective;
use manyview_encoder::finetune::{FineTuneConfig, FineTuned};
use std::path::PathBuf;

/// The metrics of its training, in a variant's directory.
pub(super) const METRICS: &str = "tuning/training_metrics.jsonl";

/// Training data and loss of a fine-tuning. A task that has one gets its embeddings from the fine-tuned encoder.
pub struct FineTuning<'a> {
    /// The settings.
    pub config: FineTuneConfig,
    /// Queries; or all texts, for objectives on single texts.
    pub queries: Vec<&'a str>,
    /// The passage that answers each query; empty for objectives on single texts.
    pub passages: Vec<&'a str>,
    /// The loss of a batch.
    #[cfg(feature = "train")]
    pub objective: Box<dyn Objective + 'a>,
}

impl FineTuning<'_> {
    /// The encoder trained in `dir` under `run`, or none.
    pub(super) fn trained(run: &Fingerprint, dir: &VariantDir) -> Option<FineTuned> {
        FineTuned::earlier(run, &dir.artifact(WORK), &dir.artifact(ENCODER))
    }

    /// The error for a missing fine-tuning with these settings in `dir`.
    pub(super) fn missing(dir: &VariantDir) -> Error {
        Error::Missing {
            path: dir.artifact(ENCODER),
            missing: "an encoder trained with these settings on these texts, found none".into(),
            cure: "train".into(),
        }
    }
}

/// The encoder of `config`, with the fine-tuned model in `dir`.
pub(super) fn config(config: &Encoder, dir: &VariantDir) -> Encoder {
    Encoder { model: dir.artifact(ENCODER).display().to_string(), ..config.clone() }
}

/// Reads the encoder that was trained in the directory of a variant; gives whether there is one.
///
/// # Errors
/// Weights that are not those that were written.
pub(crate) fn check(dir: &VariantDir) -> Result<bool> {
    let Some(tuned) = FineTuned::read(&dir.artifact(WORK))? else { return Ok(false) };
    tuned.check(&dir.artifact(ENCODER))?;
    Ok(true)
}

/// The files of a fine-tuned encoder that a tracking server gets, and their name: only the LoRA matrices if there are
/// any.
pub(super) fn artifacts(dir: &VariantDir) -> (PathBuf, &'static str) {
    let encoder = dir.artifact(ENCODER);
    let lora = encoder.join(LORA);
    if lora.is_dir() { (lora, "encoder/lora") } else { (encoder, ENCODER) }
}
