//! The encoder of a variant: the configured one, or one fine-tuned from it in the variant's directory.

#[cfg(not(feature = "train"))]
mod absent;
#[cfg(feature = "train")]
mod training;

use super::directory::VariantDir;
use crate::config::Encoder;
use crate::{Error, Result};
use manyview_core::Fingerprint;
#[cfg(feature = "train")]
use manyview_encoder::finetune::Objective;
use manyview_encoder::finetune::{FineTuneConfig, FineTuned};
use std::fs;
use std::path::{Path, PathBuf};

/// Directory of the fine-tuned encoder, in a variant's directory and beside an exported head.
pub(crate) const ENCODER: &str = "encoder";
/// Key in the card of a head: the identity of the fine-tuning of its encoder.
pub(crate) const TUNED: &str = "tuned";
/// Directory of checkpoints and metrics of its training.
const WORK: &str = "tuning";
/// Directory of the low-rank changes in the encoder's.
const LORA: &str = "lora";
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

/// The encoder in the directory of a variant, where `run` is what was trained there last.
pub(crate) fn encoder_of(variant: &Path, run: &Fingerprint) -> Option<PathBuf> {
    let tuned = FineTuned::read(&variant.join(WORK)).ok()??;
    (tuned.run == *run).then(|| variant.join(ENCODER))
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

/// Copies the encoder in `from` to the new directory `to`; low-rank changes are in its weights already.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).map_err(Error::io(to))?;
    for entry in fs::read_dir(from).map_err(Error::io(from))? {
        let entry = entry.map_err(Error::io(from))?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true if path.ends_with(LORA) => {}
            true => copy(&path, &to)?,
            false => drop(fs::copy(&path, &to).map_err(Error::io(&path))?),
        }
    }
    Ok(())
}
