//! Training: what it learns, where it stops, and that a resumed run is the same run.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test
use manyview_adapter::{
    Device, Gradient, GradientConfig, GradientFit, Linear, Map, Monitored, Schedule, Shape, Start,
    TrainConfig,
};
use manyview_core::{Embeddings, Error, Fit, Kind, Paired, Progress, Quiet, Transform};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const DIM: usize = 70;

fn random(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n * dim).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Rows and their images under one random map near the identity, all normalised.
fn pairs(n: usize, seed: u64) -> Paired {
    let mut w: Vec<f32> = random(DIM, DIM, 99).iter().map(|v| v * 0.1).collect();
    w.iter_mut().step_by(DIM + 1).for_each(|v| *v += 1.0);
    let x = Embeddings::new(random(n, DIM, seed), DIM).unwrap().normalized().unwrap();
    let y = Linear::new(w, DIM, None).unwrap().transform(&x).unwrap();
    Paired::new(x, y).unwrap()
}

fn config() -> GradientConfig {
    let schedule = Schedule::Cosine;
    let train = TrainConfig { epochs: 6, batch: 16, lr: 3e-3, schedule, warmup: 0.1, ..Default::default() };
    GradientConfig { train, ..Default::default() }
}

/// Another training of the same map.
fn with(change: impl Fn(&mut TrainConfig)) -> GradientConfig {
    let mut config = config();
    change(&mut config.train);
    config
}

fn fit(gradient: &Gradient, progress: &dyn Progress) -> manyview_core::Result<GradientFit> {
    let validation = Some(pairs(20, 2));
    gradient.fit(&Monitored { train: pairs(50, 1), validation, score: None, progress })
}

fn trained(config: GradientConfig) -> GradientFit {
    fit(&Gradient::new(config, Device::flex()), &Quiet).unwrap()
}

/// Asks to stop at the given question.
struct StopAt(u64, AtomicU64);

impl Progress for StopAt {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed) >= self.0
    }
}

fn stop_at(question: u64) -> StopAt {
    StopAt(question, AtomicU64::new(0))
}

fn checkpoints(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn training_learns_the_map_from_every_start() {
    for start in [Start::Identity, Start::Random, Start::Ridge] {
        let fit = trained(GradientConfig { start, bias: true, ..with(|train| train.epochs = 60) });
        let (first, last) = (fit.history[0].train_loss, fit.history[59].train_loss);
        assert!(last < 0.5 * first, "{start:?}: {first} then {last}");
        let held_out = pairs(30, 3);
        let view = fit.map.transform(held_out.base()).unwrap();
        let cosine = |x: &Embeddings| {
            let rows = x.rows().zip(held_out.teacher().rows());
            rows.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>()).sum::<f32>() / 30.0
        };
        if start == Start::Identity {
            assert!(cosine(&view) > cosine(held_out.base()) + 0.02);
        }
    }
}

#[test]
fn every_shape_learns_from_the_identity_and_resumes_to_the_same_bits() {
    for shape in Shape::ALL {
        let config = GradientConfig { shape, bias: true, ..with(|train| train.epochs = 30) };
        let fit_of = trained(config.clone());
        let (first, last) = (fit_of.history[0].train_loss, fit_of.history[29].train_loss);
        assert!(last < 0.7 * first, "{shape:?}: {first} then {last}");
        assert_eq!(fit_of.map.shape(), shape);
        let root = tempfile::tempdir().unwrap();
        let gradient = Gradient::new(config, Device::flex()).with_checkpoints(root.path());
        fit(&gradient, &stop_at(50)).unwrap_err();
        assert_eq!(fit(&gradient, &Quiet).unwrap(), fit_of, "{shape:?}");
    }
}

#[test]
fn an_mlp_maps_to_another_dimension_and_what_adds_the_input_cannot() {
    let (x, y) = (random(20, 6, 1), random(20, 4, 2));
    let train = Paired::new(Embeddings::new(x, 6).unwrap(), Embeddings::new(y, 4).unwrap()).unwrap();
    let fit = |shape, start| {
        let config = GradientConfig { shape, start, ..config() };
        let data = Monitored { train: train.clone(), validation: None, score: None, progress: &Quiet };
        Gradient::new(config, Device::flex()).fit(&data).map_err(|e| e.to_string())
    };
    assert_eq!(fit(Shape::Mlp, Start::Random).unwrap().map.dim_out(), 4);
    assert!(fit(Shape::Mlp, Start::Identity).unwrap_err().contains("identity"));
    assert!(fit(Shape::Gated, Start::Random).unwrap_err().contains("as the input"));
    assert!(fit(Shape::Mlp, Start::Ridge).unwrap_err().starts_with("start"));
}

#[test]
fn the_learning_rate_of_each_epoch_follows_the_schedule() {
    let rates: Vec<f64> = trained(config()).history.iter().map(|e| e.lr).collect();
    assert!(rates[0] > 0.99 * 3e-3 && rates.windows(2).all(|r| r[1] < r[0]) && rates[5] < 1e-4, "{rates:?}");
}

#[test]
fn another_seed_gives_another_map_and_the_same_seed_the_same() {
    assert_eq!(trained(config()), trained(config()));
    assert_ne!(trained(config()).map, trained(with(|train| train.seed = 1)).map);
}

#[test]
fn the_best_epoch_is_the_one_of_the_highest_score() {
    let calls = AtomicU64::new(0);
    let score = |_: &Map| Ok([0.1, 0.9, 0.4, 0.9, 0.2, 0.1][calls.fetch_add(1, Ordering::Relaxed) as usize]);
    let data = Monitored { train: pairs(50, 1), validation: None, score: Some(&score), progress: &Quiet };
    let constant = |epochs| {
        with(|train| (train.schedule, train.warmup, train.epochs) = (Schedule::Constant, 0.0, epochs))
    };
    let fit = Gradient::new(constant(6), Device::flex()).fit(&data).unwrap();
    assert_eq!((fit.best_epoch, fit.stopped_early), (2, false));
    let short = Gradient::new(constant(2), Device::flex());
    let data = Monitored { train: pairs(50, 1), validation: None, score: None, progress: &Quiet };
    assert_eq!(fit.map, short.fit(&data).unwrap().map);
}

#[test]
fn patience_stops_a_run_that_no_longer_improves() {
    let score = |_: &Map| Ok(0.5);
    let data = Monitored { train: pairs(50, 1), validation: None, score: Some(&score), progress: &Quiet };
    let config = with(|train| train.patience = 2);
    let fit = Gradient::new(config, Device::flex()).fit(&data).unwrap();
    assert_eq!((fit.best_epoch, fit.history.len(), fit.stopped_early), (1, 3, true));
}

#[test]
fn patience_with_nothing_to_watch_is_refused() {
    let data = Monitored { train: pairs(9, 1), validation: None, score: None, progress: &Quiet };
    let e = Gradient::new(with(|train| train.patience = 2), Device::flex()).fit(&data).unwrap_err();
    assert!(e.to_string().contains("patience"), "{e}");
}

#[test]
fn clipping_changes_a_run_only_where_gradients_are_longer() {
    let clipped = |clip| trained(with(|train| train.clip = clip)).map;
    assert_eq!(clipped(None), clipped(Some(1e6)));
    assert_ne!(clipped(None), clipped(Some(1e-7)));
}

#[test]
fn a_loss_that_is_not_finite_stops_at_once_and_names_its_place() {
    let config = with(|train| (train.lr, train.warmup) = (1e38, 0.0));
    let e = fit(&Gradient::new(config, Device::flex()), &Quiet);
    let e = e.unwrap_err();
    assert_eq!(e.kind(), Kind::Numeric);
    assert!(e.to_string().contains("epoch 1, batch 2"), "{e}");
}

#[test]
fn a_run_interrupted_anywhere_and_resumed_equals_one_that_was_not() {
    let config = || GradientConfig { bias: true, ..with(|train| train.clip = Some(0.05)) };
    let whole = trained(config());
    for question in [0, 2, 4, 9, 23] {
        let root = tempfile::tempdir().unwrap();
        let gradient = Gradient::new(config(), Device::flex()).with_checkpoints(root.path());
        let e = fit(&gradient, &stop_at(question)).unwrap_err();
        assert!(matches!(e, Error::Interrupted), "{e}");
        assert_eq!(checkpoints(root.path()).len(), usize::from(question >= 1), "after question {question}");
        assert_eq!(fit(&gradient, &Quiet).unwrap(), whole, "after question {question}");
    }
}

#[test]
fn a_finished_run_is_read_back_without_training() {
    let root = tempfile::tempdir().unwrap();
    let gradient = Gradient::new(config(), Device::flex()).with_checkpoints(root.path());
    let whole = fit(&gradient, &Quiet).unwrap();
    assert_eq!(fit(&gradient, &stop_at(0)).unwrap(), whole);
}

#[test]
fn checkpoints_of_another_configuration_or_other_data_are_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let run = |config| Gradient::new(config, Device::flex()).with_checkpoints(root.path());
    fit(&run(config()), &Quiet).unwrap();
    let other = with(|train| train.seed = 5);
    assert_eq!(fit(&run(other.clone()), &Quiet).unwrap(), trained(other));
    let data = Monitored { train: pairs(50, 8), validation: None, score: None, progress: &Quiet };
    let fresh = Gradient::new(config(), Device::flex()).fit(&data).unwrap();
    assert_eq!(run(config()).fit(&data).unwrap(), fresh);
    assert_eq!(checkpoints(root.path()).len(), 3);
}

#[test]
fn a_damaged_checkpoint_is_set_aside_and_the_one_before_it_used() {
    let whole = trained(config());
    for file in ["state.safetensors", "history.json", "manifest.json"] {
        let root = tempfile::tempdir().unwrap();
        let gradient = Gradient::new(config(), Device::flex()).with_checkpoints(root.path());
        for question in [9, 13] {
            fit(&gradient, &stop_at(question)).unwrap_err();
        }
        let latest = checkpoints(root.path()).pop().unwrap();
        let mut bytes = fs::read(latest.join(file)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(latest.join(file), bytes).unwrap();
        assert_eq!(fit(&gradient, &Quiet).unwrap(), whole, "{file}");
        assert!(latest.with_extension("damaged").exists(), "{file}");
    }
}

#[test]
fn what_a_killed_run_was_writing_is_removed_and_what_is_not_its_own_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let gradient = Gradient::new(config(), Device::flex()).with_checkpoints(root.path());
    fit(&gradient, &stop_at(9)).unwrap_err();
    let name = checkpoints(root.path())[0].file_name().unwrap().to_str().unwrap().to_owned();
    let (unfinished, foreign) = (root.path().join(format!(".{name}.1.new")), root.path().join("notes"));
    fs::create_dir(&unfinished).unwrap();
    fs::create_dir(&foreign).unwrap();
    fit(&gradient, &Quiet).unwrap();
    assert!(!unfinished.exists() && foreign.exists());
}

#[test]
fn validation_pairs_of_other_dimensions_are_refused() {
    let validation = Embeddings::new(vec![1.0; 6], 3).unwrap();
    let validation = Some(Paired::new(validation.clone(), validation).unwrap());
    let data = Monitored { train: pairs(9, 1), validation, score: None, progress: &Quiet };
    let e = Gradient::new(config(), Device::flex()).fit(&data).unwrap_err();
    assert!(e.to_string().contains("validation"), "{e}");
}
