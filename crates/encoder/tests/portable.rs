//! A copy for other programs computes what the encoder does.
#![allow(missing_docs, clippy::unwrap_used)]

use manyview_core::{Encoder, Error as CoreError, Progress, Quiet};
use manyview_encoder::{EncoderConfig, Error, TextEncoder, portable};
use serde_json::Value;
use std::path::{Path, PathBuf};

const TEXTS: [&str; 3] =
    ["rain", "fog over the Thames", "a text that is longer than the sixteen tokens it is read to"];

fn encoders() -> [PathBuf; 2] {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    [here.join("../../data/minilm"), here.join("tests/golden/models/qwen3-tiny")]
}

fn load(dir: &Path, max_length: Option<usize>) -> TextEncoder {
    let config = EncoderConfig { max_length, ..EncoderConfig::default() };
    TextEncoder::load(dir, &config, &manyview_encoder::Device::flex()).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_portable_copy_gives_the_same_vectors_and_reads_as_far() {
    for dir in encoders() {
        let (encoder, to) = (load(&dir, Some(16)), tempfile::tempdir().unwrap());
        portable(&encoder, to.path(), &Quiet).unwrap();
        let copy = load(to.path(), None);
        assert_eq!((copy.max_length(), copy.pooling()), (16, encoder.pooling()), "{}", dir.display());
        let (a, b) = (encoder.encode(&TEXTS, None).unwrap(), copy.encode(&TEXTS, None).unwrap());
        assert_eq!(a, b, "{}", dir.display());
        assert_ne!(copy.fingerprint(), encoder.fingerprint(), "other files, another encoder");
    }
}

#[test]
fn a_portable_copy_has_what_transformers_asks_for() {
    let (dir, to) = (&encoders()[0], tempfile::tempdir().unwrap());
    portable(&load(dir, None), to.path(), &Quiet).unwrap();
    let kinds: Vec<String> = json(&to.path().join("modules.json"))
        .as_array()
        .unwrap()
        .iter()
        .map(|module| module["type"].as_str().unwrap().rsplit('.').next().unwrap().to_string())
        .collect();
    assert_eq!(kinds, ["Transformer", "Pooling", "Normalize"]);
    assert_eq!(json(&to.path().join("config.json"))["dtype"], "float32");
    let prompts = "config_sentence_transformers.json";
    assert_eq!(std::fs::read(to.path().join(prompts)).unwrap(), std::fs::read(dir.join(prompts)).unwrap());
    let weights = std::fs::read(to.path().join("model.safetensors")).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&weights).unwrap();
    assert_eq!(header.metadata().as_ref().unwrap()["format"], "pt");
    assert!(header.tensors().values().all(|tensor| tensor.dtype == safetensors::Dtype::F32));
    assert!(!header.tensors().keys().any(|name| name.ends_with("_scale")));
}

#[test]
fn a_copy_stops_when_asked_to() {
    struct Stopped;
    impl Progress for Stopped {
        fn begin(&self, _: &str, _: u64) {}
        fn advance(&self, _: u64) {}
        fn end(&self) {}
        fn stopped(&self) -> bool {
            true
        }
    }
    for dir in encoders() {
        let to = tempfile::tempdir().unwrap();
        let e = portable(&load(&dir, None), to.path(), &Stopped).unwrap_err();
        assert!(matches!(e, Error::Core(CoreError::Interrupted)), "{e}");
        assert!(!to.path().join("model.safetensors").exists());
    }
}
