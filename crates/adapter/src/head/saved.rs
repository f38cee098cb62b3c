use super::{Head, Isotonic, Layer};
use crate::occupied::occupied;
use crate::weights::{self, Named, Weights};
use crate::{Error, Result};
use manyview_core::publish::write_directory;
use manyview_core::{Embeddings, Error as CoreError, Fingerprint, Targets, Transform};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "head.safetensors";

/// Where a head comes from, what its figures are, and which encoder its inputs must come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadCard {
    /// Always [`HeadCard::SCHEMA`].
    pub schema: String,
    /// The encoder, as people name it.
    pub encoder: String,
    /// The encoder, exactly.
    pub encoder_fingerprint: Fingerprint,
    /// Length of the vectors it takes.
    pub dim_in: usize,
    /// What the oracle looks for: the name of its filter.
    pub filter: String,
    /// What each figure is, in order.
    pub dimensions: Vec<HeadDimension>,
    /// The tiers of the weighted score, from the highest threshold to the lowest.
    pub tiers: Vec<HeadTier>,
    /// How it was fitted.
    pub method: String,
    /// The number of rows it was fitted on.
    pub n_train: usize,
    /// Whatever the caller needs to find the encoder again: model, revision, maximum length.
    #[serde(default)]
    pub settings: BTreeMap<String, serde_json::Value>,
}

/// One figure a head gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadDimension {
    /// Its name.
    pub name: String,
    /// Its share of the weighted score.
    pub weight: f64,
}

/// A name for weighted scores of at least some threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadTier {
    /// Its name.
    pub name: String,
    /// The lowest weighted score in it.
    pub threshold: f64,
}

impl HeadCard {
    /// Name and version of the format that [`save_head`] writes and [`load_head`] reads.
    pub const SCHEMA: &'static str = "manyview-head/1";
}

/// A head read from disk.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedHead {
    /// The head.
    pub head: Head,
    /// Where it comes from.
    pub card: HeadCard,
}

impl SavedHead {
    /// The figures of `x`, `[n, dim_in]`, as the encoder with that fingerprint made it: `[n, dim_out]`.
    ///
    /// # Errors
    /// Another encoder, and as [`Head`]'s transform.
    pub fn transform(&self, x: &Embeddings, encoder: &Fingerprint) -> Result<Targets> {
        if *encoder != self.card.encoder_fingerprint {
            return Err(CoreError::Fingerprint {
                what: format!("head for {:?} of {}", self.card.filter, self.card.encoder),
                expected: self.card.encoder_fingerprint.short().into(),
                found: encoder.short().into(),
            }
            .into());
        }
        Ok(self.head.transform(x)?)
    }
}

/// What `config.json` holds.
#[derive(Serialize, Deserialize)]
struct Config {
    #[serde(flatten)]
    card: HeadCard,
    /// Widths of the layers between vector and figures.
    hidden: Vec<usize>,
    /// The curve of each dimension, where it is calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calibration: Option<Vec<Isotonic>>,
    /// BLAKE3 of the weights file, 64 hex digits.
    weights_blake3: String,
}

/// Writes `dir/head.safetensors` and `dir/config.json`. They appear together or not at all; a head already saved there is
/// replaced.
///
/// # Errors
/// A card that does not match the head, a directory in use for something else, whatever the system says.
pub fn save_head(dir: &Path, head: &Head, card: &HeadCard) -> Result<()> {
    check(card, head)?;
    if occupied(dir, &[CONFIG, WEIGHTS]) {
        return Err(Error::Occupied { path: dir.into() });
    }
    let named: Vec<(String, Vec<usize>, &[f32])> =
        head.layers().iter().enumerate().flat_map(of_layer).collect();
    let tensors: Vec<Named<'_>> = named.iter().map(|(n, s, v)| (n.as_str(), s.clone(), *v)).collect();
    let bytes = weights::serialize(&tensors)?;
    let config = Config {
        card: card.clone(),
        hidden: head.layers().iter().skip(1).map(Layer::dim_in).collect(),
        calibration: head.calibration().map(<[Isotonic]>::to_vec),
        weights_blake3: blake3::hash(&bytes).to_hex().to_string(),
    };
    let config = serde_json::to_vec_pretty(&config)
        .map_err(|e| Error::Unwritable { what: "head card", reason: e.to_string() })?;
    Ok(write_directory(dir, &[(WEIGHTS, &bytes), (CONFIG, &config)])?)
}

/// Reads what [`save_head`] wrote.
///
/// # Errors
/// A missing, truncated, foreign or changed file, by name.
pub fn load_head(dir: &Path) -> Result<SavedHead> {
    let path = dir.join(CONFIG);
    let bytes = fs::read(&path).map_err(Error::io(&path))?;
    let damaged = |path: &Path, expected: &str, found: String| Error::Damaged {
        path: path.into(),
        expected: expected.into(),
        found,
    };
    let config: Config = serde_json::from_slice(&bytes)
        .map_err(|e| damaged(&path, "the card of a saved head", e.to_string()))?;
    if config.card.schema != HeadCard::SCHEMA {
        return Err(damaged(&path, HeadCard::SCHEMA, format!("{:?}", config.card.schema)));
    }
    let path = dir.join(WEIGHTS);
    let bytes = fs::read(&path).map_err(Error::io(&path))?;
    let hash = blake3::hash(&bytes).to_hex();
    if hash.as_str() != config.weights_blake3 {
        return Err(damaged(&path, &format!("blake3 {}", config.weights_blake3), format!("blake3 {hash}")));
    }
    let (card, hidden) = (config.card, config.hidden.into_iter());
    let dims: Vec<usize> = [card.dim_in].into_iter().chain(hidden).chain([card.dimensions.len()]).collect();
    let head = Head::new(layers(&Weights::new(&path, &bytes)?, &dims)?)?;
    let head = match config.calibration {
        Some(curves) => head.with_calibration(curves)?,
        None => head,
    };
    Ok(SavedHead { head, card })
}

/// The layers of these dimensions among `tensors`.
fn layers(tensors: &Weights<'_>, dims: &[usize]) -> Result<Vec<Layer>> {
    let layer = |(i, (dim_in, dim_out)): (usize, (&usize, &usize))| {
        let weight = tensors.values(&format!("{i}.weight"), &[*dim_in, *dim_out])?;
        Layer::new(weight, tensors.values(&format!("{i}.bias"), &[*dim_out])?)
    };
    dims.iter().zip(dims.iter().skip(1)).enumerate().map(layer).collect()
}

fn of_layer((i, layer): (usize, &Layer)) -> [(String, Vec<usize>, &[f32]); 2] {
    [
        (format!("{i}.weight"), vec![layer.dim_in(), layer.dim_out()], layer.weight()),
        (format!("{i}.bias"), vec![layer.dim_out()], layer.bias()),
    ]
}

fn check(card: &HeadCard, head: &Head) -> Result<()> {
    if card.schema != HeadCard::SCHEMA {
        let found = format!("{:?}", card.schema);
        return Err(Error::Setting { name: "head card, schema", expected: HeadCard::SCHEMA, found });
    }
    let (expected, found) = ((card.dim_in, card.dimensions.len()), (head.dim_in(), head.dim_out()));
    match expected == found {
        true => Ok(()),
        false => Err(CoreError::Shape {
            what: "head to save".into(),
            expected: format!("{expected:?}, as its card says"),
            found: format!("{found:?}"),
        }
        .into()),
    }
}
