//! The record of a fine-tuning, and the check of its result.
use crate::{Error, Result};
use manyview_core::Fingerprint;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::Path;

/// The record of a training, in its working directory.
const RECORD: &str = "fine_tuned.json";
const WEIGHTS: &str = "model.safetensors";

/// The result of [`FineTuner::run`](super::FineTuner::run).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FineTuned {
    /// Identity of everything the result depends on.
    pub run: Fingerprint,
    /// Number of steps.
    pub steps: usize,
    /// Pairs or texts it was trained on.
    pub examples: usize,
    /// Number of trained parameters.
    pub parameters: usize,
    /// Mean loss of each epoch.
    pub losses: Vec<f64>,
    /// Seconds, those before an interruption included.
    pub seconds: f64,
    /// BLAKE3 of the weights written.
    pub weights: String,
}

impl FineTuned {
    /// The record of the last fine-tuning in the working directory `work`, if any.
    ///
    /// # Errors
    /// A file that cannot be read or is no record.
    pub fn read(work: &Path) -> Result<Option<Self>> {
        let path = work.join(RECORD);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io(&path)(e)),
        };
        let broken = |e: serde_json::Error| {
            Error::file(
                &path,
                format!("expected the record of a training, found {e}; train again, which starts anew"),
            )
        };
        serde_json::from_slice(&bytes).map(Some).map_err(broken)
    }

    /// Checks that the encoder in `to` still has the weights of this run.
    ///
    /// # Errors
    /// Weights that are missing or different.
    pub fn check(&self, to: &Path) -> Result<()> {
        let found = weights(to)?;
        if found == self.weights {
            return Ok(());
        }
        let short = |hash: &str| hash.chars().take(12).collect::<String>();
        let (expected, found) = (short(&self.weights), short(&found));
        let problem = format!("expected the weights that training wrote (blake3 {expected}), found {found}");
        Err(Error::file(&to.join(WEIGHTS), format!("{problem}; train again, which starts anew")))
    }

    /// What [`FineTuner::run`](super::FineTuner::run) would return at once where all it depends on is `run`: what an
    /// earlier call did, if it is still there.
    pub fn earlier(run: &Fingerprint, work: &Path, to: &Path) -> Option<Self> {
        let earlier = Self::read(work).ok()??;
        (earlier.run == *run && earlier.check(to).is_ok()).then_some(earlier)
    }

    #[cfg(feature = "train")]
    pub(super) fn write(&self, work: &Path) -> Result<()> {
        let path = work.join(RECORD);
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::file(&path, e.to_string()))?;
        Ok(manyview_core::publish::write_whole(&path, &text)?)
    }
}

/// BLAKE3 of the weights in `dir`.
pub(super) fn weights(dir: &Path) -> Result<String> {
    let path = dir.join(WEIGHTS);
    let mut hasher = blake3::Hasher::new();
    let file = File::open(&path).map_err(Error::io(&path))?;
    hasher.update_reader(file).map_err(Error::io(&path))?;
    Ok(hasher.finalize().to_hex().to_string())
}
