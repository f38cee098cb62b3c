pub(crate) mod adamw;
mod config;
mod course;
mod objective;
pub(crate) mod parameters;

pub use config::{GradientConfig, Schedule, Start};

use crate::checkpoint::{hash, json};
use crate::ridge::same_dims;
use crate::state::{State, States};
use crate::{Error, Linear, Prior, Result, Ridge, matrix};
use burn::tensor::Device;
use course::{Pairs, one};
use manyview_core::{Error as CoreError, Fingerprint, Fit, Paired, Progress};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Learns a map by AdamW on a device.
///
/// The same configuration, data and device give the same map to the last bit, whether or not the run was interrupted
/// and resumed from its checkpoints.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// How it trains.
    pub config: GradientConfig,
    /// Where it computes.
    pub device: Device,
    /// Where checkpoints go; none are kept without it.
    pub checkpoints: Option<PathBuf>,
}

impl Gradient {
    /// Trains as `config` says on `device`, without checkpoints.
    pub fn new(config: GradientConfig, device: Device) -> Self {
        Self { config, device, checkpoints: None }
    }

    /// Keeps the last two checkpoints of each run below `dir`, and resumes from them. Runs may share a directory.
    #[must_use]
    pub fn with_checkpoints(self, dir: impl Into<PathBuf>) -> Self {
        Self { checkpoints: Some(dir.into()), ..self }
    }
}

/// Rates a map, higher is better.
pub type Score<'a> = dyn Fn(&Linear) -> manyview_core::Result<f64> + Sync + 'a;

/// Training pairs, and what watches over the training.
pub struct Monitored<'a> {
    /// The pairs to learn from.
    pub train: Paired,
    /// Pairs for a validation loss after each epoch, of the same dimensions.
    pub validation: Option<Paired>,
    /// A score of the map after each epoch, higher is better. It decides which epoch is best; without it the
    /// validation loss does; without either the last epoch is.
    pub score: Option<&'a Score<'a>>,
    /// Told of each epoch, and asked between batches whether to stop.
    pub progress: &'a dyn Progress,
}

/// A map learnt by [`Gradient`].
#[derive(Clone, Debug, PartialEq)]
pub struct GradientFit {
    /// The map of the best epoch.
    pub linear: Linear,
    /// Every epoch, in order.
    pub history: Vec<Epoch>,
    /// The best epoch, from 1.
    pub best_epoch: usize,
    /// Whether patience ran out before the last epoch.
    pub stopped_early: bool,
}

/// What was measured in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean loss over the training rows, each before the step it was part of.
    pub train_loss: f64,
    /// Mean loss over the validation rows, after the epoch.
    pub val_loss: Option<f64>,
    /// The score, after the epoch.
    pub score: Option<f64>,
    /// Learning rate of its last step.
    pub lr: f64,
}

impl Fit<Monitored<'_>> for Gradient {
    type Fitted = GradientFit;

    /// # Errors
    /// A setting out of range, dimensions that do not match, a loss that is not finite, checkpoints that cannot be
    /// written, an error of the score, and [`manyview_core::Error::Interrupted`] when asked to stop: the steps done
    /// by then are on disk where there is a checkpoint directory.
    fn fit(&self, data: &Monitored<'_>) -> manyview_core::Result<GradientFit> {
        self.check(data)?;
        let start = [self.start(&data.train)?];
        let states = match &self.checkpoints {
            Some(root) => Some(States::new(root, self.key(data)?, &start, &self.device, None)),
            None => None,
        };
        let (pairs, state) = (Pairs::new(self, data), State::new(&start, &self.device));
        let outcome = self.config.pace().train(&pairs, state, states, data.progress)?;
        let linear = one(outcome.layers.into_iter().next())?;
        let history = outcome.history.into_iter().map(|record| record.epoch).collect();
        let (best_epoch, stopped_early) = (outcome.best_epoch, outcome.stopped_early);
        Ok(GradientFit { linear, history, best_epoch, stopped_early })
    }
}

impl Gradient {
    fn check(&self, data: &Monitored<'_>) -> Result<()> {
        self.config.check()?;
        if self.config.patience > 0 && data.score.is_none() && data.validation.is_none() {
            return Err(Error::Setting {
                name: "patience",
                expected: "0 without validation rows and without a score",
                found: self.config.patience.to_string(),
            });
        }
        let dims = |p: &Paired| (p.base().dim(), p.teacher().dim());
        let expected = dims(&data.train);
        match data.validation.as_ref().map(dims).filter(|d| *d != expected) {
            Some(found) => Err(CoreError::Shape {
                what: "dimensions of the validation pairs".into(),
                expected: format!("{} and {}, as the training pairs", expected.0, expected.1),
                found: format!("{} and {}", found.0, found.1),
            }
            .into()),
            None => Ok(()),
        }
    }

    /// The map training starts from.
    fn start(&self, train: &Paired) -> Result<Linear> {
        let (dim_in, dim_out, bias) = (train.base().dim(), train.teacher().dim(), self.config.bias);
        let zeros = bias.then(|| vec![0.0; dim_out]);
        match self.config.start {
            Start::Identity => {
                let dim = same_dims(train, "training from the identity")?;
                Linear::new(matrix::identity(dim), dim, zeros)
            }
            Start::Random => {
                let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
                let bound = (dim_in as f32).sqrt().recip();
                let weight = (0..dim_in * dim_out).map(|_| rng.random_range(-bound..bound)).collect();
                Linear::new(weight, dim_in, zeros)
            }
            Start::Ridge => {
                let towards = if dim_in == dim_out { Prior::Identity } else { Prior::Zero };
                Ok(Ridge { towards, center: bias, lambdas: None }.fit(train)?.linear)
            }
        }
    }

    /// What a run depends on: configuration, data, device, and whether there is a score.
    fn key(&self, data: &Monitored<'_>) -> Result<Fingerprint> {
        let mut key = Fingerprint::builder("manyview-training/2")
            .field("config", &json(&self.config)?)
            .field("device", format!("{:?}", self.device).as_bytes())
            .field("score", &[u8::from(data.score.is_some())]);
        for (name, pairs) in [("train", Some(&data.train)), ("validation", data.validation.as_ref())] {
            for x in pairs.iter().flat_map(|p| [p.base(), p.teacher()]) {
                key = key.field(name, &(x.dim() as u64).to_le_bytes()).field(name, &hash(x));
            }
        }
        Ok(key.finish())
    }
}
