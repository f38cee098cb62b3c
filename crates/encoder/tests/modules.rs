//! Poolings and modules behind them give the vectors of sentence-transformers. The folders of `golden/modules` are made
//! by `golden/modules.py`.
#![allow(missing_docs, clippy::unwrap_used)]

mod copied;
mod golden;

use copied::{Model, copy, refusal};
use manyview_core::{Encoder, Instruction, Quiet};
use manyview_encoder::{Device, EncoderConfig, Engine, TextEncoder, portable};
use safetensors::SafeTensors;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const BOUND: f32 = 1e-5;

#[derive(Deserialize)]
struct Texts {
    prompt: String,
    texts: Vec<String>,
}

/// A folder of `golden/modules`: its files beside a small BERT, and what the reference gives.
struct Case {
    name: String,
    path: PathBuf,
    truncate_dim: Option<usize>,
    plain: Vec<f32>,
    prompted: Vec<f32>,
    _dir: TempDir,
}

impl Case {
    fn read(name: &str) -> Self {
        let folder = golden::folder().join("modules").join(name);
        let (dir, path) = Model::of("bert-tiny");
        fs::remove_dir_all(path.join("1_Pooling")).unwrap();
        copy(&folder, &path);
        let bytes = fs::read(folder.join("vectors.safetensors")).unwrap();
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
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let truncate_dim = metadata.metadata().as_ref().map(|of| of["truncate_dim"].parse().unwrap());
        Self {
            name: name.into(),
            truncate_dim,
            plain: floats("plain"),
            prompted: floats("prompted"),
            path,
            _dir: dir,
        }
    }

    fn load(&self, engine: Engine, batch_tokens: usize) -> TextEncoder {
        let config = EncoderConfig {
            engine,
            batch_tokens,
            truncate_dim: self.truncate_dim,
            ..EncoderConfig::default()
        };
        TextEncoder::load(&self.path, &config, &Device::flex()).unwrap()
    }
}

fn names() -> Vec<String> {
    let entries = fs::read_dir(golden::folder().join("modules")).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() > 20, "{names:?}");
    names
}

fn texts() -> (Vec<String>, Instruction) {
    let path = golden::folder().join("modules/texts.json");
    let Texts { prompt, texts } = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    (texts, Instruction::new("x").with_template(format!("{prompt}{{text}}")).unwrap())
}

#[test]
fn vectors_equal_the_reference_on_both_engines() {
    let (texts, prompt) = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for case in names().iter().map(|name| Case::read(name)) {
        for (engine, batch_tokens) in [(Engine::Own, 1), (Engine::Own, 1024), (Engine::Burn, 1024)] {
            let encoder = case.load(engine, batch_tokens);
            for (instruction, expected) in [(None, &case.plain), (Some(&prompt), &case.prompted)] {
                let found = encoder.encode(&texts, instruction).unwrap().vectors;
                assert_eq!(found.dim(), encoder.dim());
                let (gap, at) = golden::worst(found.as_slice(), expected, encoder.dim());
                let prompted = instruction.is_some();
                assert!(gap < BOUND, "{}, text {at}, prompted {prompted}: {gap}", case.name);
            }
        }
    }
}

/// Where poolings or modules differ, so do the vectors, and stored ones must not be mixed.
#[test]
fn every_case_is_another_encoder() {
    let mut seen: Vec<_> =
        names().iter().map(|name| Case::read(name).load(Engine::Own, 1024).fingerprint()).collect();
    let n = seen.len();
    seen.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    seen.dedup();
    assert_eq!(seen.len(), n);
}

#[test]
fn an_export_has_the_same_poolings_and_modules() {
    let (texts, prompt) = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for case in names().iter().map(|name| Case::read(name)) {
        let to = case.path.with_file_name("export");
        let encoder = case.load(Engine::Own, 1024);
        if case.truncate_dim.is_some() {
            let e = portable(&encoder, &to, &Quiet).unwrap_err().to_string();
            assert!(e.contains("truncate_dim"), "{e}");
            continue;
        }
        portable(&encoder, &to, &Quiet).unwrap();
        let again = copied::load(&to).unwrap();
        for instruction in [None, Some(&prompt)] {
            let of = |encoder: &TextEncoder| encoder.encode(&texts, instruction).unwrap().vectors;
            assert_eq!(of(&again), of(&encoder), "{}", case.name);
        }
    }
}

fn change(path: &Path, key: &str, value: Value) {
    let mut file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    file[key] = value;
    fs::write(path, file.to_string()).unwrap();
}

#[test]
fn what_would_compute_something_else_is_refused_by_name() {
    type Damage = fn(&Path);
    let cases: &[(&str, Damage, &[&str])] = &[
        (
            "mean",
            |p| change(&p.join("1_Pooling/config.json"), "pooling_mode", json!("median")),
            &["median", "weightedmean"],
        ),
        ("mean", |p| change(&p.join("1_Pooling/config.json"), "pooling_mode", json!([])), &["no mode"]),
        (
            "mean",
            |p| change(&p.join("1_Pooling/config.json"), "token_weights", json!(true)),
            &["token_weights"],
        ),
        (
            "tanh",
            |p| {
                change(
                    &p.join("2_Dense/config.json"),
                    "activation_function",
                    json!("torch.nn.modules.activation.PReLU"),
                )
            },
            &["PReLU", "GELU"],
        ),
        (
            "tanh",
            |p| change(&p.join("2_Dense/config.json"), "activation_function", json!("own.Tanh")),
            &["own.Tanh"],
        ),
        (
            "tanh",
            |p| change(&p.join("2_Dense/config.json"), "in_features", json!(17)),
            &["in_features", "16", "17"],
        ),
        (
            "tanh",
            |p| change(&p.join("2_Dense/config.json"), "out_features", json!(11)),
            &["linear.weight", "[12, 16]"],
        ),
        ("tanh", |p| change(&p.join("2_Dense/config.json"), "bias", json!(false)), &["linear.bias"]),
        (
            "tanh",
            |p| change(&p.join("2_Dense/config.json"), "module_input_name", json!("token_embeddings")),
            &["token_embeddings"],
        ),
        ("tanh", |p| change(&p.join("2_Dense/config.json"), "scale", json!(2)), &["scale: 2"]),
        (
            "tanh",
            |p| fs::remove_file(p.join("2_Dense/model.safetensors")).unwrap(),
            &["2_Dense", "model.safetensors"],
        ),
        (
            "layer-norm",
            |p| change(&p.join("2_LayerNorm/config.json"), "dimension", json!(16)),
            &["dimension", "32"],
        ),
        (
            "tanh",
            |p| {
                let path = p.join("modules.json");
                let text =
                    fs::read_to_string(&path).unwrap().replace("dense.Dense", "wordweights.WordWeights");
                fs::write(path, text).unwrap();
            },
            &["WordWeights", "LayerNorm"],
        ),
    ];
    for (name, damage, words) in cases {
        let case = Case::read(name);
        damage(&case.path);
        let refused = refusal(&case.path);
        assert!(words.iter().all(|word| refused.contains(word)), "{name}: {refused}");
    }
    for dim in [0, 13] {
        let config = EncoderConfig { truncate_dim: Some(dim), ..EncoderConfig::default() };
        let e =
            TextEncoder::load(&Case::read("tanh").path, &config, &Device::flex()).err().unwrap().to_string();
        assert!(e.contains("truncate_dim") && e.contains("1 to 12"), "{e}");
    }
}
