//! States of a run on disk: enough to go on as if it had never stopped.
use crate::tensors::{self, Tensors};
use crate::{Error, Result};
use burn::tensor::TensorData;
use manyview_core::Fingerprint;
use manyview_core::publish::write_directory;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SCHEMA: &str = "manyview-training/2";
const TENSORS: &str = "state.safetensors";
pub(crate) const HISTORY: &str = "history.json";
const MANIFEST: &str = "manifest.json";
const KEPT: usize = 2;
const INTERVAL: Duration = Duration::from_secs(2);
/// Of the time, one part in so many goes into writing.
const SHARE: u32 = 20;

/// The checkpoints of one run: those of another configuration, data or device have another key and are left alone.
pub(crate) struct Checkpoints {
    root: PathBuf,
    key: Fingerprint,
    /// Steps from one to the next; without it they are some seconds apart.
    every: Option<usize>,
    /// When the last was written, and how long that took.
    written: (Instant, Duration),
    /// The steps done by then.
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
    pub(crate) fn new(root: &Path, key: Fingerprint, every: Option<usize>) -> Self {
        Self { root: root.into(), key, every, written: (Instant::now(), Duration::ZERO), last: 0 }
    }

    /// Whether after so many steps the last one is old enough for another. Without a number of steps, writing takes a
    /// small share of the time.
    pub(crate) fn is_due(&self, steps: usize) -> bool {
        let (written, took) = self.written;
        self.every.map_or_else(
            || written.elapsed() >= INTERVAL.max(took * SHARE),
            |every| steps >= self.last + every,
        )
    }

    /// Whether the state after so many steps is still to be written: it is not the start, and not on disk already.
    pub(crate) fn lacks(&self, steps: usize) -> bool {
        steps > self.last
    }

    /// Writes the state after so many steps and removes all but the last two of this run.
    pub(crate) fn write(
        &mut self,
        steps: usize,
        tensors: &[(String, TensorData)],
        history: &impl Serialize,
    ) -> Result<()> {
        let begun = Instant::now();
        let files = [(TENSORS, tensors::serialize(tensors)?), (HISTORY, json(history)?)];
        let hash = |b: &[u8]| blake3::hash(b).to_hex().to_string();
        let manifest = Manifest {
            schema: SCHEMA.into(),
            run: self.key.clone(),
            files: files.iter().map(|(name, bytes)| (name.to_string(), hash(bytes))).collect(),
        };
        let manifest = json(&manifest)?;
        let [(_, tensors), (_, history)] = &files;
        let dir = self.root.join(format!("{}-{steps:09}", self.key.short()));
        write_directory(&dir, &[(TENSORS, tensors), (HISTORY, history), (MANIFEST, &manifest)])?;
        (self.written, self.last) = ((Instant::now(), begun.elapsed()), steps);
        for old in self.found()?.iter().skip(KEPT) {
            fs::remove_dir_all(old).map_err(Error::io(old))?;
        }
        Ok(())
    }

    /// The latest whole checkpoint of this run, as `state` reads it from tensors and history: its number of
    /// steps, and the state. What a killed run was writing is removed; a damaged checkpoint is set aside under another name.
    pub(crate) fn latest<H: DeserializeOwned, S>(
        &mut self,
        state: impl Fn(&Tensors<'_>, H) -> Result<(usize, S)>,
    ) -> Result<Option<S>> {
        for unfinished in self.named(|name| name.starts_with(&format!(".{}-", self.key.short())))? {
            fs::remove_dir_all(&unfinished).map_err(Error::io(&unfinished))?;
        }
        for dir in self.found()? {
            match self.read(&dir, &state) {
                Ok((steps, state)) => {
                    self.last = steps;
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
        state: impl Fn(&Tensors<'_>, H) -> Result<(usize, S)>,
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
        state(&Tensors::new(&path, &bytes)?, history)
    }
}

/// A value as it is written to a checkpoint.
fn json(value: &impl Serialize) -> Result<Vec<u8>> {
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

    fn checkpoints(every: Option<usize>) -> Checkpoints {
        Checkpoints::new(Path::new(""), Fingerprint::builder("run").finish(), every)
    }

    #[test]
    fn another_is_due_some_seconds_after_the_last_or_later_where_writing_takes_long() {
        let of = |written| Checkpoints { written, ..checkpoints(None) };
        let Some(before) = Instant::now().checked_sub(INTERVAL) else { return };
        assert!(!checkpoints(None).is_due(9));
        assert!(of((before, Duration::ZERO)).is_due(1));
        assert!(!of((before, INTERVAL)).is_due(1));
    }

    #[test]
    fn with_a_number_of_steps_another_is_due_after_as_many() {
        let due = |c: &Checkpoints| (0..5).map(|steps| c.is_due(steps)).collect::<Vec<_>>();
        assert_eq!(due(&checkpoints(Some(3))), [false, false, false, true, true]);
        assert_eq!(due(&Checkpoints { last: 1, ..checkpoints(Some(3)) }), [false, false, false, false, true]);
    }
}
