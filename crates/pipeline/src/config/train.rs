//! `[train]`: one table for each task and method, which has the keys that the method reads and no other.

use manyview_adapter::{GradientConfig, Prior, Ridge, Schedule, Shape, Start, TrainConfig};
use manyview_encoder::finetune::{self, FineTuneConfig};
use serde::{Deserialize, Serialize};

/// How something is fitted: `train.method` and what it reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Train {
    /// Adapters for views.
    Views(ViewsTrain),
    /// Heads.
    Scores(ScoresTrain),
    /// What learns from pairs.
    Retrieval(RetrievalTrain),
}

/// How an adapter for a view is fitted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum ViewsTrain {
    /// In closed form.
    Ridge(ViewsRidge),
    /// By AdamW.
    Gradient(ViewsGradient),
}

/// How a head is fitted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum ScoresTrain {
    /// A linear head, in closed form.
    Ridge(ScoresRidge),
    /// By AdamW.
    Gradient(ScoresGradient),
    /// A linear head in closed form, and low-rank changes to the encoder below it.
    Lora(TunedScores),
    /// A linear head in closed form, and every value of the encoder below it.
    Full(TunedScores),
}

/// How something learns from pairs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum RetrievalTrain {
    /// An adapter, by AdamW.
    Gradient(RetrievalGradient),
    /// Low-rank changes to the encoder.
    Lora(Tuning),
    /// Every value of the encoder.
    Full(Tuning),
}

/// `ridge` of views.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewsRidge {
    /// What the map is shrunk towards: `identity`, `zero` or `procrustes`.
    pub towards: Prior,
    /// Fits a bias as well.
    pub center: bool,
    /// The penalties tried; a grid around the mean eigenvalue without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambdas: Option<Vec<f64>>,
}

/// `ridge` of scores, and of the head that an encoder is trained below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoresRidge {
    /// The penalties tried; a grid around the mean eigenvalue without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambdas: Option<Vec<f64>>,
}

/// How AdamW trains an adapter or a head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Optimizer {
    /// Peak learning rate.
    pub lr: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows a step.
    pub batch: usize,
    /// `constant`, `cosine` or `linear` decay of the learning rate.
    pub schedule: Schedule,
    /// Share of the steps over which the learning rate rises.
    pub warmup: f64,
    /// Epochs without a better score before it stops; 0 for never.
    pub patience: usize,
    /// Largest norm of a step's gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// Seed of the shuffles and of a random start.
    pub seed: u64,
    /// Device; that of the encoder without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// `gradient` of views.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ViewsGradient {
    /// How it trains.
    #[serde(flatten)]
    pub optimizer: Optimizer,
    /// What it minimises.
    #[serde(flatten)]
    pub objective: ViewsObjective,
}

/// What training of a view minimises, from where, and what it is judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewsObjective {
    /// Weight of the mean squared error.
    pub mse_weight: f64,
    /// Weight of 1 − cosine.
    pub cosine_weight: f64,
    /// What the adapter computes: `linear`, `low_rank`, `residual`, `mlp` or `gated`.
    pub shape: Shape,
    /// Rank of `low_rank`, hidden units of `residual` and `mlp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Starts from `identity`, `random` or `ridge`.
    pub start: Start,
    /// Fits a bias as well.
    pub bias: bool,
    /// What decides which epoch is kept.
    pub monitor: Monitor,
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

/// `gradient` of scores.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ScoresGradient {
    /// How it trains.
    #[serde(flatten)]
    pub optimizer: Optimizer,
    /// The head, and what it minimises.
    #[serde(flatten)]
    pub head: HeadObjective,
}

/// A head by gradient, and what it minimises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadObjective {
    /// Widths of the hidden layers; none for a linear head.
    pub hidden: Vec<usize>,
    /// `mse` or `huber`.
    pub loss: LossKind,
    /// Where Huber's loss turns straight, in standard deviations of a dimension.
    pub huber_delta: f64,
    /// Steps between two checkpoints; every two seconds without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<usize>,
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

/// `gradient` of retrieval.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RetrievalGradient {
    /// How it trains.
    #[serde(flatten)]
    pub optimizer: Optimizer,
    /// What it trains.
    #[serde(flatten)]
    pub map: MapShape,
}

/// What an adapter for retrieval computes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MapShape {
    /// `linear`, `low_rank`, `residual`, `mlp` or `gated`; all start at the identity.
    pub shape: Shape,
    /// Rank of `low_rank`, hidden units of `residual` and `mlp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Layers have a bias as well.
    pub bias: bool,
    /// Steps between two checkpoints; every two seconds without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<usize>,
}

/// `lora` and `full` of retrieval: how the encoder itself is trained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tuning {
    /// How it trains.
    #[serde(flatten)]
    pub training: TuningTrain,
    /// `lora`: the low-rank changes.
    #[serde(flatten)]
    pub lora: Option<Lora>,
}

/// `lora` and `full` of scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TunedScores {
    /// How the encoder is trained.
    #[serde(flatten)]
    pub tuning: Tuning,
    /// The head that it is trained below.
    #[serde(flatten)]
    pub ridge: ScoresRidge,
}

/// How an encoder is trained. The defaults are those of sentence-transformers, but for dropout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TuningTrain {
    /// Peak learning rate of AdamW.
    pub lr: f64,
    /// Decoupled weight decay of matrices and embeddings.
    pub weight_decay: f64,
    /// Passes over the training texts.
    pub epochs: usize,
    /// Texts, or pairs, a step.
    pub batch: usize,
    /// Share of the steps over which the learning rate rises; then it falls evenly to 0.
    pub warmup: f64,
    /// Largest norm of a step's gradient.
    pub clip: f64,
    /// Share of hidden values and attention weights left out in training.
    pub dropout: f64,
    /// Seed of the shuffles, of what is left out, and of the start of low-rank changes.
    pub seed: u64,
    /// Steps between two checkpoints.
    pub checkpoint_every: usize,
}

/// Low-rank changes to an encoder: `W + alpha / rank B A` in place of `W`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lora {
    /// Rank of the changes.
    pub rank: usize,
    /// `rank` times the weight of a change; twice the rank without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// The linear layers that change, as peft names them; those of queries and values without any.
    pub targets: Vec<String>,
    /// Share of the inputs of `A` left out in training.
    pub lora_dropout: f64,
}

impl Train {
    /// Whether it is fitted by gradient, not in closed form.
    pub fn is_by_gradient(&self) -> bool {
        !matches!(self, Self::Views(ViewsTrain::Ridge(_)) | Self::Scores(ScoresTrain::Ridge(_)))
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
        Self::Views(ViewsTrain::Ridge(ViewsRidge::default()))
    }
}

impl Default for ViewsRidge {
    fn default() -> Self {
        let Ridge { towards, center, lambdas } = Ridge::default();
        Self { towards, center, lambdas }
    }
}

impl Default for Optimizer {
    fn default() -> Self {
        let adamw = TrainConfig::default();
        Self {
            lr: adamw.lr,
            weight_decay: adamw.weight_decay,
            epochs: adamw.epochs,
            batch: adamw.batch,
            schedule: adamw.schedule,
            warmup: adamw.warmup,
            patience: adamw.patience,
            clip: adamw.clip,
            seed: adamw.seed,
            device: None,
        }
    }
}

impl Default for ViewsObjective {
    fn default() -> Self {
        let adamw = GradientConfig::default();
        Self {
            mse_weight: adamw.mse_weight,
            cosine_weight: adamw.cosine_weight,
            shape: adamw.shape,
            width: adamw.width,
            start: adamw.start,
            bias: adamw.bias,
            monitor: Monitor::ValLoss,
        }
    }
}

impl Default for HeadObjective {
    fn default() -> Self {
        Self { hidden: Vec::new(), loss: LossKind::Mse, huber_delta: 1.0, checkpoint_every: None }
    }
}

impl Default for TuningTrain {
    fn default() -> Self {
        let tuning = FineTuneConfig::default();
        Self {
            lr: tuning.lr,
            weight_decay: tuning.weight_decay,
            epochs: tuning.epochs,
            batch: tuning.batch,
            warmup: tuning.warmup,
            clip: tuning.clip.unwrap_or(1.0),
            dropout: tuning.dropout.unwrap_or(0.0),
            seed: tuning.seed,
            checkpoint_every: tuning.checkpoint_every,
        }
    }
}

impl Default for Lora {
    fn default() -> Self {
        let lora = finetune::Lora::default();
        Self { rank: lora.rank, alpha: None, targets: lora.targets, lora_dropout: lora.dropout }
    }
}
