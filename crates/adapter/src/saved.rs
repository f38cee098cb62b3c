use crate::occupied::occupied;
use crate::weights::{self, Named, Weights};
use crate::{Error, Linear, Map, Maps, Result, Shape, Sides};
use manyview_core::publish::write_directory;
use manyview_core::{Embeddings, Error as CoreError, Fingerprint};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "adapter.safetensors";
/// What the names of tensors of two maps begin with.
const QUERY: &str = "query.";
const PASSAGE: &str = "passage.";

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
    pub const SCHEMA: &'static str = "manyview-adapter/2";
}

/// An adapter read from disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The maps.
    pub maps: Maps,
    /// Where it comes from.
    pub card: AdapterCard,
}

impl Saved {
    /// The view of `x`, `[n, dim_in]`, as the encoder with that fingerprint made it: `[n, dim_out]`, L2-normalised. Of an
    /// adapter that maps queries and passages in different ways, that of queries.
    ///
    /// # Errors
    /// Another encoder, and as [`Map`]'s transform.
    pub fn transform(&self, x: &Embeddings, encoder: &Fingerprint) -> Result<Embeddings> {
        self.expects(encoder)?;
        Ok(self.maps.queries(x)?)
    }

    /// Its only matrix, where it maps all texts alike and linearly.
    ///
    /// # Errors
    /// [`Error::NotLinear`] for every other adapter.
    pub fn linear(&self) -> Result<&Linear> {
        let refused = |found: String| Error::NotLinear { found };
        let map = self.maps.shared().ok_or_else(|| {
            refused(match self.maps.sides() {
                Sides::Dual => "one with a map of queries and another of passages (dual)".into(),
                _ => "one of queries alone (query-only)".into(),
            })
        })?;
        map.as_linear().ok_or_else(|| refused(format!("one of shape {}", map.shape().as_str())))
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
    /// Which texts are mapped.
    sides: Sides,
    /// What each map computes.
    shape: Shape,
    /// Values between the two layers of a map that has two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<usize>,
    /// BLAKE3 of the weights file, 64 hex digits.
    weights_blake3: String,
}

/// Writes `dir/adapter.safetensors` and `dir/config.json`. They appear together or not at all. An adapter already saved
/// there is replaced: it is renamed away, then removed; a crash between the two leaves it beside `dir`, under a hidden
/// name that ends in `.old`.
///
/// # Errors
/// A card that does not match the maps, maps of different shapes, a directory in use for something else, whatever the
/// system says.
pub fn save(dir: &Path, maps: &Maps, card: &AdapterCard) -> Result<()> {
    let form = Form::of(maps.query());
    check(card, (form.dim_in, form.dim_out))?;
    if let Some(other) = maps.passage().map(Form::of).filter(|other| *other != form) {
        return Err(CoreError::Shape {
            what: "map of passages to save".into(),
            expected: format!("{form:?}, as that of queries"),
            found: format!("{other:?}"),
        }
        .into());
    }
    if occupied(dir, &[CONFIG, WEIGHTS]) {
        return Err(Error::Occupied { path: dir.into() });
    }
    let maps_by_prefix: Vec<(&str, &Map)> = match maps {
        Maps::Query(map) | Maps::Both(map) => vec![("", map)],
        Maps::Dual { query, passage } => vec![(QUERY, query), (PASSAGE, passage)],
    };
    let layers = maps_by_prefix.iter().flat_map(|(prefix, map)| form.names(prefix).zip(map.layers()));
    let tensors: Vec<(String, Vec<usize>, &[f32])> = layers
        .flat_map(|(name, layer)| {
            let weight = (format!("{name}weight"), vec![layer.dim_in(), layer.dim_out()], layer.weight());
            let bias = layer.bias().map(|b| (format!("{name}bias"), vec![b.len()], b));
            [weight].into_iter().chain(bias)
        })
        .collect();
    let tensors: Vec<Named<'_>> = tensors.iter().map(|(n, s, v)| (n.as_str(), s.clone(), *v)).collect();
    let bytes = weights::serialize(&tensors)?;
    let config = Config {
        card: card.clone(),
        sides: maps.sides(),
        shape: form.shape,
        width: form.width,
        weights_blake3: blake3::hash(&bytes).to_hex().to_string(),
    };
    let config = serde_json::to_vec_pretty(&config)
        .map_err(|e| Error::Unwritable { what: "adapter card", reason: e.to_string() })?;
    Ok(write_directory(dir, &[(WEIGHTS, &bytes), (CONFIG, &config)])?)
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
    let form = Form { shape: config.shape, width: config.width, dim_in: card.dim_in, dim_out: card.dim_out };
    let maps = match config.sides {
        Sides::Query => Maps::Query(form.read(&weights, "")?),
        Sides::Both => Maps::Both(form.read(&weights, "")?),
        Sides::Dual => {
            Maps::Dual { query: form.read(&weights, QUERY)?, passage: form.read(&weights, PASSAGE)? }
        }
    };
    Ok(Saved { maps, card })
}

/// What the tensors of a map look like.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Form {
    shape: Shape,
    dim_in: usize,
    dim_out: usize,
    width: Option<usize>,
}

impl Form {
    fn of(map: &Map) -> Self {
        let width = map.layers().get(1).map(Linear::dim_in);
        Self { shape: map.shape(), dim_in: map.dim_in(), dim_out: map.dim_out(), width }
    }

    /// What the names of the tensors of each layer begin with.
    fn names(&self, prefix: &str) -> impl Iterator<Item = String> {
        let (one, prefix) = (self.shape.layers() == 1, prefix.to_string());
        (0..self.shape.layers()).map(move |i| if one { prefix.clone() } else { format!("{prefix}{i}.") })
    }

    fn read(&self, weights: &Weights<'_>, prefix: &str) -> Result<Map> {
        let ends = [Some(self.dim_in), self.width, Some(self.dim_out)];
        let dims: Vec<usize> = ends.into_iter().flatten().collect();
        let layers = self.names(prefix).zip(dims.iter().zip(dims.iter().skip(1))).map(|(name, (a, b))| {
            let bias = format!("{name}bias");
            let bias = weights.has(&bias).then(|| weights.values(&bias, &[*b])).transpose()?;
            Linear::new(weights.values(&format!("{name}weight"), &[*a, *b])?, *a, bias)
        });
        Map::new(self.shape, layers.collect::<Result<_>>()?)
    }
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
