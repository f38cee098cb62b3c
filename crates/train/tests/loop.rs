//! The loop: what it learns, where it stops, and that a resumed run is the same run.
#![cfg(feature = "burn")]
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test
use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Int, Tensor, TensorData};
use manyview_core::{Error, Fingerprint, Progress, Quiet, Result};
use manyview_train::{
    Batch, BatchLoss, Device, Epoch, Measured, ProgressUnit, Schedule, StepMetrics, TrainConfig, TrainStep,
    Trained, Trainer, ValidationSet,
};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const N: usize = 30;
const DIM: usize = 6;

/// Two layers and a factor that does not learn.
#[derive(Module, Debug)]
struct Model {
    first: Linear,
    second: Linear,
    factor: Param<Tensor<1>>,
}

fn rows(n: usize, dim: usize, seed: f32) -> Vec<f32> {
    (0..n * dim).map(|i| (i as f32 * seed).sin()).collect()
}

fn model() -> Model {
    let device = Device::flex().autodiff();
    let layer = |dim_in, dim_out, seed| {
        let mut layer = LinearConfig::new(dim_in, dim_out).init(&device);
        let data = TensorData::new(rows(dim_in, dim_out, seed), [dim_in, dim_out]);
        layer.weight = Param::from_data(data, &device);
        layer.bias = Some(Param::from_data(TensorData::new(vec![0.1; dim_out], [dim_out]), &device));
        layer
    };
    let factor = Param::from_data(TensorData::from([2.0f32]), &device).set_require_grad(false);
    Model { first: layer(DIM, 5, 1.7), second: layer(5, 2, 2.3), factor }
}

impl Model {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.second.forward(self.first.forward(x).tanh()) * self.factor.val().unsqueeze()
    }
}

/// Rows to be mapped to others; noise from the seed of each step stands for dropout.
struct Rows {
    x: Tensor<2>,
    y: Tensor<2>,
    told: Mutex<Vec<StepMetrics>>,
}

impl Rows {
    fn new(seed: f32) -> Self {
        let device = Device::flex().autodiff();
        let tensor = |dim, seed| Tensor::from_data(TensorData::new(rows(N, dim, seed), [N, dim]), &device);
        Self { x: tensor(DIM, seed), y: tensor(2, seed + 0.1), told: Mutex::default() }
    }

    fn mse(&self, model: &Model, x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
        (model.forward(x) - y).square().mean()
    }
}

impl TrainStep for Rows {
    type Module = Model;

    fn examples(&self) -> usize {
        N
    }

    fn metrics(&self) -> usize {
        1
    }

    fn loss(&self, model: &Model, batch: &Batch<'_>) -> Result<BatchLoss> {
        let numbers: Vec<i32> = batch.examples.iter().map(|i| *i as i32).collect();
        let numbers = Tensor::<1, Int>::from_data(numbers.as_slice(), &self.x.device());
        let noise = 1.0 + (batch.seed % 100) as f64 * 1e-3;
        let x = self.x.clone().select(0, numbers.clone()) * noise;
        let loss = self.mse(model, x, self.y.clone().select(0, numbers));
        Ok(BatchLoss { loss, metrics: vec![batch.examples.len() as f64] })
    }

    fn decays(&self, path: &str) -> bool {
        path.ends_with("weight")
    }

    fn observe(&self, step: &StepMetrics) -> Result<()> {
        self.told.lock().unwrap().push(step.clone());
        Ok(())
    }
}

impl ValidationSet<Model> for Rows {
    fn measure(&self, model: &Model) -> Result<Measured> {
        let loss = self.mse(model, self.x.clone().inner(), self.y.clone().inner());
        let loss = Some(f64::from(loss.into_scalar::<f32>()));
        Ok(Measured { loss, score: None, metrics: vec![1.0] })
    }
}

fn config() -> TrainConfig {
    TrainConfig {
        epochs: 4,
        batch: 8,
        lr: 0.02,
        weight_decay: 0.01,
        schedule: Schedule::Cosine,
        warmup: 0.2,
        clip: Some(0.5),
        seed: 3,
        ..TrainConfig::default()
    }
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

fn values(model: &Model) -> Vec<f32> {
    let of = |layer: &Linear| {
        let bias = layer.bias.as_ref().unwrap().val().into_data().iter::<f32>().collect::<Vec<f32>>();
        layer.weight.val().into_data().iter::<f32>().chain(bias).collect::<Vec<f32>>()
    };
    [of(&model.first), of(&model.second), model.factor.val().into_data().iter().collect()].concat()
}

fn trained(trainer: &Trainer<'_>) -> manyview_train::Result<(Vec<f32>, Vec<Epoch>, usize)> {
    let Trained { module, history } = trainer.train(model(), &Rows::new(0.7), Some(&Rows::new(0.4)))?;
    Ok((values(&module), history.epochs, history.best_epoch))
}

fn key() -> Fingerprint {
    Fingerprint::builder("rows").finish()
}

#[test]
fn training_lowers_the_loss_and_changes_only_what_learns() {
    let (values_after, epochs, best) =
        trained(&Trainer::new(TrainConfig { epochs: 60, ..config() }, &Quiet)).unwrap();
    assert!(epochs[59].train_loss < 0.5 * epochs[0].train_loss, "{epochs:?}");
    let lowest = epochs.iter().filter_map(|e| e.val_loss).fold(f64::INFINITY, f64::min);
    assert_eq!(epochs[best - 1].val_loss, Some(lowest));
    let before = values(&model());
    let changed = before.iter().zip(&values_after).filter(|(a, b)| a != b).count();
    assert_eq!(changed, before.len() - 1, "all but the factor");
    assert!((epochs[0].train_metrics[0] - (8.0 * 24.0 + 6.0 * 6.0) / 30.0).abs() < 1e-12);
}

#[test]
fn a_run_interrupted_at_any_step_and_resumed_gives_the_same_bytes() {
    let whole = trained(&Trainer::new(config(), &Quiet)).unwrap();
    for step in 0..16 {
        let root = tempfile::tempdir().unwrap();
        let config = TrainConfig { checkpoint_every: (step % 2 == 0).then_some(3), ..config() };
        let stop = StopAt(step, AtomicU64::new(0));
        let stopped = Trainer::new(config.clone(), &stop).with_checkpoints(root.path(), key());
        assert!(
            matches!(trained(&stopped), Err(manyview_train::Error::Core(Error::Interrupted))),
            "step {step}"
        );
        let resumed = Trainer::new(config, &Quiet).with_checkpoints(root.path(), key());
        assert_eq!(trained(&resumed).unwrap(), whole, "step {step}");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
        let read_back = StopAt(0, AtomicU64::new(0));
        let read_back = Trainer::new(TrainConfig { checkpoint_every: None, ..self::config() }, &read_back)
            .with_checkpoints(root.path(), key());
        assert_eq!(trained(&read_back).unwrap(), whole, "a finished run is read back");
    }
}

#[test]
fn another_configuration_or_key_is_another_run() {
    let root = tempfile::tempdir().unwrap();
    let run = |config, key| trained(&Trainer::new(config, &Quiet).with_checkpoints(root.path(), key));
    let first = run(config(), key()).unwrap();
    assert_ne!(run(TrainConfig { seed: 4, ..config() }, key()).unwrap(), first);
    assert_eq!(run(config(), Fingerprint::builder("others").finish()).unwrap(), first);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 3);
}

#[test]
fn weight_decay_spares_what_the_step_says() {
    let bias = |weight_decay| {
        let config = TrainConfig { weight_decay, epochs: 1, batch: N, clip: None, ..config() };
        let trained = Trainer::new(config, &Quiet).train(model(), &Rows::new(0.7), None).unwrap().module;
        let of = |param: &Param<Tensor<1>>| param.val().into_data().iter::<f32>().collect::<Vec<f32>>();
        (of(trained.first.bias.as_ref().unwrap()), values(&trained))
    };
    let (none, much) = (bias(0.0), bias(5.0));
    assert_eq!(none.0, much.0);
    assert_ne!(none.1, much.1);
}

#[test]
fn each_step_is_told_with_its_norm_and_counted_where_steps_count() {
    struct Counted(Mutex<Vec<(String, u64)>>);
    impl Progress for Counted {
        fn begin(&self, stage: &str, total: u64) {
            self.0.lock().unwrap().push((stage.into(), total));
        }
        fn advance(&self, by: u64) {
            self.0.lock().unwrap().push(("by".into(), by));
        }
        fn end(&self) {}
        fn measured(&self, step: u64, values: &[(&str, f64)]) {
            let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
            self.0.lock().unwrap().push((names.join(" "), step));
        }
    }
    let counted = Counted(Mutex::default());
    let rows = Rows::new(0.7);
    let trainer = Trainer::new(TrainConfig { epochs: 2, ..config() }, &counted)
        .with_stage("fine-tune", ProgressUnit::Steps);
    trainer.train(model(), &rows, Some(&Rows::new(0.4))).unwrap();
    let told = rows.told.into_inner().unwrap();
    assert_eq!(told.iter().map(|s| s.step).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    assert!(told.iter().all(|s| s.gradient_norm.is_some_and(|norm| norm > 0.0)));
    let counted = counted.0.into_inner().unwrap();
    assert_eq!(counted[0], ("fine-tune".into(), 8));
    assert_eq!(counted.iter().filter(|(what, by)| what == "by" && *by == 1).count(), 8);
    assert_eq!(
        counted.iter().filter(|(what, _)| what == "loss lr val_loss").map(|c| c.1).collect::<Vec<_>>(),
        [4, 8]
    );
}

#[test]
fn a_loss_that_is_not_finite_ends_the_run_and_names_its_place() {
    let config = TrainConfig { lr: 1e38, warmup: 0.0, clip: None, schedule: Schedule::Constant, ..config() };
    let e = trained(&Trainer::new(config, &Quiet)).unwrap_err();
    assert!(e.to_string().contains("epoch 1, batch 2"), "{e}");
}

#[test]
fn patience_ends_a_run_that_no_longer_improves() {
    struct Worse(AtomicU64);
    impl ValidationSet<Model> for Worse {
        fn measure(&self, _: &Model) -> Result<Measured> {
            let score = -(self.0.fetch_add(1, Ordering::Relaxed) as f64);
            Ok(Measured { score: Some(score), ..Measured::default() })
        }
    }
    let config = TrainConfig { patience: 2, epochs: 9, ..config() };
    let trained =
        Trainer::new(config, &Quiet).train(model(), &Rows::new(0.7), Some(&Worse(AtomicU64::new(0))));
    let history = trained.unwrap().history;
    assert_eq!((history.best_epoch, history.epochs.len(), history.stopped_early), (1, 3, true));
}
