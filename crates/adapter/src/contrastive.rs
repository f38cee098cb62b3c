mod batch;
mod config;
mod kin;
mod loss;
mod network;
mod pairwise;
mod ranking;
mod training;
mod unit;

pub use config::{ContrastiveConfig, ContrastiveLoss, Negatives};

use crate::gradient::Epoch;
use crate::{Error, Maps, Result};
use burn::tensor::Device;
use manyview_core::{Fit, Matched, Progress};
use network::Networks;
use training::{State, Training};

/// Learns maps by AdamW that bring queries near the passages that answer them.
///
/// The same configuration, data and device give the same maps to the last bit.
#[derive(Clone, Debug)]
pub struct Contrastive {
    /// What it learns and how.
    pub config: ContrastiveConfig,
    /// Where it computes.
    pub device: Device,
}

impl Contrastive {
    /// Trains as `config` says on `device`, without checkpoints.
    pub fn new(config: ContrastiveConfig, device: Device) -> Self {
        Self { config, device }
    }
}

/// Rates maps, higher is better.
pub type MatchScore<'a> = dyn Fn(&Maps) -> manyview_core::Result<f64> + Sync + 'a;

/// Training matches, and what watches over the training.
pub struct MonitoredMatches<'a> {
    /// The matches to learn from.
    pub train: Matched,
    /// A score of the maps after each epoch, such as a measure of retrieval on validation queries; higher is better. It
    /// decides which epoch is best; without it the last is.
    pub score: Option<&'a MatchScore<'a>>,
    /// Told of each epoch, and asked between batches whether to stop.
    pub progress: &'a dyn Progress,
}

/// Maps learnt by [`Contrastive`].
#[derive(Clone, Debug, PartialEq)]
pub struct ContrastiveFit {
    /// The maps of the best epoch.
    pub maps: Maps,
    /// Every epoch, in order.
    pub history: Vec<Epoch>,
    /// The best epoch, from 1.
    pub best_epoch: usize,
    /// Whether patience ran out before the last epoch.
    pub stopped_early: bool,
}

impl Fit<MonitoredMatches<'_>> for Contrastive {
    type Fitted = ContrastiveFit;

    /// # Errors
    /// A setting out of range, grades that the loss cannot use, a loss that is not finite, an error of the score, and
    /// [`manyview_core::Error::Interrupted`] when asked to stop.
    fn fit(&self, data: &MonitoredMatches<'_>) -> manyview_core::Result<ContrastiveFit> {
        self.check(data)?;
        let start = self.config.start(data.train.queries().dim())?;
        let state = State::new(Networks::new(&start, &self.device));
        data.progress.begin("train", self.config.epochs as u64);
        // On one of the threads that do the work: a step then hands over nothing and waits for nobody to wake.
        let fit = rayon::scope(|_| Training::new(self, data).run(state));
        data.progress.end();
        Ok(fit?)
    }
}

impl Contrastive {
    fn check(&self, data: &MonitoredMatches<'_>) -> Result<()> {
        self.config.check()?;
        if self.config.patience > 0 && data.score.is_none() {
            return Err(Error::Setting {
                name: "patience",
                expected: "0 without a score",
                found: self.config.patience.to_string(),
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
}
