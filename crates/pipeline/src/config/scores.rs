use super::Train;
use manyview_adapter::{HeadConfig, Loss, RidgeHead};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What an oracle scores texts in, and the head that learns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scores {
    /// The filter: a `.toml` or `.yaml` file with its dimensions, their weights and the tiers, or its directory.
    pub filter: PathBuf,
    /// `ridge` in closed form; `linear` or `mlp` by gradient.
    pub head: HeadKind,
    /// Widths of the hidden layers of an `mlp`.
    pub hidden: Vec<usize>,
    /// What a head by gradient makes small: `mse` or `huber`.
    pub loss: LossKind,
    /// Where Huber's loss turns straight, in standard deviations of a dimension.
    pub huber_delta: f64,
    /// Puts each dimension through a rising curve, fitted on texts the head did not learn from.
    pub calibrate: bool,
    /// Column of identifiers in a table; rows have numbers without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Column of titles in a table, put before the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The oracle's second scores of some texts: a labelled `.jsonl` file, for the noise ceiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relabelled: Option<PathBuf>,
    /// Share of the mean's error that must be gone to deploy.
    pub deploy_gain: f64,
    /// Share of the mean's error that must be gone not to fail.
    pub review_gain: f64,
    /// Share that must be gone in every single dimension to deploy.
    pub dimension_gain: f64,
    /// Largest gap between the errors on test and on training texts, as a share of the mean's error, to deploy.
    pub overfitting: f64,
    /// Steps between two checkpoints of training by gradient; every two seconds without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<usize>,
}

/// Which head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadKind {
    /// Linear, in closed form.
    Ridge,
    /// Linear, by gradient.
    Linear,
    /// With hidden layers, by gradient.
    Mlp,
}

/// Which loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Mean squared error.
    Mse,
    /// Huber's.
    Huber,
}

impl Default for Scores {
    fn default() -> Self {
        Self {
            filter: PathBuf::new(),
            head: HeadKind::Ridge,
            hidden: vec![256],
            loss: LossKind::Mse,
            huber_delta: 1.0,
            calibrate: false,
            id: None,
            title: None,
            relabelled: None,
            deploy_gain: 0.2,
            review_gain: 0.05,
            dimension_gain: 0.05,
            overfitting: 0.25,
            checkpoint_every: None,
        }
    }
}

impl HeadKind {
    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ridge => "ridge",
            Self::Linear => "linear",
            Self::Mlp => "mlp",
        }
    }
}

impl Scores {
    /// The part a ridge reads.
    pub fn ridge(&self, train: &Train) -> RidgeHead {
        RidgeHead { lambdas: train.lambdas.clone() }
    }

    /// The part training by gradient reads.
    pub fn gradient(&self, train: &Train) -> HeadConfig {
        HeadConfig {
            hidden: if self.head == HeadKind::Mlp { self.hidden.clone() } else { Vec::new() },
            loss: match self.loss {
                LossKind::Mse => Loss::Mse,
                LossKind::Huber => Loss::Huber { delta: self.huber_delta },
            },
            lr: train.lr,
            weight_decay: train.weight_decay,
            epochs: train.epochs,
            batch: train.batch,
            schedule: train.schedule,
            warmup: train.warmup,
            patience: train.patience,
            clip: train.clip,
            seed: train.seed,
            checkpoint_every: self.checkpoint_every,
        }
    }
}
