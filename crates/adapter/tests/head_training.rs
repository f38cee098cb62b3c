//! Training of heads: what it learns, where it stops, and that a resumed run is the same run.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test
use manyview_adapter::{
    Device, GradientHead, GradientHeadFit, HeadConfig, Loss, MonitoredScores, RidgeHead, Schedule,
    TrainConfig,
};
use manyview_core::{Embeddings, Error, Fit, Kind, Progress, Quiet, Scored, Targets, Transform};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const DIM: usize = 12;

/// Rows and two targets of each: one a sum, one how far it is from the middle, which no linear head sees.
fn rows(n: usize, seed: u64) -> Scored {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let x: Vec<f32> = (0..n * DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
    let targets = x.chunks(DIM).flat_map(|row| {
        let sum: f64 = row[..4].iter().map(|v| f64::from(*v)).sum();
        [5.0 + 2.0 * sum, 100.0 + 30.0 * sum.abs()]
    });
    let targets = Targets::new(targets.collect(), 2).unwrap();
    Scored::new(Embeddings::new(x.clone(), DIM).unwrap(), targets).unwrap()
}

fn config() -> HeadConfig {
    let schedule = Schedule::Cosine;
    let train = TrainConfig { epochs: 6, batch: 32, lr: 3e-3, schedule, ..Default::default() };
    HeadConfig { hidden: vec![16], train, ..Default::default() }
}

/// Another training of the same head.
fn with(change: impl Fn(&mut TrainConfig)) -> HeadConfig {
    let mut config = config();
    change(&mut config.train);
    config
}

fn fit(head: &GradientHead, progress: &dyn Progress) -> manyview_core::Result<GradientHeadFit> {
    head.fit(&MonitoredScores { train: rows(300, 1), validation: Some(rows(100, 2)), progress })
}

fn trained(config: HeadConfig) -> GradientHeadFit {
    fit(&GradientHead::new(config, Device::flex()), &Quiet).unwrap()
}

/// Mean absolute errors on rows that no training saw.
fn errors(head: &manyview_adapter::Head) -> [f64; 2] {
    let test = rows(200, 3);
    let found = head.transform(test.base()).unwrap();
    [0, 1].map(|d| {
        let (found, truth) = (found.column(d).unwrap(), test.targets().column(d).unwrap());
        found.iter().zip(truth).map(|(f, t)| (f - t).abs()).sum::<f64>() / 200.0
    })
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

#[test]
fn a_linear_head_reaches_the_ridge_and_a_hidden_layer_sees_more() {
    let ridge = errors(&RidgeHead::default().fit(&rows(300, 1)).unwrap().head);
    let long = || with(|train| (train.epochs, train.lr) = (200, 1e-2));
    let linear = trained(HeadConfig { hidden: vec![], ..long() });
    let linear = errors(&linear.head);
    assert!(ridge[0] < 0.01 && linear[0] < 0.05, "{ridge:?} {linear:?}");
    for loss in [Loss::Mse, Loss::Huber { delta: 1.0 }] {
        let mlp = errors(&trained(HeadConfig { loss, ..long() }).head);
        assert!(mlp[1] < 0.4 * ridge[1] && mlp[1] < 0.4 * linear[1], "{loss:?}: {mlp:?} {ridge:?}");
    }
}

#[test]
fn the_errors_of_the_best_epoch_are_those_of_the_head_that_is_kept() {
    let fit = trained(config());
    let best = &fit.history[fit.best_epoch - 1];
    let val = rows(100, 2);
    let found = fit.head.transform(val.base()).unwrap();
    for d in 0..2 {
        let (found, truth) = (found.column(d).unwrap(), val.targets().column(d).unwrap());
        let mae = found.iter().zip(truth).map(|(f, t)| (f - t).abs()).sum::<f64>() / 100.0;
        assert!((mae - best.val.as_ref().unwrap().mae[d]).abs() < 1e-3 * mae, "{mae} {best:?}");
    }
    let lowest = fit.history.iter().filter_map(|e| e.val_loss).fold(f64::INFINITY, f64::min);
    assert_eq!(best.val_loss, Some(lowest));
}

#[test]
fn patience_stops_a_run_that_no_longer_improves() {
    let fit = trained(with(|train| {
        (train.patience, train.epochs, train.lr, train.schedule) = (3, 500, 0.1, Schedule::Constant);
    }));
    assert!(fit.stopped_early && fit.history.len() == fit.best_epoch + 3, "{}", fit.history.len());
}

fn names(dir: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    names
}

#[test]
fn a_run_that_is_interrupted_at_any_step_and_resumed_gives_the_same_bytes() {
    let config = |checkpoint_every| {
        let config = with(|train| {
            (train.clip, train.weight_decay, train.checkpoint_every) = (Some(0.5), 0.01, checkpoint_every);
        });
        HeadConfig { hidden: vec![16, 8], ..config }
    };
    let whole = trained(config(None));
    let json = |fit: &GradientHeadFit| serde_json::to_vec(&fit.history).unwrap();
    for step in 0..60 {
        let dir = tempfile::tempdir().unwrap();
        let head = GradientHead::new(config((step % 2 == 0).then_some(7)), Device::flex())
            .with_checkpoints(dir.path());
        let stopped = fit(&head, &StopAt(step, AtomicU64::new(0)));
        assert!(matches!(stopped, Err(Error::Interrupted)), "{step}");
        let resumed = fit(&head, &Quiet).unwrap();
        assert_eq!((&resumed, json(&resumed)), (&whole, json(&whole)), "stopped at step {step}");
        assert_eq!(fit(&head, &Quiet).unwrap(), whole, "taken from its last checkpoint");
    }
}

#[test]
fn checkpoints_come_as_many_steps_apart_as_asked_and_the_last_two_stay() {
    let dir = tempfile::tempdir().unwrap();
    let head = GradientHead::new(with(|train| train.checkpoint_every = Some(7)), Device::flex())
        .with_checkpoints(dir.path());
    fit(&head, &StopAt(38, AtomicU64::new(0))).unwrap_err();
    let steps = names(dir.path()).iter().map(|p| p.display().to_string()).collect::<Vec<_>>();
    assert!(
        steps.len() == 2 && steps[0].ends_with("-000000035") && steps[1].ends_with("-000000038"),
        "{steps:?}"
    );
}

#[test]
fn a_run_that_diverges_stops_at_once_and_keeps_what_was_good() {
    let dir = tempfile::tempdir().unwrap();
    let head = |lr| {
        let config = with(|train| (train.lr, train.schedule) = (lr, Schedule::Constant));
        GradientHead::new(config, Device::flex()).with_checkpoints(dir.path())
    };
    fit(&head(3e-3), &StopAt(23, AtomicU64::new(0))).unwrap_err();
    let good = names(dir.path());
    for (lr, loss) in [(1e30, Loss::Mse), (1e25, Loss::Huber { delta: 1.0 })] {
        let mut head = head(lr);
        head.config.loss = loss;
        let e = fit(&head, &Quiet).unwrap_err();
        assert_eq!(e.kind(), Kind::Numeric, "{e}");
        assert!(e.to_string().contains("epoch 1, batch 2"), "{e}");
    }
    assert_eq!(names(dir.path()), good);
}

#[test]
fn a_damaged_checkpoint_is_set_aside_and_the_one_before_it_taken() {
    let dir = tempfile::tempdir().unwrap();
    let head = GradientHead::new(config(), Device::flex()).with_checkpoints(dir.path());
    fit(&head, &StopAt(23, AtomicU64::new(0))).unwrap_err();
    let whole = fit(&head, &Quiet).unwrap();
    let found = names(dir.path());
    fs::write(found[1].join("state.safetensors"), b"damaged").unwrap();
    assert_eq!(fit(&head, &Quiet).unwrap(), whole);
    assert!(names(dir.path()).iter().any(|p| p.extension().is_some_and(|e| e == "damaged")));
}

#[test]
fn settings_out_of_range_and_rows_of_other_dimensions_are_refused() {
    let refused = |config| fit(&GradientHead::new(config, Device::flex()), &Quiet).unwrap_err().to_string();
    assert!(refused(HeadConfig { hidden: vec![0], ..config() }).starts_with("hidden"));
    assert!(refused(with(|train| train.lr = 0.0)).starts_with("lr"));
    assert!(refused(with(|train| train.checkpoint_every = Some(0))).starts_with("checkpoint_every"));
    assert!(refused(HeadConfig { loss: Loss::Huber { delta: 0.0 }, ..config() }).starts_with("huber_delta"));
    let alone = MonitoredScores { train: rows(10, 1), validation: None, progress: &Quiet };
    let patient = GradientHead::new(with(|train| train.patience = 1), Device::flex());
    assert!(patient.fit(&alone).unwrap_err().to_string().starts_with("patience"));
    let one = Targets::new(rows(10, 1).targets().column(0).unwrap(), 1).unwrap();
    let other = Scored::new(rows(10, 1).base().clone(), one).unwrap();
    let data = MonitoredScores { train: rows(10, 1), validation: Some(other), progress: &Quiet };
    let e = GradientHead::new(config(), Device::flex()).fit(&data).unwrap_err().to_string();
    assert!(e.contains("12 and 2") && e.contains("12 and 1"), "{e}");
}
