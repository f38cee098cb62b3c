use super::config::{ContrastiveConfig, ContrastiveLoss};
use super::step::{Score, TrainingPairs, maps};
use crate::fingerprint::{hash, json};
use crate::network::MapsNetwork;
use crate::start::MapStart;
use crate::{Error, Maps, Result, Sides};
use manyview_core::{Fingerprint, Fit, Progress, QueryPassagePairs};
use manyview_train::{Device, Epoch, TrainConfig, Trained, Trainer, ValidationSet, device_name};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

/// Trains maps with AdamW so that queries are close to the passages that answer them.
///
/// The same configuration, data and device give the same maps to the last bit, whether or not the run was interrupted
/// and resumed from its checkpoints.
#[derive(Clone, Debug)]
pub struct Contrastive {
    /// The loss, the shape of the maps and the training settings.
    pub config: ContrastiveConfig,
    /// The device to train on.
    pub device: Device,
    /// The directory of checkpoints; `None` writes none.
    pub checkpoints: Option<PathBuf>,
}

impl Contrastive {
    /// Training with `config` on `device`, without checkpoints.
    pub fn new(config: ContrastiveConfig, device: Device) -> Self {
        Self { config, device, checkpoints: None }
    }

    /// Keeps the last two checkpoints of each run below `dir`, and resumes from them. Runs may share a directory.
    #[must_use]
    pub fn with_checkpoints(self, dir: impl Into<PathBuf>) -> Self {
        Self { checkpoints: Some(dir.into()), ..self }
    }
}

/// A validation score of maps; higher is better.
pub type RetrievalScore<'a> = dyn Fn(&Maps) -> manyview_core::Result<f64> + Sync + 'a;

/// Training pairs, with an optional validation score and a receiver of progress.
pub struct MonitoredPairs<'a> {
    /// The training pairs.
    pub train: QueryPassagePairs,
    /// A score of the maps after each epoch, such as nDCG on validation queries; higher is better. It selects the
    /// best epoch; without it the last epoch is used.
    pub score: Option<&'a RetrievalScore<'a>>,
    /// Receives progress after each epoch, and is asked between batches whether to stop.
    pub progress: &'a dyn Progress,
}

/// Maps trained by [`Contrastive`].
#[derive(Clone, Debug, PartialEq)]
pub struct ContrastiveFit {
    /// The maps of the best epoch.
    pub maps: Maps,
    /// Every epoch, in order.
    pub history: Vec<Epoch>,
    /// The best epoch, from 1.
    pub best_epoch: usize,
    /// Whether early stopping ended the training.
    pub stopped_early: bool,
}

impl Fit<MonitoredPairs<'_>> for Contrastive {
    type Fitted = ContrastiveFit;

    /// # Errors
    /// A setting out of range, grades that the loss cannot use, a loss that is not finite, checkpoints that cannot be
    /// written, an error of the score, and [`manyview_core::Error::Interrupted`] when asked to stop: the steps done by
    /// then are on disk where there is a checkpoint directory.
    fn fit(&self, data: &MonitoredPairs<'_>) -> manyview_core::Result<ContrastiveFit> {
        self.check(data)?;
        let start = self.start(data.train.queries().dim())?;
        let mut trainer = Trainer::new(self.config.train.clone(), data.progress);
        if let Some(root) = &self.checkpoints {
            trainer = trainer.with_checkpoints(root, self.key(data)?);
        }
        let network = MapsNetwork::new(&start, &self.device.clone().autodiff());
        let sides = self.config.sides;
        let score = data.score.map(|score| Score { sides, score });
        let score = score.as_ref().map(|score| score as &(dyn ValidationSet<_> + Sync));
        let Trained { module, history } =
            trainer.train(network, &TrainingPairs::new(self, &data.train), score)?;
        Ok(ContrastiveFit {
            maps: maps(&module, sides)?,
            history: history.epochs,
            best_epoch: history.best_epoch,
            stopped_early: history.stopped_early,
        })
    }
}

impl Contrastive {
    /// The maps training starts from: each gives every vector back.
    fn start(&self, dim: usize) -> Result<Maps> {
        let config = &self.config;
        let mut rng = ChaCha8Rng::seed_from_u64(config.train.seed);
        let start = MapStart { shape: config.shape, width: config.width, bias: config.bias };
        let query = start.identity(dim, &mut rng)?;
        Ok(match config.sides {
            Sides::Query => Maps::Query(query),
            Sides::Both => Maps::Both(query),
            Sides::Dual => Maps::Dual { query, passage: start.identity(dim, &mut rng)? },
        })
    }

    fn check(&self, data: &MonitoredPairs<'_>) -> Result<()> {
        self.config.check()?;
        if self.config.train.patience > 0 && data.score.is_none() {
            return Err(Error::Setting {
                name: "patience",
                expected: "0 without a score",
                found: self.config.train.patience.to_string(),
            });
        }
        let grades = data.train.grades().unwrap_or_default();
        let expected = match self.config.loss {
            ContrastiveLoss::MultipleNegativesRanking if !grades.is_empty() => {
                "cosine_similarity for graded matches"
            }
            ContrastiveLoss::Contrastive | ContrastiveLoss::OnlineContrastive
                if grades.iter().any(|g| ![0.0, 1.0].contains(g)) =>
            {
                "cosine_similarity for grades other than 0 and 1"
            }
            _ => return Ok(()),
        };
        Err(Error::Setting { name: "loss", expected, found: self.config.loss.as_str().into() })
    }

    /// What a run depends on: configuration, data, device, and whether there is a score.
    fn key(&self, data: &MonitoredPairs<'_>) -> Result<Fingerprint> {
        let (matched, bytes) = (&data.train, |rows: &[usize]| {
            let ends = [rows.len() as u64].into_iter().chain(rows.iter().map(|r| *r as u64));
            ends.flat_map(u64::to_le_bytes).collect::<Vec<u8>>()
        });
        let config = ContrastiveConfig { train: TrainConfig::default(), ..self.config.clone() }; // the trainer knows it
        let grades: Vec<u8> =
            matched.grades().unwrap_or_default().iter().flat_map(|g| g.to_le_bytes()).collect();
        let negatives: Vec<u8> =
            matched.negatives().unwrap_or_default().iter().flat_map(|list| bytes(list)).collect();
        let key = Fingerprint::builder("manyview-contrastive/1")
            .field("config", &json(&config)?)
            .field("device", device_name(&self.device).as_bytes())
            .field("score", &[u8::from(data.score.is_some())])
            .field("dim", &(matched.queries().dim() as u64).to_le_bytes())
            .field("queries", &hash(matched.queries()))
            .field("passages", &hash(matched.passages()))
            .field("positive", &bytes(matched.positive()))
            .field("negatives", &negatives)
            .field("given", &[u8::from(matched.negatives().is_some())])
            .field("groups", &bytes(matched.groups().unwrap_or_default()))
            .field("grades", &grades);
        Ok(key.finish())
    }
}
