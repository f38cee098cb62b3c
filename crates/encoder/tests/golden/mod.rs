//! What the reference implementation gave for the texts of `texts.json`.
#![allow(dead_code)] // each test file uses its part
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

#[path = "../device/mod.rs"]
mod device;

use manyview_encoder::{Device, EncoderConfig, Engine, TextEncoder};
use safetensors::SafeTensors;
use serde::Deserialize;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
pub(crate) struct Texts {
    pub(crate) task: String,
    pub(crate) max_length: usize,
    pub(crate) texts: Vec<String>,
}

pub(crate) struct Golden {
    pub(crate) model: PathBuf,
    pub(crate) texts: Texts,
    pub(crate) dim: usize,
    pub(crate) plain: Vec<f32>,
    pub(crate) instructed: Vec<f32>,
    pub(crate) lengths: Vec<usize>,
}

pub(crate) const MODELS: &[&str] = &[
    "minilm",
    "gemma3-tiny",
    "gemma3-causal",
    "mpnet-tiny",
    "qwen2-tiny",
    "qwen2-both-ways",
    "qwen3-tiny",
    "qwen3-grouped",
    "xlm-roberta-tiny",
    "roberta-tiny",
    "distilbert-tiny",
    "modernbert-tiny",
    "nomic-bert-tiny",
];

/// The device the tests of a model run on: the one `MANYVIEW_TEST_DEVICE` names, `flex` without it.
pub(crate) fn device() -> Device {
    let name = device_name();
    device::device(&name).unwrap_or_else(|| panic!("MANYVIEW_TEST_DEVICE: this build has no device `{name}`"))
}

/// Its name.
pub(crate) fn device_name() -> String {
    std::env::var("MANYVIEW_TEST_DEVICE").unwrap_or_else(|_| "flex".into())
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

pub(crate) fn model(name: &str) -> PathBuf {
    match name {
        "minilm" => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/minilm"),
        _ => folder().join("models").join(name),
    }
}

impl Golden {
    pub(crate) fn read(name: &str) -> Self {
        let texts: Texts =
            serde_json::from_slice(&std::fs::read(folder().join("texts.json")).unwrap()).unwrap();
        let bytes = std::fs::read(folder().join(format!("{name}.safetensors"))).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let floats = |key: &str| -> Vec<f32> {
            file.tensor(key)
                .unwrap()
                .data()
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| f32::from_le_bytes(*b))
                .collect()
        };
        let lengths = file.tensor("lengths").unwrap();
        let lengths =
            lengths.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as usize).collect();
        let dim = file.tensor("plain").unwrap().shape()[1];
        Self {
            model: model(name),
            dim,
            plain: floats("plain"),
            instructed: floats("instructed"),
            lengths,
            texts,
        }
    }

    pub(crate) fn load(&self, batch_tokens: usize, streams: usize) -> TextEncoder {
        self.load_on(Engine::Own, batch_tokens, streams)
    }

    pub(crate) fn load_on(&self, engine: Engine, batch_tokens: usize, streams: usize) -> TextEncoder {
        let config = EncoderConfig {
            max_length: Some(self.texts.max_length),
            batch_tokens,
            streams,
            engine,
            ..EncoderConfig::default()
        };
        TextEncoder::load(&self.model, &config, &device()).unwrap()
    }

    pub(crate) fn texts(&self) -> Vec<&str> {
        self.texts.texts.iter().map(String::as_str).collect()
    }
}

/// The largest difference between vectors, and the text it is at.
pub(crate) fn worst(found: &[f32], expected: &[f32], dim: usize) -> (f32, usize) {
    assert_eq!(found.len(), expected.len());
    let gaps = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).enumerate();
    let (at, gap) = gaps.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    (gap, at / dim)
}
