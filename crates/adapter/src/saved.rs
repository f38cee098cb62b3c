use crate::form::Form;
use crate::occupied::occupied;
use crate::weights::{self, Named, Weights};
use crate::{Card, Error, Head, Linear, Maps, Result, Sides};
use manyview_core::publish::write_directory;
use manyview_core::{Embeddings, Fingerprint, Targets, Transform};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// The file of the card.
const CONFIG: &str = "config.json";
/// Name and version of the format that [`save`] writes and [`load`] reads.
const SCHEMA: &str = "manyview-artifact/1";

/// What was trained over the vectors of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    /// Maps to other vectors.
    Adapter(Maps),
    /// Layers to scores.
    Head(Head),
}

impl From<Maps> for Model {
    fn from(maps: Maps) -> Self {
        Self::Adapter(maps)
    }
}

impl From<Linear> for Model {
    fn from(linear: Linear) -> Self {
        Self::Adapter(linear.into())
    }
}

impl From<Head> for Model {
    fn from(head: Head) -> Self {
        Self::Head(head)
    }
}

/// An adapter or a head read from disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved<M = Model> {
    /// The maps, or the head.
    pub model: M,
    /// Where it comes from.
    pub card: Card,
    /// BLAKE3 of its weights file, 64 hex digits.
    pub weights_blake3: String,
}

impl Saved {
    /// The adapter it is.
    ///
    /// # Errors
    /// [`Error::OtherKind`] for a head.
    pub fn adapter(self) -> Result<Saved<Maps>> {
        match self.model {
            Model::Adapter(model) => {
                Ok(Saved { model, card: self.card, weights_blake3: self.weights_blake3 })
            }
            Model::Head(_) => Err(Error::OtherKind { expected: "an adapter", found: "a head" }),
        }
    }

    /// The head it is.
    ///
    /// # Errors
    /// [`Error::OtherKind`] for an adapter.
    pub fn head(self) -> Result<Saved<Head>> {
        match self.model {
            Model::Head(model) => Ok(Saved { model, card: self.card, weights_blake3: self.weights_blake3 }),
            Model::Adapter(_) => Err(Error::OtherKind { expected: "a head", found: "an adapter" }),
        }
    }
}

impl Saved<Maps> {
    /// The view of `x`, `[n, dim_in]`, as the encoder with that fingerprint made it: `[n, dim_out]`, L2-normalised. Of an
    /// adapter that maps queries and passages in different ways, that of queries.
    ///
    /// # Errors
    /// Another encoder, and as [`Maps::queries`].
    pub fn transform(&self, x: &Embeddings, encoder: &Fingerprint) -> Result<Embeddings> {
        self.card.expects(encoder)?;
        Ok(self.model.queries(x)?)
    }

    /// Its only matrix, where it maps all texts alike and linearly.
    ///
    /// # Errors
    /// [`Error::NotLinear`] for every other adapter.
    pub fn linear(&self) -> Result<&Linear> {
        let refused = |found: String| Error::NotLinear { found };
        let map = self.model.shared().ok_or_else(|| {
            refused(match self.model.sides() {
                Sides::Dual => "one with a map of queries and another of passages (dual)".into(),
                _ => "one of queries alone (query-only)".into(),
            })
        })?;
        map.as_linear().ok_or_else(|| refused(format!("one of shape {}", map.shape().as_str())))
    }
}

impl Saved<Head> {
    /// The scores of `x`, `[n, dim_in]`, as the encoder with that fingerprint made it: `[n, dim_out]`.
    ///
    /// # Errors
    /// Another encoder, and as [`Head`]'s transform.
    pub fn transform(&self, x: &Embeddings, encoder: &Fingerprint) -> Result<Targets> {
        self.card.expects(encoder)?;
        Ok(self.model.transform(x)?)
    }
}

/// What `config.json` holds.
#[derive(Serialize, Deserialize)]
struct Config {
    schema: String,
    #[serde(flatten)]
    card: Card,
    #[serde(flatten)]
    form: Form,
    /// BLAKE3 of the weights file, 64 hex digits.
    weights_blake3: String,
}

/// Writes `dir/config.json`, and `dir/adapter.safetensors` or `dir/head.safetensors`. They appear together or not at all. One
/// of the same kind already saved there is replaced, and removed once the new one stands.
///
/// # Errors
/// A card that does not match the model, maps of different shapes, a directory in use for something else, whatever the
/// system says.
pub fn save(dir: &Path, model: &Model, card: &Card) -> Result<()> {
    let form = Form::of(model)?;
    Form::check(model, card)?;
    if occupied(dir, &[CONFIG, form.file()]) {
        return Err(Error::Occupied { path: dir.into() });
    }
    let tensors = Form::tensors(model);
    let tensors: Vec<Named<'_>> = tensors.iter().map(|(n, s, v)| (n.as_str(), s.clone(), *v)).collect();
    let bytes = weights::serialize(&tensors)?;
    let (file, weights_blake3) = (form.file(), blake3::hash(&bytes).to_hex().to_string());
    let config = Config { schema: SCHEMA.into(), card: card.clone(), form, weights_blake3 };
    let config = serde_json::to_vec_pretty(&config)
        .map_err(|e| Error::Unwritable { what: "the card of an artifact", reason: e.to_string() })?;
    Ok(write_directory(dir, &[(file, &bytes), (CONFIG, &config)])?)
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// A missing, truncated, foreign or changed file, by name; [`Error::Earlier`] for what an earlier release saved.
pub fn load(dir: &Path) -> Result<Saved> {
    let path = dir.join(CONFIG);
    let bytes = fs::read(&path).map_err(Error::io(&path))?;
    let damaged =
        |path: &Path, expected: String, found: String| Error::Damaged { path: path.into(), expected, found };
    let no_card =
        |e: serde_json::Error| damaged(&path, "the card of an adapter or a head".into(), e.to_string());
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(no_card)?;
    match value.get("schema").and_then(|schema| schema.as_str()) {
        Some(SCHEMA) => {}
        Some(found) if found.starts_with("manyview-") => {
            return Err(Error::Earlier { path, expected: SCHEMA, found: found.into() });
        }
        found => return Err(damaged(&path, format!("schema {SCHEMA:?}"), format!("{found:?}"))),
    }
    let Config { card, form, weights_blake3, .. } = serde_json::from_slice(&bytes).map_err(no_card)?;
    let path = dir.join(form.file());
    let bytes = fs::read(&path).map_err(Error::io(&path))?;
    let hash = blake3::hash(&bytes).to_hex();
    if hash.as_str() != weights_blake3 {
        let of = |h: &str| format!("blake3 {}", h.get(..12).unwrap_or(h));
        return Err(damaged(&path, of(&weights_blake3), of(&hash)));
    }
    let model = form.read(&card, &Weights::new(&path, &bytes)?)?;
    Form::check(&model, &card)?;
    Ok(Saved { model, card, weights_blake3 })
}
