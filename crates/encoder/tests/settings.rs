//! Encoders whose files say something else: each is what sentence-transformers makes of the same files, on both
//! engines, or is refused by name. The rows are those of `golden/settings_rows.py`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

mod copied;
mod golden;

use copied::{copy, refusal};
use manyview_core::Encoder;
use manyview_encoder::{Device, EncoderConfig, Engine, TextEncoder};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const BOUND: f32 = 1e-5;

#[derive(Deserialize)]
struct Row {
    name: String,
    model: String,
    #[serde(default)]
    files: BTreeMap<String, Value>,
    #[serde(default)]
    rename: Vec<(String, String)>,
    #[serde(default)]
    add: BTreeMap<String, Vec<usize>>,
    vectors: Option<Vec<Vec<f32>>>,
    refused: Option<String>,
}

fn folder() -> PathBuf {
    golden::folder().join("settings")
}

fn rows() -> Vec<Row> {
    serde_json::from_slice(&fs::read(folder().join("table.json")).unwrap()).unwrap()
}

fn texts() -> Vec<String> {
    serde_json::from_slice(&fs::read(folder().join("texts.json")).unwrap()).unwrap()
}

/// The model of a row.
fn made(row: &Row) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model");
    copy(&folder().join("models").join(&row.model), &path);
    for (name, value) in &row.files {
        let target = path.join(name);
        match value {
            Value::Null => fs::remove_file(target).unwrap(),
            Value::String(text) => fs::write(target, text).unwrap(),
            json => fs::write(target, json.to_string()).unwrap(),
        }
    }
    if !row.rename.is_empty() || !row.add.is_empty() {
        rename(&path.join("model.safetensors"), row);
    }
    (dir, path)
}

/// Other names in a safetensors file, and tensors of zeros behind the others.
fn rename(path: &Path, row: &Row) {
    let bytes = fs::read(path).unwrap();
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Map<String, Value> = serde_json::from_slice(&bytes[8..8 + size]).unwrap();
    let mut values = bytes[8 + size..].to_vec();
    let new = |name: String| {
        row.rename.iter().fold(name, |name, (before, after)| match before.as_str() {
            "" => format!("{after}{name}"),
            before => name.replace(before, after),
        })
    };
    let own = header.into_iter().filter(|(name, _)| name != "__metadata__");
    let mut header: Map<String, Value> = own.map(|(name, value)| (new(name), value)).collect();
    for (name, shape) in &row.add {
        let (start, bytes) = (values.len(), 4 * shape.iter().product::<usize>());
        values.resize(start + bytes, 0);
        header.insert(
            name.clone(),
            json!({"dtype": "F32", "shape": shape, "data_offsets": [start, start + bytes]}),
        );
    }
    let header = Value::from(header).to_string().into_bytes();
    fs::write(path, [&(header.len() as u64).to_le_bytes()[..], &header, &values].concat()).unwrap();
}

fn load(path: &Path, engine: Engine) -> Result<TextEncoder, manyview_encoder::Error> {
    TextEncoder::load(path, &EncoderConfig { engine, ..EncoderConfig::default() }, &Device::flex())
}

#[test]
fn every_row_is_what_the_reference_makes_of_it_or_is_refused() {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (mut wrong, mut equal, mut refused) = (Vec::new(), 0, 0);
    for row in rows() {
        let (_keep, path) = made(&row);
        if let Some(told) = &row.refused {
            let e = refusal(&path);
            match e.contains(told.as_str()) {
                true => refused += 1,
                false => wrong.push(format!("{}: expected {told:?} in {e:?}", row.name)),
            }
            continue;
        }
        let expected: Vec<f32> = row.vectors.unwrap().into_iter().flatten().collect();
        for engine in [Engine::Own, Engine::Burn] {
            let found = load(&path, engine).and_then(|encoder| Ok(encoder.encode(&texts, None)?));
            match found
                .map(|found| golden::worst(found.vectors.as_slice(), &expected, expected.len() / texts.len()))
            {
                Ok((gap, _)) if gap <= BOUND => equal += 1,
                Ok((gap, text)) => {
                    wrong.push(format!("{}, {engine:?}: {gap} apart at text {text}", row.name))
                }
                Err(e) => wrong.push(format!("{}, {engine:?}: {e}", row.name)),
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), equal + refused + wrong.len(), wrong.join("\n"));
    println!("reliability: D8 tried={} settings, {refused} of them refused by name", equal / 2 + refused);
}

#[test]
fn settings_that_change_vectors_change_the_fingerprint() {
    let rows = rows();
    let mut prints: BTreeMap<String, (String, Vec<f32>)> = BTreeMap::new();
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for row in rows.iter().filter(|row| row.refused.is_none()) {
        let (_keep, path) = made(row);
        let encoder = load(&path, Engine::Own).unwrap();
        let print = encoder.fingerprint().to_string();
        let vectors = encoder.encode(&texts, None).unwrap().vectors.into_vec();
        let (name, other) = prints.entry(print).or_insert_with(|| (row.name.clone(), vectors.clone()));
        assert!(*other == vectors, "{} and {name} have one fingerprint and other vectors", row.name);
    }
    assert!(prints.len() > 30, "{} fingerprints", prints.len());
}

/// Nobody's embeddings are computed again for settings that say what `tokenizer.json` says.
#[test]
fn settings_that_change_nothing_keep_the_fingerprint() {
    let row = |name: &str, files: Value| Row {
        name: name.into(),
        model: "bert".into(),
        files: serde_json::from_value(files).unwrap(),
        rename: Vec::new(),
        add: BTreeMap::new(),
        vectors: None,
        refused: None,
    };
    let print = |files: Value| {
        let (_keep, path) = made(&row("", files));
        load(&path, Engine::Own).unwrap().fingerprint()
    };
    let settings = |more: Value| {
        let mut all =
            json!({"tokenizer_class": "BertTokenizer", "do_lower_case": true, "model_max_length": 40});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"tokenizer_config.json": all})
    };
    let plain = print(json!({}));
    assert_eq!(print(settings(json!({"strip_accents": null, "truncation_side": "right"}))), plain);
    assert_eq!(
        print(settings(json!({"strip_accents": true, "padding_side": "left", "model_max_length": 1e30}))),
        plain
    );
    assert_eq!(print(settings(json!({"tokenizer_class": "PreTrainedTokenizerFast"}))), plain);
    assert_ne!(print(settings(json!({"do_lower_case": false}))), plain);
    assert_ne!(print(settings(json!({"truncation_side": "left"}))), plain);
    assert_ne!(print(settings(json!({"model_max_length": 12}))), plain);
    assert_ne!(print(json!({"sentence_bert_config.json": {"do_lower_case": true}})), plain); // a step more, if to no effect
}

#[test]
fn texts_beyond_the_limit_of_the_tokenizer_are_counted_as_cut() {
    let row =
        rows().into_iter().find(|row| row.name == "length: saved by sentence-transformers 6.2").unwrap();
    let (_keep, path) = made(&row);
    let encoder = load(&path, Engine::Own).unwrap();
    assert_eq!(encoder.max_length(), 10);
    let cut = encoder.encode(&["rain fell", &"rain fell over old kent ".repeat(4)], None).unwrap().truncated;
    assert_eq!(cut, [false, true]);
}
