use super::config::HeadConfig;
use super::loss::DimensionErrors;
use super::scaling::Scaling;
use super::step::{Rows, start};
use super::{Head, Layer};
use crate::fingerprint::{hash, json};
use crate::network::HeadNetwork;
use crate::{Error, Linear, Result};
use manyview_core::{Error as CoreError, Fingerprint, Fit, Progress, Scored};
use manyview_train::{Device, Epoch, TrainConfig, Trained, Trainer, ValidationSet, device_name};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Trains a head with AdamW.
///
/// The same configuration, data and device give the same head to the last bit, whether or not the run was interrupted
/// and resumed from its checkpoints.
#[derive(Clone, Debug)]
pub struct GradientHead {
    /// The training settings.
    pub config: HeadConfig,
    /// The device to train on.
    pub device: Device,
    /// The directory of checkpoints; `None` writes none.
    pub checkpoints: Option<PathBuf>,
}

/// Training rows, with optional validation rows and a receiver of progress.
pub struct MonitoredScores<'a> {
    /// The training rows.
    pub train: Scored,
    /// Validation rows of the same dimensions. The epoch with the lowest loss on them is the best; without them the
    /// last epoch is used.
    pub validation: Option<Scored>,
    /// Receives progress after each epoch, and is asked between batches whether to stop.
    pub progress: &'a dyn Progress,
}

/// A head trained by [`GradientHead`].
#[derive(Clone, Debug, PartialEq)]
pub struct GradientHeadFit {
    /// The head of the best epoch.
    pub head: Head,
    /// Every epoch, in order.
    pub history: Vec<HeadEpoch>,
    /// The best epoch, from 1.
    pub best_epoch: usize,
    /// Whether early stopping ended the training.
    pub stopped_early: bool,
}

/// The metrics of an epoch.
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
    /// Training with `config` on `device`, without checkpoints.
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
        if self.config.train.patience > 0 && data.validation.is_none() {
            let found = self.config.train.patience.to_string();
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

    /// The widths from vector to predictions.
    fn dims(&self, data: &Scored) -> Vec<usize> {
        let hidden = self.config.hidden.iter().copied();
        [data.base().dim()].into_iter().chain(hidden).chain([data.targets().dim()]).collect()
    }

    /// What a run depends on: configuration, data, device.
    fn key(&self, data: &MonitoredScores<'_>) -> Result<Fingerprint> {
        let config = HeadConfig { train: TrainConfig::default(), ..self.config.clone() }; // the trainer knows it
        let mut key = Fingerprint::builder("manyview-head-training/2")
            .field("config", &json(&config)?)
            .field("device", device_name(&self.device).as_bytes());
        for (name, rows) in [("train", Some(&data.train)), ("validation", data.validation.as_ref())] {
            let Some(rows) = rows else { continue };
            let targets: Vec<u8> = rows.targets().as_slice().iter().flat_map(|v| v.to_le_bytes()).collect();
            key = key
                .field(name, &(rows.base().dim() as u64).to_le_bytes())
                .field(name, &hash(rows.base()))
                .field(name, &targets);
        }
        Ok(key.finish())
    }
}

impl Fit<MonitoredScores<'_>> for GradientHead {
    type Fitted = GradientHeadFit;

    /// # Errors
    /// A setting out of range, dimensions that do not match, a loss that is not finite, checkpoints that cannot be
    /// written, and [`manyview_core::Error::Interrupted`] when asked to stop: the steps done by then are on disk where
    /// there is a checkpoint directory.
    fn fit(&self, data: &MonitoredScores<'_>) -> manyview_core::Result<GradientHeadFit> {
        self.check(data)?;
        let start = start(&self.dims(&data.train), self.config.train.seed)?;
        let mut trainer = Trainer::new(self.config.train.clone(), data.progress);
        if let Some(root) = &self.checkpoints {
            trainer = trainer.with_checkpoints(root, self.key(data)?);
        }
        let scaling = Scaling::new(&data.train);
        let network = HeadNetwork::new(&start, &self.device.clone().autodiff());
        let validation = data.validation.as_ref().map(|rows| Rows::new(self, rows, &scaling));
        let validation = validation.as_ref().map(|rows| rows as &(dyn ValidationSet<_> + Sync));
        let Trained { module, history } =
            trainer.train(network, &Rows::new(self, &data.train, &scaling), validation)?;
        let layers = module.linears()?.into_iter().map(layer).collect::<Result<_>>()?;
        let epochs = history.epochs.into_iter().map(|measured| epoch(measured, scaling.deviations()));
        Ok(GradientHeadFit {
            head: Head::new(scaling.undone(layers)?)?,
            history: epochs.collect(),
            best_epoch: history.best_epoch,
            stopped_early: history.stopped_early,
        })
    }
}

fn layer(linear: Linear) -> Result<Layer> {
    let none = || vec![0.0; linear.dim_out()];
    Layer::new(linear.weight().to_vec(), linear.bias().map_or_else(none, <[f32]>::to_vec))
}

fn epoch(measured: Epoch, deviations: &[f64]) -> HeadEpoch {
    let Epoch { epoch, train_loss, val_loss, lr, .. } = measured;
    let train = DimensionErrors::of(&measured.train_metrics, deviations);
    let val = val_loss.map(|_| DimensionErrors::of(&measured.val_metrics, deviations));
    HeadEpoch { epoch, train_loss, train, val_loss, val, lr }
}
