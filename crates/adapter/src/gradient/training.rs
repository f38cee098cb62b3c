use super::config::{GradientConfig, Start};
use super::step::{TrainingPairs, ValidationPairs};
use crate::fingerprint::{hash, json};
use crate::network::MapNetwork;
use crate::ridge::same_dims;
use crate::start::MapStart;
use crate::{Error, Map, Prior, Result, Ridge};
use manyview_core::{Error as CoreError, Fingerprint, Fit, Paired, Progress};
use manyview_train::{Device, Epoch, TrainConfig, Trained, Trainer, ValidationSet, device_name};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

/// Trains a map of any [`crate::Shape`] with AdamW.
///
/// The same configuration, data and device give the same map to the last bit, whether or not the run was interrupted
/// and resumed from its checkpoints.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// The training settings.
    pub config: GradientConfig,
    /// The device to train on.
    pub device: Device,
    /// The directory of checkpoints; `None` writes none.
    pub checkpoints: Option<PathBuf>,
}

impl Gradient {
    /// Training with `config` on `device`, without checkpoints.
    pub fn new(config: GradientConfig, device: Device) -> Self {
        Self { config, device, checkpoints: None }
    }

    /// Keeps the last two checkpoints of each run below `dir`, and resumes from them. Runs may share a directory.
    #[must_use]
    pub fn with_checkpoints(self, dir: impl Into<PathBuf>) -> Self {
        Self { checkpoints: Some(dir.into()), ..self }
    }
}

/// A validation score of a map; higher is better.
pub type Score<'a> = dyn Fn(&Map) -> manyview_core::Result<f64> + Sync + 'a;

/// Training pairs, with optional validation and a receiver of progress.
pub struct Monitored<'a> {
    /// The training pairs.
    pub train: Paired,
    /// Pairs for a validation loss after each epoch, of the same dimensions.
    pub validation: Option<Paired>,
    /// A score of the map after each epoch, higher is better. It selects the best epoch; without it the validation
    /// loss does; without either the last epoch is used.
    pub score: Option<&'a Score<'a>>,
    /// Receives progress after each epoch, and is asked between batches whether to stop.
    pub progress: &'a dyn Progress,
}

/// A map trained by [`Gradient`].
#[derive(Clone, Debug, PartialEq)]
pub struct GradientFit {
    /// The map of the best epoch.
    pub map: Map,
    /// Every epoch, in order.
    pub history: Vec<Epoch>,
    /// The best epoch, from 1.
    pub best_epoch: usize,
    /// Whether early stopping ended the training.
    pub stopped_early: bool,
}

impl Fit<Monitored<'_>> for Gradient {
    type Fitted = GradientFit;

    /// # Errors
    /// A setting out of range, dimensions that do not match, a loss that is not finite, checkpoints that cannot be
    /// written, an error of the score, and [`manyview_core::Error::Interrupted`] when asked to stop: the steps done
    /// by then are on disk where there is a checkpoint directory.
    fn fit(&self, data: &Monitored<'_>) -> manyview_core::Result<GradientFit> {
        self.check(data)?;
        let start = self.start(&data.train)?;
        let mut trainer = Trainer::new(self.config.train.clone(), data.progress);
        if let Some(root) = &self.checkpoints {
            trainer = trainer.with_checkpoints(root, self.key(data)?);
        }
        let network = MapNetwork::new(&start, &self.device.clone().autodiff());
        let validation = ValidationPairs::new(self, data);
        let validation: Option<&(dyn ValidationSet<_> + Sync)> =
            if data.validation.is_some() || data.score.is_some() { Some(&validation) } else { None };
        let Trained { module, history } =
            trainer.train(network, &TrainingPairs::new(self, &data.train), validation)?;
        Ok(GradientFit {
            map: module.to_map()?,
            history: history.epochs,
            best_epoch: history.best_epoch,
            stopped_early: history.stopped_early,
        })
    }
}

impl Gradient {
    fn check(&self, data: &Monitored<'_>) -> Result<()> {
        self.config.check()?;
        if self.config.train.patience > 0 && data.score.is_none() && data.validation.is_none() {
            return Err(Error::Setting {
                name: "patience",
                expected: "0 without validation rows and without a score",
                found: self.config.train.patience.to_string(),
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
    fn start(&self, train: &Paired) -> Result<Map> {
        let (dim_in, dim_out) = (train.base().dim(), train.teacher().dim());
        let GradientConfig { shape, width, bias, .. } = self.config;
        let start = MapStart { shape, width, bias };
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.train.seed);
        match self.config.start {
            Start::Identity => {
                let dim = same_dims(train, "training from the identity")?;
                start.identity(dim, &mut rng)
            }
            Start::Random => start.random(dim_in, dim_out, &mut rng),
            Start::Ridge => {
                let towards = if dim_in == dim_out { Prior::Identity } else { Prior::Zero };
                Ok(Ridge { towards, center: self.config.bias, lambdas: None }.fit(train)?.linear.into())
            }
        }
    }

    /// What a run depends on: configuration, data, device, and whether there is a score.
    fn key(&self, data: &Monitored<'_>) -> Result<Fingerprint> {
        let config = GradientConfig { train: TrainConfig::default(), ..self.config.clone() }; // the trainer knows it
        let mut key = Fingerprint::builder("manyview-training/2")
            .field("config", &json(&config)?)
            .field("device", device_name(&self.device).as_bytes())
            .field("score", &[u8::from(data.score.is_some())]);
        for (name, pairs) in [("train", Some(&data.train)), ("validation", data.validation.as_ref())] {
            for x in pairs.iter().flat_map(|p| [p.base(), p.teacher()]) {
                key = key.field(name, &(x.dim() as u64).to_le_bytes()).field(name, &hash(x));
            }
        }
        Ok(key.finish())
    }
}
