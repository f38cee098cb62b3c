use crate::trained_encoder::{ENCODER, TUNED, trained_in};
use crate::{Encoder, Error, Result, to_json};
use manyview_adapter::{Card, Head, Maps, Model};
use manyview_core::Fingerprint;
use manyview_core::publish::write_whole;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The card of an encoder that was trained here, beside its own `config.json`.
const ENCODER_CARD: &str = "manyview.json";
/// The record of a fit, in the directory of a variant.
pub const FIT: &str = "fit.json";
/// Where the directory of a run or a variant has what was trained.
const PLACES: [&str; 3] = ["adapter", "head", ENCODER];
/// Files by which the directory of an artifact is known.
const MARKS: [&str; 3] = ["adapter.safetensors", "head.safetensors", ENCODER_CARD];

/// What was trained.
#[derive(Clone, Debug, PartialEq)]
pub enum Artifact {
    /// Maps vectors to other vectors.
    Adapter(Maps),
    /// Gives vectors scores.
    Head(Head),
    /// Encodes texts: a model directory of its own.
    Encoder,
}

/// What was trained, where it lies, and what it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Its directory.
    pub dir: PathBuf,
    /// The maps, or the layers.
    pub artifact: Artifact,
    /// The task, and the encoder it takes vectors of.
    pub card: Card,
    /// BLAKE3 of its weights file, 64 hex digits; empty for an encoder, whose fingerprint is in its card.
    pub weights_blake3: String,
}

/// Opens what was trained: a run directory, a variant's directory in it, the directory of an adapter, a head or an encoder,
/// an export of that form, or one that was fetched from a hub.
///
/// # Errors
/// None there, or several: the run has variants, which are listed. Files that are damaged, or of an earlier release.
pub fn open(path: &Path) -> Result<Opened> {
    let dir = find(path)?;
    if dir.join(ENCODER_CARD).is_file() {
        let card = read_encoder_card(&dir)?;
        return Ok(Opened { dir, artifact: Artifact::Encoder, card, weights_blake3: String::new() });
    }
    let saved = manyview_adapter::load(&dir)?;
    let artifact = match saved.model {
        Model::Adapter(maps) => Artifact::Adapter(maps),
        Model::Head(head) => Artifact::Head(head),
    };
    Ok(Opened { dir, artifact, card: saved.card, weights_blake3: saved.weights_blake3 })
}

/// Says in the directory of an encoder what it was trained for.
///
/// # Errors
/// A file that cannot be written.
pub fn write_encoder_card(dir: &Path, card: &Card) -> Result<()> {
    let path = dir.join(ENCODER_CARD);
    Ok(write_whole(&path, &to_json(&path, card)?)?)
}

impl Opened {
    /// The encoder whose vectors it takes, or that it is, unless another is asked for.
    ///
    /// # Errors
    /// Settings in the card that are none.
    pub fn encoder(&self, asked: Option<&str>, device: &str) -> Result<Encoder> {
        let learnt = match self.artifact {
            Artifact::Encoder => Some(self.dir.clone()),
            _ => self.tuned_encoder(),
        };
        let learnt = learnt.map(|dir| dir.display().to_string());
        encoder_of(&self.card, asked.or(learnt.as_deref()), device)
    }

    /// That an adapter or a head was expected, and this is an encoder.
    pub(crate) fn is_encoder(&self) -> Error {
        let dir = self.dir.display();
        let problem = "expected an adapter or a head, found an encoder that was trained; `manyview infer` takes it for \
                       texts, alone, and it is a whole model for encoder.model, --encoder and sentence-transformers";
        Error::setting(&format!("--adapter {dir}"), problem)
    }

    /// The encoder that was trained below the head: beside it in a run, within it where it was exported.
    pub(crate) fn tuned_encoder(&self) -> Option<PathBuf> {
        let run: Fingerprint = serde_json::from_value(self.card.settings.get(TUNED)?.clone()).ok()?;
        let beside = self.dir.parent().and_then(|variant| trained_in(variant, &run));
        beside.or_else(|| Some(self.dir.join(ENCODER)).filter(|dir| dir.is_dir()))
    }
}

/// The encoder that `card` names, unless another is asked for.
fn encoder_of(card: &Card, asked: Option<&str>, device: &str) -> Result<Encoder> {
    let setting = |key: &str| card.settings.get(key);
    let text = |key: &str| setting(key).and_then(Value::as_str).map(String::from);
    let model = asked.map(String::from).or_else(|| text("model")).unwrap_or_else(|| card.encoder.clone());
    let number = |key: &str| match setting(key).map(|v| v.as_u64().and_then(|n| usize::try_from(n).ok())) {
        Some(None) => Err(Error::setting(key, "expected a number in config.json of what was fitted")),
        found => Ok(found.flatten()),
    };
    let (max_length, truncate_dim) = (number("max_length")?, number("truncate_dim")?);
    let revision = text("revision").unwrap_or_else(|| Encoder::default().revision);
    let (weights, long) = (choice(card, "weights")?, choice(card, "long")?);
    Ok(Encoder {
        model,
        revision,
        device: device.into(),
        max_length,
        truncate_dim,
        long,
        weights,
        ..Encoder::default()
    })
}

/// A setting of the encoder that has a few names; the default where the card has none.
fn choice<T: DeserializeOwned + Default>(card: &Card, key: &str) -> Result<T> {
    let found = card.settings.get(key).cloned().map(serde_json::from_value).transpose();
    let found = found.map_err(|e| Error::setting(key, format!("{e}, in config.json of what was fitted")))?;
    Ok(found.unwrap_or_default())
}

/// The directory that `path` leads to.
fn find(path: &Path) -> Result<PathBuf> {
    if is_artifact(path) {
        return Ok(path.into());
    }
    if let Some(dir) = latest_in(path) {
        return Ok(dir);
    }
    let entries = std::fs::read_dir(path).map_err(Error::io(path))?.flatten().map(|e| e.path());
    let mut variants: Vec<String> =
        entries.filter(|e| latest_in(e).is_some()).map(|e| e.display().to_string()).collect();
    variants.sort();
    Err(match variants.is_empty() {
        true => Error::Missing {
            path: path.into(),
            missing: "an adapter, a head or an encoder that was trained here, found none".into(),
            cure: "train".into(),
        },
        false => {
            let (n, names) = (variants.len(), variants.join(", "));
            let problem = format!("expected one artifact, found {n} below; name one of {names}");
            Error::setting(&path.display().to_string(), problem)
        }
    })
}

fn is_artifact(dir: &Path) -> bool {
    MARKS.iter().any(|name| dir.join(name).is_file())
}

/// What was fitted last in the directory of a run or a variant, as `fit.json` says; else what is there.
fn latest_in(dir: &Path) -> Option<PathBuf> {
    let record = std::fs::read(dir.join(FIT)).ok();
    let record = record.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let latest = record.as_ref().and_then(|record| record.get("artifact")?.as_str());
    let places = latest.into_iter().chain(PLACES).map(|name| dir.join(name));
    places.into_iter().find(|dir| is_artifact(dir))
}

fn read_encoder_card(dir: &Path) -> Result<Card> {
    let path = dir.join(ENCODER_CARD);
    let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
    let problem =
        |e| format!("expected the card of an encoder that was trained here, found {e}; train it again");
    serde_json::from_slice(&bytes).map_err(|e: serde_json::Error| Error::File { path, problem: problem(e) })
}
