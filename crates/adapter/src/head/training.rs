use super::Head;
use super::config::HeadConfig;
use super::network::{self, Network};
use super::objective::{DimensionErrors, Measured, gradient};
use super::scaling::Scaling;
use super::state::{History, State};
use crate::checkpoint::{Checkpoints, hash, json};
use crate::gradient::adamw::AdamW;
use crate::gradient::parameters::tensor;
use crate::weights::Weights;
use crate::{Error, Result};
use burn::tensor::{Device, Int, Tensor, TensorData};
use manyview_core::{Error as CoreError, Fingerprint, Fit, Progress, Scored};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Learns a head by AdamW on a device.
///
/// The same configuration, data and device give the same head to the last bit, whether or not the run was interrupted
/// and resumed from its checkpoints.
#[derive(Clone, Debug)]
pub struct GradientHead {
    /// How it trains.
    pub config: HeadConfig,
    /// Where it computes.
    pub device: Device,
    /// Where checkpoints go; none are kept without it.
    pub checkpoints: Option<PathBuf>,
}

/// Training rows, and what watches over the training.
pub struct MonitoredScores<'a> {
    /// The rows to learn from.
    pub train: Scored,
    /// Rows for a loss after each epoch, of the same dimensions: the epoch of the lowest is kept. Without them the last
    /// epoch is.
    pub validation: Option<Scored>,
    /// Told of each epoch, and asked between batches whether to stop.
    pub progress: &'a dyn Progress,
}

/// A head learnt by [`GradientHead`].
#[derive(Clone, Debug, PartialEq)]
pub struct GradientHeadFit {
    /// The head of the best epoch.
    pub head: Head,
    /// Every epoch, in order.
    pub history: Vec<HeadEpoch>,
    /// The best epoch, from 1.
    pub best_epoch: usize,
    /// Whether patience ran out before the last epoch.
    pub stopped_early: bool,
}

/// What was measured in an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadEpoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean loss over the training rows, each before the step it was part of.
    pub train_loss: f64,
    /// Errors on the training rows, each before the step it was part of.
    pub train: DimensionErrors,
    /// Mean loss over the validation rows, after the epoch.
    pub val_loss: Option<f64>,
    /// Errors on the validation rows, after the epoch.
    pub val: Option<DimensionErrors>,
    /// Learning rate of its last step.
    pub lr: f64,
}

impl GradientHead {
    /// Trains as `config` says on `device`, without checkpoints.
    pub fn new(config: HeadConfig, device: Device) -> Self {
        Self { config, device, checkpoints: None }
    }

    /// Keeps the last two checkpoints of each run below `dir`, and resumes from them. Runs may share a directory.
    #[must_use]
    pub fn with_checkpoints(self, dir: impl Into<PathBuf>) -> Self {
        Self { checkpoints: Some(dir.into()), ..self }
    }

    fn check(&self, data: &MonitoredScores<'_>) -> Result<()> {
        self.config.check()?;
        if self.config.patience > 0 && data.validation.is_none() {
            let found = self.config.patience.to_string();
            return Err(Error::Setting { name: "patience", expected: "0 without validation rows", found });
        }
        let dims = |s: &Scored| (s.base().dim(), s.targets().dim());
        let expected = dims(&data.train);
        match data.validation.as_ref().map(dims).filter(|d| *d != expected) {
            Some(found) => Err(CoreError::Shape {
                what: "dimensions of the validation rows".into(),
                expected: format!("{} and {}, as the training rows", expected.0, expected.1),
                found: format!("{} and {}", found.0, found.1),
            }
            .into()),
            None => Ok(()),
        }
    }

    /// The widths from vector to figures.
    fn dims(&self, data: &Scored) -> Vec<usize> {
        let hidden = self.config.hidden.iter().copied();
        [data.base().dim()].into_iter().chain(hidden).chain([data.targets().dim()]).collect()
    }

    /// What a run depends on: configuration, data, device.
    fn key(&self, data: &MonitoredScores<'_>) -> Result<Fingerprint> {
        let mut key = Fingerprint::builder("manyview-head-training/1")
            .field("config", &json(&self.config)?)
            .field("device", format!("{:?}", self.device).as_bytes());
        for (name, rows) in [("train", Some(&data.train)), ("validation", data.validation.as_ref())] {
            let Some(rows) = rows else { continue };
            let figures: Vec<u8> = rows.targets().as_slice().iter().flat_map(|v| v.to_le_bytes()).collect();
            key = key
                .field(name, &(rows.base().dim() as u64).to_le_bytes())
                .field(name, &hash(rows.base()))
                .field(name, &figures);
        }
        Ok(key.finish())
    }
}

impl Fit<MonitoredScores<'_>> for GradientHead {
    type Fitted = GradientHeadFit;

    /// # Errors
    /// A setting out of range, dimensions that do not match, a loss that is not finite, checkpoints that cannot be
    /// written, and [`manyview_core::Error::Interrupted`] when asked to stop: the epochs finished by then are on disk
    /// where there is a checkpoint directory.
    fn fit(&self, data: &MonitoredScores<'_>) -> manyview_core::Result<GradientHeadFit> {
        self.check(data)?;
        let dims = self.dims(&data.train);
        let mut checkpoints = match &self.checkpoints {
            Some(root) => Some(Checkpoints::new(root, self.key(data)?)),
            None => None,
        };
        let monitored = data.validation.is_some();
        let earlier = |tensors: &Weights<'_>, history: History| {
            let state = State::read(tensors, history, &dims, monitored, &self.device)?;
            Ok((state.history.len(), state))
        };
        let state = match checkpoints.as_mut().map(|c| c.latest(earlier)).transpose()?.flatten() {
            Some(state) => state,
            None => {
                let layers = network::start(&dims, self.config.seed)?;
                State { network: Network::new(&layers, None, &self.device), history: Vec::new(), best: None }
            }
        };
        data.progress.begin("train", self.config.epochs as u64);
        let fit = rayon::scope(|_| Training::new(self, data).run(state, checkpoints));
        data.progress.end();
        Ok(fit?)
    }
}

/// One run on its data.
struct Training<'a> {
    of: &'a GradientHead,
    data: &'a MonitoredScores<'a>,
    scaling: Scaling,
    adamw: AdamW,
    train: (Tensor<2>, Tensor<2>),
    validation: Option<(Tensor<2>, Tensor<2>)>,
}

impl<'a> Training<'a> {
    fn new(of: &'a GradientHead, data: &'a MonitoredScores<'a>) -> Self {
        let scaling = Scaling::new(&data.train);
        let on_device = |rows: &Scored| {
            let x = tensor(scaling.vectors(rows.base()), rows.base().dim(), &of.device);
            (x, tensor(scaling.figures(rows.targets()), rows.targets().dim(), &of.device))
        };
        Self {
            adamw: AdamW::new(of.config.weight_decay, &of.device),
            train: on_device(&data.train),
            validation: data.validation.as_ref().map(on_device),
            scaling,
            of,
            data,
        }
    }

    /// Trains from `state` to the end.
    fn run(&self, mut state: State, mut checkpoints: Option<Checkpoints>) -> Result<GradientHeadFit> {
        let (progress, config) = (self.data.progress, &self.of.config);
        progress.advance(state.history.len() as u64);
        while state.history.len() < config.epochs && !self.is_stale(&state) {
            let before = state.network.clone();
            match self.epoch(&mut state) {
                Err(Error::Core(CoreError::Interrupted)) => {
                    if let Some(checkpoints) = &mut checkpoints {
                        State { network: before, ..state }.write(checkpoints)?;
                    }
                    return Err(CoreError::Interrupted.into());
                }
                other => other?,
            }
            if let Some(checkpoints) = checkpoints.as_mut().filter(|c| c.is_due()) {
                state.write(checkpoints)?;
            }
            progress.advance(1);
        }
        if let Some(checkpoints) = &mut checkpoints {
            state.write(checkpoints)?;
        }
        let (best_epoch, stopped_early) = (state.best_epoch(), state.history.len() < config.epochs);
        let layers = match state.best {
            Some(best) => best,
            None => state.network.layers()?,
        };
        let head = Head::new(self.scaling.undone(layers)?)?;
        Ok(GradientHeadFit { head, history: state.history, best_epoch, stopped_early })
    }

    fn is_stale(&self, state: &State) -> bool {
        let patience = self.of.config.patience;
        patience > 0 && state.history.len() >= state.best_epoch() + patience
    }

    /// One pass over the training rows, then the measures.
    fn epoch(&self, state: &mut State) -> Result<()> {
        let config = &self.of.config;
        let (epoch, n) = (state.history.len() + 1, self.data.train.base().n());
        let steps = n.div_ceil(config.batch);
        let (x, y) = self.shuffled(epoch);
        let (mut measured, mut lr) = (Measured::default(), 0.0);
        for batch in 0..steps {
            if self.data.progress.stopped() {
                return Err(CoreError::Interrupted.into());
            }
            let rows = batch * config.batch..n.min((batch + 1) * config.batch);
            let part = |t: &Tensor<2>| t.clone().slice([rows.clone(), 0..t.dims()[1]]);
            lr = config.rate((epoch - 1) * steps + batch, config.epochs * steps);
            let values = state.network.forward(part(&x));
            let Some(errors) = values.last().map(|o| o.clone() - part(&y)) else { continue };
            let loss = measured.add(&errors, config.loss);
            if !loss.is_finite() {
                return Err(Error::Diverged { epoch, batch: batch + 1, found: loss });
            }
            let gradient = gradient(errors, config.loss);
            state.network.step(&self.adamw, lr, &values, gradient, config.clip)?;
        }
        let val = self.validation.as_ref().map(|(x, y)| {
            let mut measured = Measured::default();
            if let Some(o) = state.network.forward(x.clone()).last() {
                measured.add(&(o.clone() - y.clone()), config.loss);
            }
            measured
        });
        let val_loss = val.as_ref().map(Measured::loss);
        if let Some(found) = val_loss.filter(|v| !v.is_finite()) {
            return Err(Error::Diverged { epoch, batch: steps, found });
        }
        state.history.push(HeadEpoch {
            epoch,
            train_loss: measured.loss(),
            train: measured.errors(self.scaling.spreads()),
            val_loss,
            val: val.map(|v| v.errors(self.scaling.spreads())),
            lr,
        });
        if val_loss.is_some() && state.best_epoch() == epoch {
            state.best = Some(state.network.layers()?);
        }
        Ok(())
    }

    /// The training rows in the order of `epoch`, which depends on nothing but the seed and the epoch.
    fn shuffled(&self, epoch: usize) -> (Tensor<2>, Tensor<2>) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.of.config.seed);
        rng.set_stream(epoch as u64);
        let mut order: Vec<i32> = (0..self.data.train.base().n() as i32).collect();
        order.shuffle(&mut rng);
        let n = order.len();
        let order = Tensor::<1, Int>::from_data(TensorData::new(order, [n]), &self.of.device);
        (self.train.0.clone().select(0, order.clone()), self.train.1.clone().select(0, order))
    }
}
