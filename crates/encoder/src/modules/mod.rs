//! The modules of sentence-transformers that stand behind the pooling, in the order of `modules.json`.

mod activation;
mod dense;
mod layer_norm;

use crate::json_file::json;
use crate::sentence_bert::says_nothing;
use crate::{Error, Result};
use dense::Dense;
use layer_norm::Norm;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The name of a module's configuration, in its directory.
const CONFIG: &str = "config.json";
/// What modules behind the pooling read and write.
const EMBEDDING: &str = "sentence_embedding";

/// A module that `modules.json` names behind the pooling.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) kind: Kind,
    pub(crate) dir: PathBuf,
}

/// The kinds of modules behind the pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Dense,
    LayerNorm,
    Dropout,
    Normalize,
}

impl Kind {
    /// Of the last part of a class's name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "Dense" => Self::Dense,
            "LayerNorm" => Self::LayerNorm,
            "Dropout" => Self::Dropout,
            "Normalize" => Self::Normalize,
            _ => return None,
        })
    }

    /// The name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Dense => "Dense",
            Self::LayerNorm => "LayerNorm",
            Self::Dropout => "Dropout",
            Self::Normalize => "Normalize",
        }
    }
}

enum Module {
    Dense(Box<Dense>),
    LayerNorm(Norm),
    Normalize,
}

/// What becomes of a pooled vector before it is normalised.
pub(crate) struct Modules {
    modules: Vec<Module>,
    dim: usize,
    identity: Vec<Vec<u8>>,
}

impl Modules {
    /// Loads modules for pooled vectors of length `dim`. A last normalisation is left to whoever normalises.
    pub(crate) fn load(named: &[Named], dim: usize) -> Result<Self> {
        let mut loaded = Self { modules: Vec::new(), dim, identity: Vec::new() };
        for Named { kind, dir } in named {
            let module = match kind {
                Kind::Dense => {
                    let dense = Dense::load(dir, loaded.dim)?;
                    loaded.dim = dense.dim_out();
                    Module::Dense(Box::new(dense))
                }
                Kind::LayerNorm => Module::LayerNorm(Norm::load(dir, loaded.dim)?),
                Kind::Normalize => config(dir, &[]).map(|_| Module::Normalize)?,
                Kind::Dropout => {
                    config(dir, &["dropout"])?;
                    continue; // of training alone
                }
            };
            loaded.modules.push(module);
            loaded.identity.push(identity(*kind, dir)?);
        }
        while matches!(loaded.modules.last(), Some(Module::Normalize)) {
            loaded.modules.pop();
            loaded.identity.pop();
        }
        Ok(loaded)
    }

    /// The length of what they give.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// What their values depend on, for the fingerprint: nothing where there is none to compute.
    pub(crate) fn identity(&self) -> &[Vec<u8>] {
        &self.identity
    }

    /// Rows of pooled vectors through all of them.
    pub(crate) fn apply(&self, mut rows: Vec<f32>, mut dim: usize) -> Result<Vec<f32>> {
        for module in &self.modules {
            match module {
                Module::Dense(dense) => {
                    rows = dense.apply(&rows)?;
                    dim = dense.dim_out();
                }
                Module::LayerNorm(norm) => norm.apply(&mut rows),
                Module::Normalize => rows.chunks_exact_mut(dim).for_each(normalize),
            }
        }
        Ok(rows)
    }
}

/// Scales a row to length 1, as torch does: one of zeros stays.
fn normalize(row: &mut [f32]) {
    let norm = row.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
    row.iter_mut().for_each(|v| *v /= norm);
}

/// The kind of a module and the bytes of its files.
fn identity(kind: Kind, dir: &Path) -> Result<Vec<u8>> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.as_str().as_bytes());
    for path in [CONFIG, "model.safetensors"].map(|name| dir.join(name)) {
        if path.is_file() {
            let file = std::fs::File::open(&path).map_err(Error::io(&path))?;
            hasher.update_reader(file).map_err(Error::io(&path))?;
        }
    }
    Ok(hasher.finalize().as_bytes().to_vec())
}

/// Reads the configuration of a module, and refuses keys that are not in `known` and say something.
fn config(dir: &Path, known: &[&str]) -> Result<Map<String, Value>> {
    let path = dir.join(CONFIG);
    let found: Map<String, Value> = json(&path)?.unwrap_or_default();
    for (key, value) in &found {
        let fine = match key.as_str() {
            "module_input_name" | "module_output_name" => value.is_null() || value == EMBEDDING,
            key => known.contains(&key) || says_nothing(value),
        };
        if !fine {
            return Err(Error::Unsupported {
                path,
                what: "setting of a module",
                found: format!("{key}: {value}"),
                supported: format!("modules that read and write {EMBEDDING}, with {}", known.join(", ")),
            });
        }
    }
    Ok(found)
}

/// A number of a module's configuration, which must be `expected` where that is known.
fn size(dir: &Path, config: &Map<String, Value>, key: &str, expected: Option<usize>) -> Result<usize> {
    let found = config.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let fits = found.filter(|&n| n > 0 && expected.is_none_or(|expected| n == expected));
    fits.ok_or_else(|| {
        let expected =
            expected.map_or("a length of vectors".into(), |n| format!("{n}, the length before it"));
        let found = config.get(key).map_or("none".into(), Value::to_string);
        Error::file(&dir.join(CONFIG), format!("{key}: expected {expected}, found {found}"))
    })
}
