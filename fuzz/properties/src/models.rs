use crate::scratch::{self, parts, put};
use manyview_core::Encoder;
use manyview_encoder::{EncoderConfig, TextEncoder, quantize};
use std::fs;
use std::path::Path;

/// A small model of random weights, and its tokenizer.
const WEIGHTS: &[u8] =
    include_bytes!("../../../crates/encoder/tests/golden/models/qwen3-tiny/model.safetensors");
const TOKENIZER: &[u8] =
    include_bytes!("../../../crates/encoder/tests/golden/models/qwen3-tiny/tokenizer.json");

/// Weights: one safetensors file, or by the first byte an index and two shards. What is read is written as int8, and
/// that again.
pub fn checkpoint(data: &[u8]) {
    let (kind, data) = data.split_first().unwrap_or((&0, &[]));
    let dir = scratch::empty("model");
    if kind % 2 == 0 {
        put(&dir, "model.safetensors", data);
    } else {
        let [index, first, second] = parts(data);
        put(&dir, "model.safetensors.index.json", index);
        put(&dir, "a.safetensors", first);
        put(&dir, "b.safetensors", second);
    }
    let (once, twice) = (scratch::gone("once"), scratch::gone("twice"));
    let small = match quantize(&dir, &once) {
        Ok(small) => small,
        Err(e) => return refused(&e),
    };
    let length = |dir: &Path| fs::metadata(dir.join("model.safetensors")).unwrap().len();
    assert_eq!(small.after, length(&once));
    let again = quantize(&once, &twice).unwrap();
    assert_eq!((again.before, again.after, again.matrices), (small.after, small.after, small.matrices));
}

/// What a directory says of a model beside its weights. A model that is loaded encodes.
pub fn description(data: &[u8]) {
    let dir = scratch::place("described");
    if !dir.exists() {
        put(&dir, "model.safetensors", WEIGHTS);
        put(&dir, "tokenizer.json", TOKENIZER);
    }
    let names = [
        "config.json",
        "modules.json",
        "1_Pooling/config.json",
        "sentence_bert_config.json",
        "config_sentence_transformers.json",
    ];
    for (name, text) in names.iter().zip(parts::<5>(data)) {
        match text.is_empty() {
            true => drop(fs::remove_file(dir.join(name))),
            false => put(&dir, name, text),
        }
    }
    let encoder =
        match TextEncoder::load(&dir, &EncoderConfig::default(), &manyview_artifact::device("flex").unwrap())
        {
            Ok(encoder) => encoder,
            Err(e) => return refused(&e),
        };
    let encoded = match encoder.encode(&["rain over old Kent", "x"], None) {
        Ok(encoded) => encoded,
        Err(e) => return scratch::refused(e.kind(), &e),
    };
    assert_eq!((encoded.vectors.n(), encoded.vectors.dim()), (2, encoder.dim()));
    for vector in encoded.vectors.rows() {
        let length: f32 = vector.iter().map(|v| v * v).sum();
        assert!((length - 1.0).abs() < 1e-3, "{length}");
    }
}

/// Modules and indices may name files that are not there, which is an error of files.
fn refused(e: &manyview_encoder::Error) {
    match e {
        manyview_encoder::Error::Core(manyview_core::Error::Io { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound => {}
        e => scratch::refused(e.kind(), e),
    }
}
