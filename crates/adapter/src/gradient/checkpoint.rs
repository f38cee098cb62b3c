//! A run on disk, between two epochs: enough to go on as if it had never stopped.
use super::parameters::{Moments, Parameters, Values};
use super::training::State;
use super::{Epoch, Gradient, Monitored};
use crate::publish::publish;
use crate::weights::{self, Named, Weights};
use crate::{Error, Linear, Result};
use burn::tensor::Device;
use manyview_core::{Embeddings, Fingerprint};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SCHEMA: &str = "manyview-training/1";
const TENSORS: &str = "state.safetensors";
const HISTORY: &str = "history.json";
const MANIFEST: &str = "manifest.json";
const KEPT: usize = 2;
const INTERVAL: Duration = Duration::from_secs(2);

/// The checkpoints of one run: those of another configuration, data or device have another key and are left alone.
pub(super) struct Checkpoints {
    root: PathBuf,
    key: Fingerprint,
    device: Device,
    /// dim_in and dim_out.
    shape: (usize, usize),
    bias: bool,
    monitored: bool,
    written: Instant,
    /// The epoch last written.
    epoch: usize,
}

/// What a checkpoint consists of, with the BLAKE3 of each file.
#[derive(Serialize, Deserialize)]
struct Manifest {
    schema: String,
    run: Fingerprint,
    files: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct History {
    steps: usize,
    epochs: Vec<Epoch>,
}

impl Checkpoints {
    pub(super) fn new(root: &Path, gradient: &Gradient, data: &Monitored<'_>) -> Result<Self> {
        Ok(Self {
            root: root.into(),
            key: key(gradient, data)?,
            device: gradient.device.clone(),
            shape: (data.train.base().dim(), data.train.teacher().dim()),
            bias: gradient.config.bias,
            monitored: data.score.is_some() || data.validation.is_some(),
            written: Instant::now(),
            epoch: 0,
        })
    }

    /// Whether the last one is old enough for another.
    pub(super) fn is_due(&self) -> bool {
        self.written.elapsed() >= INTERVAL
    }

    /// Writes `state` and removes all but the last two of this run. Before the first epoch, and where it is on disk
    /// already, there is nothing to write.
    pub(super) fn write(&mut self, state: &State) -> Result<()> {
        let epoch = state.history.len();
        let Some(moments) = state.parameters.moments().filter(|_| epoch > self.epoch) else { return Ok(()) };
        let tensors = self.tensors(&state.parameters.linear()?, &moments, state.best.as_ref())?;
        let history = json(&History { steps: moments.steps, epochs: state.history.clone() })?;
        let files = [(TENSORS, tensors), (HISTORY, history)];
        let hash = |b: &[u8]| blake3::hash(b).to_hex().to_string();
        let manifest = Manifest {
            schema: SCHEMA.into(),
            run: self.key.clone(),
            files: files.iter().map(|(name, bytes)| (name.to_string(), hash(bytes))).collect(),
        };
        let manifest = json(&manifest)?;
        let [(_, tensors), (_, history)] = &files;
        let dir = self.root.join(format!("{}-{epoch:06}", self.key.short()));
        publish(&dir, &[(TENSORS, tensors), (HISTORY, history), (MANIFEST, &manifest)])?;
        (self.written, self.epoch) = (Instant::now(), epoch);
        for old in self.found()?.iter().skip(KEPT) {
            fs::remove_dir_all(old).map_err(Error::io(old))?;
        }
        Ok(())
    }

    /// The latest whole checkpoint of this run. What a killed run was writing is removed; a damaged checkpoint is set
    /// aside under another name.
    pub(super) fn latest(&mut self) -> Result<Option<State>> {
        for unfinished in self.named(|name| name.starts_with(&format!(".{}-", self.key.short())))? {
            fs::remove_dir_all(&unfinished).map_err(Error::io(&unfinished))?;
        }
        for dir in self.found()? {
            match self.read(&dir) {
                Ok(state) => {
                    self.epoch = state.history.len();
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

    fn read(&self, dir: &Path) -> Result<State> {
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
        let history: History = parsed(&path, &bytes)?;
        let (path, bytes) = whole(TENSORS)?;
        let tensors = Weights::new(&path, &bytes)?;
        let linear = self.linear(&tensors, "")?;
        let (first, second) = (self.values(&tensors, "first_")?, self.values(&tensors, "second_")?);
        let moments = Moments { steps: history.steps, first, second };
        Ok(State {
            parameters: Parameters::new(&linear, Some(&moments), &self.device),
            history: history.epochs,
            best: self.monitored.then(|| self.linear(&tensors, "best_")).transpose()?,
        })
    }

    fn tensors(&self, linear: &Linear, moments: &Moments, best: Option<&Linear>) -> Result<Vec<u8>> {
        let mut tensors: Vec<(String, &[f32])> = Vec::new();
        let mut add = |prefix: &str, weight, bias: Option<_>| {
            tensors.push((format!("{prefix}weight"), weight));
            tensors.extend(bias.map(|b| (format!("{prefix}bias"), b)));
        };
        add("", linear.weight(), linear.bias());
        add("first_", &moments.first.weight, moments.first.bias.as_deref());
        add("second_", &moments.second.weight, moments.second.bias.as_deref());
        if let Some(best) = best {
            add("best_", best.weight(), best.bias());
        }
        let named: Vec<Named<'_>> = tensors.iter().map(|(n, v)| (n.as_str(), self.shape_of(n), *v)).collect();
        weights::serialize(&named)
    }

    fn shape_of(&self, name: &str) -> Vec<usize> {
        if name.ends_with("bias") { vec![self.shape.1] } else { vec![self.shape.0, self.shape.1] }
    }

    fn values(&self, tensors: &Weights<'_>, prefix: &str) -> Result<Values> {
        let of = |kind: &str| {
            let name = format!("{prefix}{kind}");
            tensors.values(&name, &self.shape_of(&name))
        };
        Ok(Values { weight: of("weight")?, bias: self.bias.then(|| of("bias")).transpose()? })
    }

    fn linear(&self, tensors: &Weights<'_>, prefix: &str) -> Result<Linear> {
        let Values { weight, bias } = self.values(tensors, prefix)?;
        Linear::new(weight, self.shape.0, bias)
    }
}

/// What a run depends on: configuration, data, device, and whether there is a score.
fn key(gradient: &Gradient, data: &Monitored<'_>) -> Result<Fingerprint> {
    let mut key = Fingerprint::builder(SCHEMA)
        .field("config", &json(&gradient.config)?)
        .field("device", format!("{:?}", gradient.device).as_bytes())
        .field("score", &[u8::from(data.score.is_some())]);
    for (name, pairs) in [("train", Some(&data.train)), ("validation", data.validation.as_ref())] {
        for x in pairs.iter().flat_map(|p| [p.base(), p.teacher()]) {
            key = key.field(name, &(x.dim() as u64).to_le_bytes()).field(name, &hash(x));
        }
    }
    Ok(key.finish())
}

fn hash(x: &Embeddings) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for row in x.rows() {
        hasher.update(&row.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
    }
    hasher.finalize().into()
}

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
