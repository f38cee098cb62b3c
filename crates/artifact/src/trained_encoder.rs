//! An encoder that was trained: in the directory of a run's variant, and beside an exported head.

use crate::{Error, Result};
use manyview_core::Fingerprint;
use manyview_encoder::finetune::FineTuned;
use std::fs;
use std::path::{Path, PathBuf};

/// Its directory.
pub const ENCODER: &str = "encoder";
/// Key in the card of a head: the identity of the fine-tuning of its encoder.
pub const TUNED: &str = "tuned";
/// The directory of checkpoints and metrics of its training, beside its own.
pub const WORK: &str = "tuning";
/// The directory of the low-rank changes, in its own.
pub const LORA: &str = "lora";

/// The encoder in the directory of a variant, where `run` is what was trained there last.
pub(crate) fn trained_in(variant: &Path, run: &Fingerprint) -> Option<PathBuf> {
    let tuned = FineTuned::read(&variant.join(WORK)).ok()??;
    (tuned.run == *run).then(|| variant.join(ENCODER))
}

/// Copies the encoder in `from` to the new directory `to`; low-rank changes are in its weights already.
///
/// # Errors
/// Files that cannot be read or written.
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
