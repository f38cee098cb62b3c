//! One step and several are those of PyTorch.
use super::training::Training;
use crate::Device;
use crate::architecture::bert::Config;
use crate::finetune::training::parity::{BATCH, Expected, RANKING, config, golden, with_job};
use crate::finetune::{FineTuneConfig, Lora, Method};
use std::collections::BTreeMap;

#[test]
fn loss_gradients_and_updated_weights_are_those_of_pytorch() {
    let config = config();
    with_training(&config, |training| {
        let expected = Expected::read("bert-full");
        let named = |training: &Training<'_>, values: &[f32]| -> BTreeMap<String, Vec<f32>> {
            let tensors = training.bert.layout.tensors.iter();
            tensors.map(|t| (t.name.clone(), values[t.range.clone()].to_vec())).collect()
        };
        training.compute_gradient(&(0..BATCH).collect::<Vec<_>>()).unwrap();
        let (gap, name) = expected.furthest("gradient", &named(training, &training.gradient));
        assert!(gap < 1e-5, "{name}: {gap} apart");
        steps(training, &config, &expected);
        let (gap, name) = expected.furthest("after", &named(training, &training.bert.values));
        assert!(gap < 1e-5, "{name}: {gap} apart");
    });
}

#[test]
fn lora_of_the_same_start_is_that_of_peft() {
    let targets = ["query", "value", "attention.output.dense", "intermediate.dense"].map(String::from);
    let lora = Lora { rank: 3, alpha: 12.0, targets: targets.to_vec(), dropout: 0.0 };
    let config = FineTuneConfig { method: Method::Lora(lora), ..config() };
    with_training(&config, |training| {
        let expected = Expected::read("bert-lora");
        training
            .adapters
            .as_mut()
            .unwrap()
            .start_from(|name| expected.get(&format!("before.{name}")).to_vec());
        training.after_change().unwrap();
        let named =
            |training: &Training<'_>, values: &[f32]| training.adapters.as_ref().unwrap().named(values);
        training.compute_gradient(&(0..BATCH).collect::<Vec<_>>()).unwrap();
        let mut gradient = training.low_rank_gradient.clone();
        training.adapters.as_ref().unwrap().gradient(&training.gradient, &mut gradient).unwrap();
        let (gap, name) = expected.furthest("gradient", &named(training, &gradient));
        assert!(gap < 1e-5, "{name}: {gap} apart");
        steps(training, &config, &expected);
        let values = training.adapters.as_ref().unwrap().values.clone();
        let (gap, name) = expected.furthest("after", &named(training, &values));
        assert!(gap < 1e-5, "{name}: {gap} apart");
    });
}

fn steps(training: &mut Training<'_>, config: &FineTuneConfig, expected: &Expected) {
    let (losses, norms) = (expected.get("losses"), expected.get("lengths"));
    for (step, (loss, norm)) in losses.iter().zip(norms).enumerate() {
        let batch: Vec<usize> = (step * BATCH..(step + 1) * BATCH).collect();
        let found = training.step(&batch, config.rate(step, losses.len())).unwrap();
        for (found, expected) in [(found.0, *loss), (found.1, *norm)] {
            let gap = (found - f64::from(expected)).abs();
            assert!(gap < 2e-5 * f64::from(expected), "{step}: {found} {expected}");
        }
    }
}

#[test]
fn gradients_are_those_of_the_loss_where_values_are_left_out() {
    let config = FineTuneConfig { dropout: Some(0.3), ..config() };
    with_training(&config, |training| {
        let batch = [0, 5, 11, 17];
        training.compute_gradient(&batch).unwrap();
        let (values, gradient) = (training.bert.values.clone(), training.gradient.clone());
        let squared: f64 = gradient.iter().map(|g| f64::from(*g).powi(2)).sum();
        let mut along = |by: f64| {
            let step = (by / squared.sqrt()) as f32;
            training.bert.values = values.iter().zip(&gradient).map(|(v, g)| v + step * g).collect();
            training.after_change().unwrap();
            training.compute_gradient(&batch).unwrap()
        };
        let change = (along(2e-3) - along(-2e-3)) / 4e-3;
        assert!((change - squared.sqrt()).abs() < 2e-3 * change, "{change} {}", squared.sqrt());
    });
}

fn with_training(config: &FineTuneConfig, run: impl FnOnce(&mut Training<'_>)) {
    let bytes = std::fs::read(golden("models/bert-tiny/config.json")).unwrap();
    let description: Config = serde_json::from_slice(&bytes).unwrap();
    with_job(("bert-tiny", &Device::default()), (config, &RANKING), |job| {
        let mut training = Training::new(job, &description).unwrap();
        training.after_change().unwrap();
        run(&mut training);
    });
}
