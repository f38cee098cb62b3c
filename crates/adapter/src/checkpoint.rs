//! States of a run on disk: enough to go on as if it had never stopped.
use crate::weights::{self, Named, Weights};
use crate::{Error, Result};
use manyview_core::publish::write_directory;
use manyview_core::{Embeddings, Fingerprint};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SCHEMA: &str = "manyview-training/1";
const TENSORS: &str = "state.safetensors";
pub(crate) const HISTORY: &str = "history.json";
const MANIFEST: &str = "manifest.json";
const KEPT: usize = 2;
const INTERVAL: Duration = Duration::from_secs(2);

/// The checkpoints of one run: those of another configuration, data or device have another key and are left alone.
pub(crate) struct Checkpoints {
    root: PathBuf,
    key: Fingerprint,
    written: Instant,
    /// The number of the last: of the steps or epochs done by then.
    last: usize,
}

/// What a checkpoint consists of, with the BLAKE3 of each file.
#[derive(Serialize, Deserialize)]
struct Manifest {
    schema: String,
    run: Fingerprint,
    files: BTreeMap<String, String>,
}

impl Checkpoints {
    /// The checkpoints below `root` of the run with that identity.
    pub(crate) fn new(root: &Path, key: Fingerprint) -> Self {
        Self { root: root.into(), key, written: Instant::now(), last: 0 }
    }

    /// Whether the last one is old enough for another.
    pub(crate) fn is_due(&self) -> bool {
        self.written.elapsed() >= INTERVAL
    }

    /// Whether the state of this number is still to be written: it is not the start, and not on disk already.
    pub(crate) fn lacks(&self, number: usize) -> bool {
        number > self.last
    }

    /// Writes the state of this number and removes all but the last two of this run.
    pub(crate) fn write(
        &mut self,
        number: usize,
        tensors: &[Named<'_>],
        history: &impl Serialize,
    ) -> Result<()> {
        let files = [(TENSORS, weights::serialize(tensors)?), (HISTORY, json(history)?)];
        let hash = |b: &[u8]| blake3::hash(b).to_hex().to_string();
        let manifest = Manifest {
            schema: SCHEMA.into(),
            run: self.key.clone(),
            files: files.iter().map(|(name, bytes)| (name.to_string(), hash(bytes))).collect(),
        };
        let manifest = json(&manifest)?;
        let [(_, tensors), (_, history)] = &files;
        let dir = self.root.join(format!("{}-{number:09}", self.key.short()));
        write_directory(&dir, &[(TENSORS, tensors), (HISTORY, history), (MANIFEST, &manifest)])?;
        (self.written, self.last) = (Instant::now(), number);
        for old in self.found()?.iter().skip(KEPT) {
            fs::remove_dir_all(old).map_err(Error::io(old))?;
        }
        Ok(())
    }

    /// The latest whole checkpoint of this run, as `state` reads it from tensors and history: its number, and
    /// the state. What a killed run was writing is removed; a damaged checkpoint is set aside under another name.
    pub(crate) fn latest<H: DeserializeOwned, S>(
        &mut self,
        state: impl Fn(&Weights<'_>, H) -> Result<(usize, S)>,
    ) -> Result<Option<S>> {
        for unfinished in self.named(|name| name.starts_with(&format!(".{}-", self.key.short())))? {
            fs::remove_dir_all(&unfinished).map_err(Error::io(&unfinished))?;
        }
        for dir in self.found()? {
            match self.read(&dir, &state) {
                Ok((number, state)) => {
                    self.last = number;
                    return Ok(Some(state));
                }
                Err(e) => {
                    let aside = dir.with_extension("damaged");
                    tracing::warn!(error = %e, to = %aside.display(), "checkpoint set aside");
                    fs::remove_dir_all(&aside).ok();
                    fs::rename(&dir, &aside).map_err(Error::io(&dir))?;
                }
            }
        }
        Ok(None)
    }

    /// The checkpoints of this run, latest first.
    fn found(&self) -> Result<Vec<PathBuf>> {
        let prefix = format!("{}-", self.key.short());
        self.named(|name| name.strip_prefix(&prefix).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())))
    }

    /// The entries of the directory whose names fit, in descending order.
    fn named(&self, fits: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
        if !self.root.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&self.root).map_err(Error::io(&self.root))?;
        let ours = entries.flatten().filter(|e| e.file_name().to_str().is_some_and(&fits));
        let mut found: Vec<PathBuf> = ours.map(|e| e.path()).collect();
        found.sort_by(|a, b| b.cmp(a));
        Ok(found)
    }

    fn read<H: DeserializeOwned, S>(
        &self,
        dir: &Path,
        state: impl Fn(&Weights<'_>, H) -> Result<(usize, S)>,
    ) -> Result<(usize, S)> {
        let path = dir.join(MANIFEST);
        let manifest: Manifest = parsed(&path, &fs::read(&path).map_err(Error::io(&path))?)?;
        if (manifest.schema.as_str(), &manifest.run) != (SCHEMA, &self.key) {
            let found = format!("{} of run {}", manifest.schema, manifest.run.short());
            return Err(Error::Damaged {
                path,
                expected: format!("{SCHEMA} of run {}", self.key.short()),
                found,
            });
        }
        let whole = |name: &str| {
            let path = dir.join(name);
            let bytes = fs::read(&path).map_err(Error::io(&path))?;
            let (expected, found) = (manifest.files.get(name), blake3::hash(&bytes).to_hex());
            match expected.filter(|e| e.as_str() == found.as_str()) {
                Some(_) => Ok((path, bytes)),
                None => Err(Error::Damaged {
                    path,
                    expected: format!("blake3 {}", expected.map_or("none", |e| e.as_str())),
                    found: found.to_string(),
                }),
            }
        };
        let (path, bytes) = whole(HISTORY)?;
        let history: H = parsed(&path, &bytes)?;
        let (path, bytes) = whole(TENSORS)?;
        state(&Weights::new(&path, &bytes)?, history)
    }
}

/// The identity of some rows, for a key.
pub(crate) fn hash(x: &Embeddings) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for row in x.rows() {
        hasher.update(&row.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
    }
    hasher.finalize().into()
}

/// A value as it is written to a checkpoint.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value)
        .map_err(|e| Error::Unwritable { what: "training checkpoint", reason: e.to_string() })
}

fn parsed<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| Error::Damaged {
        path: path.into(),
        expected: "part of a training checkpoint".into(),
        found: e.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_is_due_some_seconds_after_the_last() {
        let of = |written| Checkpoints {
            root: PathBuf::new(),
            key: Fingerprint::builder("run").finish(),
            written,
            last: 0,
        };
        assert!(!of(Instant::now()).is_due());
        assert!(Instant::now().checked_sub(INTERVAL).is_none_or(|long_ago| of(long_ago).is_due()));
    }

    #[test]
    fn rows_have_one_identity_and_other_rows_another() {
        let of = |values: &[f32]| hash(&Embeddings::new(values.to_vec(), 2).unwrap());
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0]), of(&[1.0, 2.0, 3.0, 4.0]));
        assert_ne!(of(&[1.0, 2.0, 3.0, 4.0]), of(&[3.0, 4.0, 1.0, 2.0]));
        assert_ne!(of(&[1.0, 2.0]), of(&[1.0, -2.0]));
    }
}
