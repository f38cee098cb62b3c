//! Weights held smaller give nearly the same vectors, and vectors that are told apart.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod golden;

use golden::Golden;
use manyview_core::{Embeddings, Encoder};
use manyview_encoder::{Device, EncoderConfig, Engine, Error, TextEncoder, Weights};

fn load(golden: &Golden, weights: Weights) -> TextEncoder {
    load_on(golden, weights, Engine::Own, &Device::flex()).unwrap()
}

fn load_on(golden: &Golden, weights: Weights, engine: Engine, device: &Device) -> Result<TextEncoder, Error> {
    let config =
        EncoderConfig { weights, engine, max_length: Some(golden.texts.max_length), ..Default::default() };
    TextEncoder::load(&golden.model, &config, device)
}

/// Cosines with the vectors of `f32`, text by text.
fn cosines(golden: &Golden, weights: Weights) -> Vec<f32> {
    let vectors = |weights| load(golden, weights).encode(&golden.texts(), None).unwrap().vectors;
    between(&vectors(Weights::F32), &vectors(weights))
}

fn between(a: &Embeddings, b: &Embeddings) -> Vec<f32> {
    a.rows().zip(b.rows()).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum()).collect()
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
    for name in ["gemma3-causal", "qwen2-tiny", "qwen3-grouped"] {
        let golden = Golden::read(name);
        assert!(mean(&cosines(&golden, Weights::Bf16)) > 0.9999, "{name}");
        // 32 random numbers to a state: little averages out
        assert!(mean(&cosines(&golden, Weights::Int8)) > 0.99, "{name}");
    }
}

#[test]
fn the_fingerprint_tells_them_apart() {
    let golden = Golden::read("qwen3-tiny");
    let prints = [Weights::F32, Weights::Bf16, Weights::Int8].map(|w| load(&golden, w).fingerprint());
    assert!(prints[0] != prints[1] && prints[1] != prints[2] && prints[0] != prints[2]);
}

/// On the device that `MANYVIEW_TEST_DEVICE` names, as in `parity.rs`.
#[test]
fn burns_tensors_in_bf16_stay_close_to_f32_or_are_refused() {
    let device = golden::device();
    for name in golden::MODELS {
        let golden = Golden::read(name);
        let load = |weights| load_on(&golden, weights, Engine::Burn, &device);
        let full = load(Weights::F32).unwrap();
        let small = match load(Weights::Bf16) {
            Ok(small) => small,
            Err(e) => {
                assert_eq!(golden::device_name(), "ndarray", "{e}"); // the one that does not compute in bf16
                return;
            }
        };
        assert_ne!(full.fingerprint(), small.fingerprint());
        let held = load_on(&golden, Weights::Bf16, Engine::Own, &Device::flex()).unwrap();
        assert_ne!(held.fingerprint(), small.fingerprint(), "only held as bf16, computed in f32");
        let vectors = |encoder: TextEncoder| encoder.encode(&golden.texts(), None).unwrap().vectors;
        let found = between(&vectors(full), &vectors(small));
        let least = found.iter().copied().fold(1f32, f32::min);
        println!("{name} on {}: cosine {:.6}, at least {least:.6}", golden::device_name(), mean(&found));
        assert!(mean(&found) > 0.999 && least > 0.99, "{name}: {} {least}", mean(&found));
    }
}

#[test]
fn burns_tensors_do_not_take_int8() {
    let golden = Golden::read("qwen3-tiny");
    let e = load_on(&golden, Weights::Int8, Engine::Burn, &Device::flex()).err().unwrap().to_string();
    assert!(e.contains("weights") && e.contains("f32") && e.contains("int8"), "{e}");
}
