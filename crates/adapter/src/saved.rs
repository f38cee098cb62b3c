use crate::publish::{occupied, publish};
use crate::weights::{self, Weights};
use crate::{Error, Linear, Result};
use manyview_core::{Embeddings, Error as CoreError, Fingerprint, Transform};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "adapter.safetensors";

/// Where an adapter comes from and which encoder its inputs must come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdapterCard {
    /// Always [`AdapterCard::SCHEMA`].
    pub schema: String,
    /// The encoder, as people name it.
    pub encoder: String,
    /// The encoder, exactly.
    pub encoder_fingerprint: Fingerprint,
    /// Length of the vectors it takes.
    pub dim_in: usize,
    /// Length of the vectors it gives.
    pub dim_out: usize,
    /// What the view looks for.
    pub instruction: String,
    /// Where the teacher vectors came from.
    pub teacher: String,
    /// How it was fitted.
    pub method: String,
    /// The number of rows it was fitted on.
    pub n_train: usize,
    /// Whatever the caller needs to find the encoder again: model, revision, maximum length.
    #[serde(default)]
    pub settings: BTreeMap<String, serde_json::Value>,
}

impl AdapterCard {
    /// Name and version of the format that [`save`] writes and [`load`] reads.
    pub const SCHEMA: &'static str = "manyview-adapter/1";
}

/// An adapter read from disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The map.
    pub linear: Linear,
    /// Where it comes from.
    pub card: AdapterCard,
}

impl Saved {
    /// The view of `x`, `[n, dim_in]`, as the encoder with that fingerprint made it: `[n, dim_out]`, L2-normalised.
    ///
    /// # Errors
    /// Another encoder, and as [`Linear`]'s transform.
    pub fn transform(&self, x: &Embeddings, encoder: &Fingerprint) -> Result<Embeddings> {
        self.expects(encoder)?;
        Ok(self.linear.transform(x)?)
    }

    /// That it takes the vectors of the encoder with that fingerprint.
    ///
    /// # Errors
    /// Another encoder.
    pub fn expects(&self, encoder: &Fingerprint) -> Result<()> {
        if *encoder != self.card.encoder_fingerprint {
            return Err(CoreError::Fingerprint {
                what: format!("adapter for {:?} of {}", self.card.instruction, self.card.encoder),
                expected: self.card.encoder_fingerprint.short().into(),
                found: encoder.short().into(),
            }
            .into());
        }
        Ok(())
    }
}

/// What `config.json` holds.
#[derive(Serialize, Deserialize)]
struct Config {
    #[serde(flatten)]
    card: AdapterCard,
    /// BLAKE3 of the weights file, 64 hex digits.
    weights_blake3: String,
}

/// Writes `dir/adapter.safetensors` and `dir/config.json`. They appear together or not at all. An adapter already saved
/// there is replaced: it is renamed away, then removed; a crash between the two leaves it beside `dir`, under a hidden
/// name that ends in `.old`.
///
/// # Errors
/// A card that does not match the map, a directory in use for something else, whatever the system says.
pub fn save(dir: &Path, linear: &Linear, card: &AdapterCard) -> Result<()> {
    check(card, (linear.dim_in(), linear.dim_out()))?;
    if occupied(dir, &[CONFIG, WEIGHTS]) {
        return Err(Error::Occupied { path: dir.into() });
    }
    let mut tensors = vec![("weight", vec![linear.dim_in(), linear.dim_out()], linear.weight())];
    tensors.extend(linear.bias().map(|b| ("bias", vec![b.len()], b)));
    let bytes = weights::serialize(&tensors)?;
    let config = Config { card: card.clone(), weights_blake3: blake3::hash(&bytes).to_hex().to_string() };
    let config = serde_json::to_vec_pretty(&config)
        .map_err(|e| Error::Unwritable { what: "adapter card", reason: e.to_string() })?;
    publish(dir, &[(WEIGHTS, &bytes), (CONFIG, &config)])
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// A missing, truncated, foreign or changed file, by name.
pub fn load(dir: &Path) -> Result<Saved> {
    let path = dir.join(CONFIG);
    let config = fs::read(&path).map_err(Error::io(&path))?;
    let config: Config = serde_json::from_slice(&config).map_err(|e| Error::Damaged {
        path: path.clone(),
        expected: "the card of a saved adapter".into(),
        found: e.to_string(),
    })?;
    let damaged =
        |path: &Path, expected: String, found: String| Error::Damaged { path: path.into(), expected, found };
    if config.card.schema != AdapterCard::SCHEMA {
        return Err(damaged(
            &path,
            format!("schema {:?}", AdapterCard::SCHEMA),
            format!("{:?}", config.card.schema),
        ));
    }
    let path = dir.join(WEIGHTS);
    let bytes = fs::read(&path).map_err(Error::io(&path))?;
    let hash = blake3::hash(&bytes).to_hex();
    if hash.as_str() != config.weights_blake3 {
        let of = |h: &str| format!("blake3 {}", h.get(..12).unwrap_or(h));
        return Err(damaged(&path, of(&config.weights_blake3), of(&hash)));
    }
    let (card, weights) = (config.card, Weights::new(&path, &bytes)?);
    let bias = if weights.has("bias") { Some(weights.values("bias", &[card.dim_out])?) } else { None };
    let linear = Linear::new(weights.values("weight", &[card.dim_in, card.dim_out])?, card.dim_in, bias)?;
    Ok(Saved { linear, card })
}

fn check(card: &AdapterCard, found: (usize, usize)) -> Result<()> {
    if card.schema != AdapterCard::SCHEMA {
        return Err(Error::Setting {
            name: "adapter card, schema",
            expected: AdapterCard::SCHEMA,
            found: format!("{:?}", card.schema),
        });
    }
    if (card.dim_in, card.dim_out) != found {
        return Err(CoreError::Shape {
            what: "adapter to save".into(),
            expected: format!("[{}, {}], as its card says", card.dim_in, card.dim_out),
            found: format!("[{}, {}]", found.0, found.1),
        }
        .into());
    }
    Ok(())
}
