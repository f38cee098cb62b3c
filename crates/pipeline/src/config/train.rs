use manyview_adapter::{GradientConfig, Prior, Ridge, Schedule, Start};
use manyview_encoder::Engine;
use manyview_encoder::finetune::{self, FineTuneConfig, Lora};
use serde::{Deserialize, Serialize};

/// How the adapter is fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Train {
    /// Pairs and scores: what learns: `frozen`, an adapter or a head alone; `lora`, low-rank changes to the encoder; `full`,
    /// all of it.
    pub encoder: Learning,
    /// `lora`: rank of the changes.
    pub lora_rank: usize,
    /// `lora` and `full`: share of hidden values and attention weights left out in training.
    pub dropout: f64,
    /// `lora` and `full`: steps between two checkpoints.
    pub checkpoint_every: usize,
    /// `ridge` in closed form, or `gradient`.
    pub method: Method,
    /// Ridge: what the map is shrunk towards: `identity`, `zero` or `procrustes`.
    pub towards: Prior,
    /// Ridge: fits a bias as well.
    pub center: bool,
    /// Ridge: the penalties tried; a grid around the mean eigenvalue without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambdas: Option<Vec<f64>>,
    /// Gradient: peak learning rate of AdamW.
    pub lr: f64,
    /// Gradient: decoupled weight decay.
    pub weight_decay: f64,
    /// Gradient: passes over the training rows.
    pub epochs: usize,
    /// Gradient: rows a step.
    pub batch: usize,
    /// Gradient: `constant`, `cosine` or `linear` decay of the learning rate.
    pub schedule: Schedule,
    /// Gradient: share of the steps over which the learning rate rises.
    pub warmup: f64,
    /// Gradient: weight of the mean squared error.
    pub mse_weight: f64,
    /// Gradient: weight of 1 − cosine.
    pub cosine_weight: f64,
    /// Gradient: starts from `identity`, `random` or `ridge`.
    pub start: Start,
    /// Gradient: fits a bias as well.
    pub bias: bool,
    /// Gradient: epochs without a better score before it stops; 0 for never.
    pub patience: usize,
    /// Gradient: what decides which epoch is kept.
    pub monitor: Monitor,
    /// Gradient: largest norm of a step's gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// Gradient: seed of the shuffles and of a random start.
    pub seed: u64,
}

/// What of an encoder learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learning {
    /// Nothing: an adapter or a head learns in its place.
    Frozen,
    /// Low-rank changes to some of its matrices.
    Lora,
    /// Every value of it.
    Full,
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// In closed form.
    Ridge,
    /// By AdamW.
    Gradient,
}

/// What decides which epoch is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The loss on validation rows: no label is read.
    ValLoss,
    /// V-measure of the validation rows' view: reads their labels, and nothing else does.
    ValVMeasure,
}

impl Learning {
    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Lora => "lora",
            Self::Full => "full",
        }
    }
}

impl Method {
    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ridge => "ridge",
            Self::Gradient => "gradient",
        }
    }
}

impl Monitor {
    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ValLoss => "val_loss",
            Self::ValVMeasure => "val_v_measure",
        }
    }
}

impl Default for Train {
    fn default() -> Self {
        let (ridge, gradient) = (Ridge::default(), GradientConfig::default());
        let (tuning, lora) = (FineTuneConfig::default(), Lora::default());
        Self {
            encoder: Learning::Frozen,
            lora_rank: lora.rank,
            dropout: tuning.dropout.unwrap_or(0.0),
            checkpoint_every: tuning.checkpoint_every,
            method: Method::Ridge,
            towards: ridge.towards,
            center: ridge.center,
            lambdas: ridge.lambdas,
            lr: gradient.lr,
            weight_decay: gradient.weight_decay,
            epochs: gradient.epochs,
            batch: gradient.batch,
            schedule: gradient.schedule,
            warmup: gradient.warmup,
            mse_weight: gradient.mse_weight,
            cosine_weight: gradient.cosine_weight,
            start: gradient.start,
            bias: gradient.bias,
            patience: gradient.patience,
            monitor: Monitor::ValLoss,
            clip: gradient.clip,
            seed: gradient.seed,
        }
    }
}

impl Train {
    /// The part a ridge reads.
    pub fn ridge(&self) -> Ridge {
        Ridge { towards: self.towards, center: self.center, lambdas: self.lambdas.clone() }
    }

    /// The part that training of an encoder by `engine` reads.
    pub fn fine_tuning(&self, engine: Engine) -> FineTuneConfig {
        let lora = Lora { rank: self.lora_rank, alpha: 2.0 * self.lora_rank as f64, ..Lora::default() };
        FineTuneConfig {
            method: match self.encoder {
                Learning::Lora => finetune::Method::Lora(lora),
                _ => finetune::Method::Full,
            },
            epochs: self.epochs,
            batch: self.batch,
            lr: self.lr,
            warmup: self.warmup,
            weight_decay: self.weight_decay,
            clip: self.clip,
            dropout: Some(self.dropout),
            seed: self.seed,
            checkpoint_every: self.checkpoint_every,
            engine,
        }
    }

    /// The part training by gradient reads.
    pub fn gradient(&self) -> GradientConfig {
        GradientConfig {
            lr: self.lr,
            weight_decay: self.weight_decay,
            epochs: self.epochs,
            batch: self.batch,
            schedule: self.schedule,
            warmup: self.warmup,
            mse_weight: self.mse_weight,
            cosine_weight: self.cosine_weight,
            start: self.start,
            bias: self.bias,
            patience: self.patience,
            clip: self.clip,
            seed: self.seed,
        }
    }
}
