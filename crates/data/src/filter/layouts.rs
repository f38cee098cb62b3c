//! The keys of a filter as they may be written: flat, or under `filter` and `scoring`.

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

/// A whole file.
#[derive(Deserialize)]
pub(super) struct Written {
    pub(super) name: Option<String>,
    pub(super) version: Option<Version>,
    pub(super) prompt: Option<PathBuf>,
    #[serde(default, deserialize_with = "dimensions")]
    pub(super) dimensions: Option<Named<Settings>>,
    pub(super) weights: Option<Named<f64>>,
    pub(super) tiers: Option<Named<Threshold>>,
    pub(super) range: Option<[f64; 2]>,
    pub(super) filter: Option<Head>,
    pub(super) scoring: Option<Scoring>,
    #[serde(flatten)]
    pub(super) rest: BTreeMap<String, Value>,
}

/// What a filter is called.
#[derive(Default, Deserialize)]
pub(super) struct Head {
    pub(super) name: Option<String>,
    pub(super) version: Option<Version>,
    pub(super) prompt: Option<PathBuf>,
}

/// What it scores.
#[derive(Default, Deserialize)]
pub(super) struct Scoring {
    #[serde(default, deserialize_with = "dimensions")]
    pub(super) dimensions: Option<Named<Settings>>,
    pub(super) weights: Option<Named<f64>>,
    pub(super) tiers: Option<Named<Threshold>>,
    pub(super) range: Option<[f64; 2]>,
    #[serde(flatten)]
    pub(super) rest: BTreeMap<String, Value>,
}

/// What a file says of a dimension; other keys, such as a scale in words, are for the prompt's author.
#[derive(Default, Deserialize)]
pub(super) struct Settings {
    pub(super) weight: Option<f64>,
    pub(super) description: Option<String>,
    pub(super) column: Option<String>,
    /// A rule that caps the weighted mean, which is not computed here.
    #[serde(rename = "gatekeeper")]
    pub(super) capped: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a threshold, or a table with the key `threshold`")]
pub(super) enum Threshold {
    Alone(f64),
    Among { threshold: f64 },
}

impl Threshold {
    pub(super) fn value(&self) -> f64 {
        match self {
            Self::Alone(threshold) | Self::Among { threshold } => *threshold,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Version {
    Text(String),
    Number(f64),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number:?}"), // 1.0 stays 1.0
        }
    }
}

/// Names and what belongs to each, in the order of the file.
pub(super) struct Named<T>(pub(super) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder { alone: None, of: PhantomData })
    }
}

/// A table of dimensions, or a list of their names alone.
fn dimensions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Named<Settings>>, D::Error> {
    deserializer.deserialize_any(InOrder { alone: Some(Settings::default), of: PhantomData }).map(Some)
}

struct InOrder<T> {
    /// What belongs to a name that stands alone, where it may.
    alone: Option<fn() -> T>,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
    type Value = Named<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.alone.is_some() {
            "a table by name, or a list of names"
        } else {
            "a table by name"
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            entries.push((name, map.next_value()?));
        }
        Ok(Named(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Named<T>, A::Error> {
        let Some(alone) = self.alone else { return Err(de::Error::invalid_type(Unexpected::Seq, &self)) };
        let mut entries = Vec::new();
        while let Some(name) = seq.next_element::<String>()? {
            entries.push((name, alone()));
        }
        Ok(Named(entries))
    }
}
