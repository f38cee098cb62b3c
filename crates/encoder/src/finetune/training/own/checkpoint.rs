//! A run on disk, between two steps: enough to go on as if it had never stopped.
use super::adamw::AdamW;
use crate::finetune::Method;
use crate::{Error, Result};
use manyview_core::publish::write_directory;
use manyview_core::{Error as CoreError, Fingerprint};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const SCHEMA: &str = "manyview-fine-tuning-own/2";
const STATE: &str = "state.safetensors";
const MANIFEST: &str = "manifest.json";
/// Tensors of a state, in order.
const TENSORS: [&str; 3] = ["values", "first", "second"];
const KEPT: usize = 2;

/// Values, moments, and sums of losses.
type State = (Vec<f32>, AdamW, Vec<f64>);

/// The checkpoints of one run: those of another have another key and are left alone.
pub(super) struct Checkpoints {
    root: PathBuf,
    key: Fingerprint,
    method: &'static str,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    schema: String,
    run: Fingerprint,
    /// What the values are of: `full`, the model's; `lora`, those of its low-rank changes.
    method: String,
    steps: u64,
    /// Sum of the loss over the examples of each epoch so far.
    losses: Vec<f64>,
    /// BLAKE3 of the state, by its name.
    files: BTreeMap<String, String>,
}

impl Checkpoints {
    pub(super) fn new(root: &Path, key: Fingerprint, method: &Method) -> Self {
        Self { root: root.into(), key, method: method.as_str() }
    }

    /// Writes what is trained and its moments; only the last two of this run stay.
    pub(super) fn write(&self, values: &[f32], adamw: &AdamW, losses: &[f64]) -> Result<()> {
        let bytes: Vec<Vec<u8>> = [values, &adamw.first, &adamw.second]
            .iter()
            .map(|values| values.iter().flat_map(|v| v.to_le_bytes()).collect())
            .collect();
        let dir = self.root.join(format!("{}-{:08}", self.key.short(), adamw.steps));
        let bad = |e: safetensors::SafeTensorError| Error::file(&dir, e.to_string());
        let views = TENSORS.iter().zip(&bytes).map(|(name, bytes)| {
            TensorView::new(Dtype::F32, vec![values.len()], bytes).map(|view| (*name, view)).map_err(bad)
        });
        let state = safetensors::serialize(views.collect::<Result<Vec<_>>>()?, None).map_err(bad)?;
        let manifest = Manifest {
            schema: SCHEMA.into(),
            run: self.key.clone(),
            method: self.method.into(),
            steps: adamw.steps,
            losses: losses.into(),
            files: BTreeMap::from([(STATE.to_string(), hash(&state))]),
        };
        let manifest = serde_json::to_vec_pretty(&manifest).map_err(|e| Error::file(&dir, e.to_string()))?;
        write_directory(&dir, &[(STATE, &state), (MANIFEST, &manifest)])?;
        for old in self.found()?.iter().skip(KEPT) {
            fs::remove_dir_all(old).map_err(Error::io(old))?;
        }
        Ok(())
    }

    /// What is trained, its moments and the losses so far, of the latest whole checkpoint of this run, of so many values. What
    /// a killed run was writing is removed; a damaged checkpoint is set aside under another name.
    pub(super) fn latest(&self, n: usize) -> Result<Option<State>> {
        for unfinished in self.named(|name| name.starts_with(&format!(".{}-", self.key.short())))? {
            fs::remove_dir_all(&unfinished).map_err(Error::io(&unfinished))?;
        }
        for dir in self.found()? {
            match self.read(&dir, n) {
                Ok(state) => return Ok(Some(state)),
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

    fn read(&self, dir: &Path, n: usize) -> Result<State> {
        let path = dir.join(MANIFEST);
        let bytes = fs::read(&path).map_err(Error::io(&path))?;
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|e| Error::file(&path, e.to_string()))?;
        let path = dir.join(STATE);
        let bytes = fs::read(&path).map_err(Error::io(&path))?;
        let is_its_own =
            manifest.schema == SCHEMA && manifest.run == self.key && manifest.method == self.method;
        let whole = is_its_own && manifest.files.get(STATE) == Some(&hash(&bytes));
        if !whole {
            return Err(Error::file(&path, "expected the state its manifest describes, found another"));
        }
        let file = SafeTensors::deserialize(&bytes).map_err(|e| Error::file(&path, e.to_string()))?;
        let values = |name: &str| {
            let tensor = file.tensor(name).map_err(|e| Error::file(&path, e.to_string()))?;
            match (tensor.dtype(), tensor.shape()) {
                (Dtype::F32, [found]) if *found == n => {
                    Ok(tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
                }
                (_, found) => Err(Error::file(&path, format!("expected {n} values of f32, found {found:?}"))),
            }
        };
        let [of_model, first, second] = TENSORS;
        let adamw = AdamW { first: values(first)?, second: values(second)?, steps: manifest.steps };
        Ok((values(of_model)?, adamw, manifest.losses))
    }

    /// The checkpoints of this run, latest first.
    fn found(&self) -> Result<Vec<PathBuf>> {
        let prefix = format!("{}-", self.key.short());
        self.named(|name| name.strip_prefix(&prefix).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())))
    }

    fn named(&self, fits: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(CoreError::Io { path: self.root.clone(), source }.into()),
        };
        let ours = entries.flatten().filter(|e| e.file_name().to_str().is_some_and(&fits));
        let mut found: Vec<PathBuf> = ours.map(|e| e.path()).collect();
        found.sort_by(|a, b| b.cmp(a));
        Ok(found)
    }
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
