//! One step and several are those of PyTorch (`tests/golden/tuning.py`).
use super::texts::Texts;
use super::training::Training;
use super::{Lesson, TuningConfig, ranking};
use crate::{Device, EncoderConfig, TextEncoder};
use manyview_core::{Fingerprint, Quiet};
use safetensors::SafeTensors;
use std::path::{Path, PathBuf};

const BATCH: usize = 4;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn floats(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    file.tensor(name).unwrap().data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

/// The largest difference, as a share of the largest value expected.
fn apart(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let most = expected.iter().fold(0f32, |most, v| most.max(v.abs()));
    found.iter().zip(expected).fold(0f32, |worst, (a, b)| worst.max((a - b).abs())) / most
}

#[test]
fn loss_gradients_and_updated_weights_are_those_of_pytorch() {
    let config =
        TuningConfig { batch: BATCH, lr: 1e-3, warmup: 0.3, dropout: Some(0.0), ..TuningConfig::default() };
    with_training(&config, |training| check(training, &config));
}

fn check(training: &mut Training<'_>, config: &TuningConfig) {
    let bytes = std::fs::read(golden("tuning/steps.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let (losses, lengths) = (floats(&expected, "losses"), floats(&expected, "lengths"));
    for (step, (loss, length)) in losses.iter().zip(&lengths).enumerate() {
        let batch: Vec<usize> = (step * BATCH..(step + 1) * BATCH).collect();
        if step == 0 {
            training.slope(&batch).unwrap();
            for tensor in &training.bert.plan.tensors {
                let expected = floats(&expected, &format!("gradient.{}", tensor.name));
                let gap = apart(&training.gradient[tensor.range.clone()], &expected);
                // A shift of keys changes no softmax: its gradient is 0 but for rounding.
                let nothing = tensor.name.ends_with("key.bias");
                assert!(nothing || gap < 1e-5, "{}: {gap} apart", tensor.name);
            }
        }
        let (found_loss, found_length) = training.step(&batch, config.rate(step, losses.len())).unwrap();
        assert!(
            (found_loss - f64::from(*loss)).abs() < 2e-5 * f64::from(*loss),
            "{step}: {found_loss} {loss}"
        );
        let gap = (found_length - f64::from(*length)).abs();
        assert!(gap < 2e-5 * f64::from(*length), "{step}: {found_length} {length}");
    }
    for tensor in &training.bert.plan.tensors {
        let expected = floats(&expected, &format!("after.{}", tensor.name));
        let gap = apart(&training.bert.values[tensor.range.clone()], &expected);
        assert!(tensor.name.ends_with("key.bias") || gap < 1e-5, "{}: {gap} apart", tensor.name);
    }
}

#[test]
fn gradients_are_those_of_the_loss_where_values_are_left_out() {
    let config = TuningConfig { batch: BATCH, dropout: Some(0.3), ..TuningConfig::default() };
    with_training(&config, |training| {
        let batch = [0, 5, 11, 17];
        training.slope(&batch).unwrap();
        let (values, gradient) = (training.bert.values.clone(), training.gradient.clone());
        let squared: f64 = gradient.iter().map(|g| f64::from(*g).powi(2)).sum();
        let mut along = |by: f64| {
            let step = (by / squared.sqrt()) as f32;
            training.bert.values = values.iter().zip(&gradient).map(|(v, g)| v + step * g).collect();
            training.after_change().unwrap();
            training.slope(&batch).unwrap()
        };
        let slope = (along(2e-3) - along(-2e-3)) / 4e-3;
        assert!((slope - squared.sqrt()).abs() < 2e-3 * slope, "{slope} {}", squared.sqrt());
    });
}

fn with_training(config: &TuningConfig, run: impl FnOnce(&mut Training<'_>)) {
    let base = TextEncoder::load(&golden("models/bert-tiny"), &EncoderConfig::default(), &Device::default())
        .unwrap();
    let bytes = std::fs::read(golden("tuning/pairs.json")).unwrap();
    let pairs: Vec<(String, String)> = serde_json::from_slice(&bytes).unwrap();
    let (queries, passages): (Vec<&str>, Vec<&str>) =
        pairs.iter().map(|(q, p)| (q.as_str(), p.as_str())).unzip();
    let lesson = Lesson {
        queries: &queries,
        passages: &passages,
        negatives: &[],
        objective: &|batch| ranking(20.0, batch),
        objective_name: "ranking",
        progress: &Quiet,
        on_step: &|_| (),
    };
    let work = tempfile::tempdir().unwrap();
    let key = Fingerprint::builder("test").finish();
    let texts = Texts::read(&base, &lesson).unwrap();
    let (_, mut training) = Training::new(&base, config, &lesson, texts, (work.path(), &key)).unwrap();
    training.after_change().unwrap();
    run(&mut training);
}
