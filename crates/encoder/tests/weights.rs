//! Weights held smaller give nearly the same vectors, and vectors that are told apart.
#![allow(missing_docs, clippy::unwrap_used)]

mod golden;

use golden::Golden;
use manyview_core::Encoder;
use manyview_encoder::{Device, EncoderConfig, Engine, TextEncoder, Weights};

fn load(golden: &Golden, weights: Weights) -> TextEncoder {
    let config = EncoderConfig { weights, max_length: Some(golden.texts.max_length), ..Default::default() };
    TextEncoder::load(&golden.model, &config, &Device::flex()).unwrap()
}

/// Cosines with the vectors of `f32`, text by text.
fn cosines(golden: &Golden, weights: Weights) -> Vec<f32> {
    let vectors = |weights| load(golden, weights).encode(&golden.texts(), None).unwrap().vectors;
    let (full, small) = (vectors(Weights::F32), vectors(weights));
    full.rows().zip(small.rows()).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum()).collect()
}

fn mean(cosines: &[f32]) -> f32 {
    cosines.iter().sum::<f32>() / cosines.len() as f32
}

#[test]
fn bf16_and_int8_stay_close_to_f32() {
    let golden = Golden::read("minilm");
    let bf16 = cosines(&golden, Weights::Bf16);
    assert!(bf16.iter().all(|c| *c > 0.9999), "{bf16:?}");
    let int8 = cosines(&golden, Weights::Int8);
    assert!(mean(&int8) > 0.999, "{} {int8:?}", mean(&int8));
}

#[test]
fn a_causal_model_runs_with_each() {
    let golden = Golden::read("qwen3-grouped");
    assert!(mean(&cosines(&golden, Weights::Bf16)) > 0.9999);
    assert!(mean(&cosines(&golden, Weights::Int8)) > 0.99); // 32 random numbers to a state: little averages out
}

#[test]
fn the_fingerprint_tells_them_apart() {
    let golden = Golden::read("qwen3-tiny");
    let prints = [Weights::F32, Weights::Bf16, Weights::Int8].map(|w| load(&golden, w).fingerprint());
    assert!(prints[0] != prints[1] && prints[1] != prints[2] && prints[0] != prints[2]);
}

#[test]
fn burns_tensors_take_f32_alone() {
    let golden = Golden::read("qwen3-tiny");
    let config = EncoderConfig { weights: Weights::Int8, engine: Engine::Burn, ..Default::default() };
    let e = TextEncoder::load(&golden.model, &config, &Device::flex()).err().unwrap().to_string();
    assert!(e.contains("weights") && e.contains("f32") && e.contains("int8"), "{e}");
}
