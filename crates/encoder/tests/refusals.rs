//! What cannot be loaded is refused with its file, what was expected and what was found.
#![allow(missing_docs, clippy::unwrap_used)]

mod golden;

use manyview_core::{Encoder, Kind};
use manyview_encoder::{Device, EncoderConfig, Error, TextEncoder, quantize};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { assert!(fs::copy(&path, &target).is_ok()) }
    }
}

fn model(name: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model");
    copy(&golden::model(name), &path);
    (dir, path)
}

fn load(path: &Path) -> Result<TextEncoder, Error> {
    TextEncoder::load(path, &EncoderConfig::default(), &Device::flex())
}

fn refusal(path: &Path) -> String {
    match load(path) {
        Ok(_) => panic!("{} was loaded", path.display()),
        Err(e) => {
            assert_eq!(e.kind(), Kind::Input, "{e}");
            e.to_string()
        }
    }
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_cut_weights_file_is_refused_with_both_lengths() {
    let (_dir, path) = model("qwen3-tiny");
    let file = path.join("model.safetensors");
    let whole = fs::read(&file).unwrap();
    for keep in [whole.len() - 1, whole.len() / 2, 100, 7, 0] {
        fs::write(&file, &whole[..keep]).unwrap();
        let e = refusal(&path);
        assert!(e.contains("model.safetensors") && e.contains("cut") && e.contains(&keep.to_string()), "{e}");
    }
}

#[test]
fn a_cut_shard_is_refused_by_name() {
    let (_dir, path) = model("qwen3-grouped");
    let file = path.join("model-00004-of-00007.safetensors");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 10]).unwrap();
    assert!(refusal(&path).contains("model-00004-of-00007.safetensors"));
}

#[test]
fn weights_that_are_not_finite_are_refused_with_the_tensor() {
    let (_dir, path) = model("qwen3-tiny");
    let file = path.join("model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&file, &bytes).unwrap();
    let e = refusal(&path);
    assert!(e.contains("tensor `") && e.contains("NaN"), "{e}");
}

#[test]
fn another_models_tokenizer_is_refused() {
    let (_dir, path) = model("qwen3-tiny");
    fs::copy(golden::model("minilm").join("tokenizer.json"), path.join("tokenizer.json")).unwrap();
    let e = refusal(&path);
    assert!(e.contains("tokenizer.json") && e.contains("another model's tokenizer"), "{e}");
}

#[test]
fn an_unknown_architecture_is_refused_by_name() {
    let (_dir, path) = model("qwen3-tiny");
    edit(&path.join("config.json"), "\"qwen3\"", "\"gpt9\"");
    let e = refusal(&path);
    assert!(e.contains("gpt9") && e.contains("bert, ") && e.contains("qwen3"), "{e}");
}

#[test]
fn weights_of_another_shape_are_refused_with_both_shapes() {
    let (_dir, path) = model("qwen3-tiny");
    edit(&path.join("config.json"), "\"intermediate_size\": 64", "\"intermediate_size\": 96");
    let e = refusal(&path);
    assert!(e.contains("mlp.gate_proj.weight") && e.contains("[96, 32]") && e.contains("[64, 32]"), "{e}");
}

#[test]
fn a_pooling_or_module_that_is_not_run_is_refused_by_name() {
    let (_dir, path) = model("qwen3-tiny");
    edit(
        &path.join("1_Pooling/config.json"),
        "\"pooling_mode_lasttoken\": true",
        "\"pooling_mode_median_tokens\": true",
    );
    assert!(refusal(&path).contains("pooling_mode_median_tokens"));
    let (_dir, path) = model("qwen3-tiny");
    edit(&path.join("modules.json"), "models.Normalize", "models.Router");
    assert!(refusal(&path).contains("`Router`"));
}

#[test]
fn a_module_outside_the_directory_is_refused() {
    let (_dir, path) = model("qwen3-tiny");
    edit(&path.join("modules.json"), "\"1_Pooling\"", "\"../1_Pooling\"");
    assert!(refusal(&path).contains("../1_Pooling"));
}

#[test]
fn missing_files_are_named() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let (_dir, path) = model("qwen3-tiny");
        fs::remove_file(path.join(name)).unwrap();
        let e = load(&path).err().unwrap().to_string();
        assert!(e.contains(name), "{e}");
    }
}

#[test]
fn a_length_the_model_cannot_read_is_refused() {
    let config = EncoderConfig { max_length: Some(100_000), ..EncoderConfig::default() };
    let e = TextEncoder::load(&golden::model("minilm"), &config, &Device::flex()).err().unwrap().to_string();
    assert!(e.contains("max_length") && e.contains("512") && e.contains("100000"), "{e}");
}

#[test]
fn the_fingerprint_follows_weights_tokenizer_pooling_and_length() {
    let (_dir, path) = model("qwen3-tiny");
    let first = load(&path).unwrap().fingerprint();
    assert_eq!(load(&path).unwrap().fingerprint(), first);
    let shorter = EncoderConfig { max_length: Some(32), ..EncoderConfig::default() };
    assert_ne!(TextEncoder::load(&path, &shorter, &Device::flex()).unwrap().fingerprint(), first);
    let smaller = EncoderConfig { batch_tokens: 17, ..EncoderConfig::default() };
    assert_eq!(TextEncoder::load(&path, &smaller, &Device::flex()).unwrap().fingerprint(), first);
    let file = path.join("model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&0.25f32.to_le_bytes());
    fs::write(&file, &bytes).unwrap();
    assert_ne!(load(&path).unwrap().fingerprint(), first);
}

#[test]
fn a_quantized_copy_is_smaller_loads_and_stays_close() {
    let (dir, path) = model("qwen3-grouped");
    let to = dir.path().join("int8");
    let made = quantize(&path, &to).unwrap();
    assert!(made.matrices >= 20 && made.after < made.before, "{made:?}"); // bf16 before, and small
    let texts = ["rain over old Kent", "interest rates"];
    let (a, b) = (load(&path).unwrap(), load(&to).unwrap());
    assert_ne!(a.fingerprint(), b.fingerprint());
    let (a, b) = (a.encode(&texts, None).unwrap().vectors, b.encode(&texts, None).unwrap().vectors);
    for (a, b) in a.rows().zip(b.rows()) {
        let cosine: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.99, "{cosine}");
    }
    assert!(quantize(&path, &to).unwrap_err().to_string().contains("there already"));
}
