//! `[train]`: one struct for each task and method, with the keys that the method uses.

use manyview_adapter::{GradientConfig, Prior, Ridge, Schedule, Shape, Start, TrainConfig};
use manyview_encoder::finetune::{self, FineTuneConfig};
use serde::{Deserialize, Serialize};

/// How an artifact is fitted: `train.method` and its keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Train {
    /// Adapters for views.
    Views(ViewsTrain),
    /// Heads.
    Scores(ScoresTrain),
    /// Retrieval: adapters, or the encoder.
    Retrieval(RetrievalTrain),
}

/// How an adapter for a view is fitted, or the encoder itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum ViewsTrain {
    /// In closed form.
    Ridge(ViewsRidge),
    /// With AdamW.
    Gradient(ViewsGradient),
    /// Low-rank changes to the encoder, towards the vectors of the teacher.
    Lora(TunedViews),
    /// Every value of the encoder, towards the vectors of the teacher.
    Full(TunedViews),
}

/// How a head is fitted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum ScoresTrain {
    /// A linear head, in closed form.
    Ridge(ScoresRidge),
    /// With AdamW.
    Gradient(ScoresGradient),
    /// A linear head in closed form, and LoRA of the encoder under it.
    Lora(TunedScores),
    /// A linear head in closed form, and all parameters of the encoder under it.
    Full(TunedScores),
}

/// How retrieval is trained.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum RetrievalTrain {
    /// An adapter, with AdamW.
    Gradient(RetrievalGradient),
    /// LoRA of the encoder.
    Lora(Tuning),
    /// All parameters of the encoder.
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
    /// The penalties to try; default: a grid around the mean eigenvalue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambdas: Option<Vec<f64>>,
}

/// `ridge` of scores, also for the head under which an encoder is fine-tuned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoresRidge {
    /// The penalties to try; default: a grid around the mean eigenvalue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambdas: Option<Vec<f64>>,
}

/// Settings of AdamW for an adapter or a head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Optimizer {
    /// Peak learning rate.
    pub lr: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Number of epochs.
    pub epochs: usize,
    /// Batch size: rows per step.
    pub batch: usize,
    /// `constant`, `cosine` or `linear` decay of the learning rate.
    pub schedule: Schedule,
    /// Fraction of the steps for the warm-up of the learning rate.
    pub warmup: f64,
    /// Epochs without improvement before early stopping; 0 disables it.
    pub patience: usize,
    /// Maximum norm of the gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// Seed of the shuffles and of a random initialisation.
    pub seed: u64,
    /// Device; default: that of the encoder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// `gradient` of views.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ViewsGradient {
    /// The training settings.
    #[serde(flatten)]
    pub optimizer: Optimizer,
    /// The loss.
    #[serde(flatten)]
    pub loss: DistillationLoss,
    /// What it trains.
    #[serde(flatten)]
    pub map: ViewsMap,
}

/// What training towards the vectors of a teacher minimises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DistillationLoss {
    /// Weight of the mean squared error.
    pub mse_weight: f64,
    /// Weight of 1 − cosine.
    pub cosine_weight: f64,
}

/// Shape, initialisation and monitored score of a view trained by gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewsMap {
    /// The shape: `linear`, `low_rank`, `residual`, `mlp` or `gated`.
    pub shape: Shape,
    /// Rank of `low_rank`, hidden units of `residual` and `mlp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Starts from `identity`, `random` or `ridge`.
    pub start: Start,
    /// Fits a bias as well.
    pub bias: bool,
    /// What selects the best epoch.
    pub monitor: Monitor,
}

/// What selects the best epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The loss on validation rows: no label is read.
    ValLoss,
    /// V-measure of the view of the validation rows; nothing else reads their labels.
    ValVMeasure,
}

/// `gradient` of scores.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ScoresGradient {
    /// The training settings.
    #[serde(flatten)]
    pub optimizer: Optimizer,
    /// The head and its loss.
    #[serde(flatten)]
    pub head: HeadObjective,
}

/// A head trained by gradient, and its loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadObjective {
    /// Widths of the hidden layers; none for a linear head.
    pub hidden: Vec<usize>,
    /// `mse` or `huber`.
    pub loss: LossKind,
    /// Threshold between the squared and the linear part of Huber's loss, in standard deviations of a dimension.
    pub huber_delta: f64,
    /// Steps between checkpoints; default: every two seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<usize>,
}

/// The loss of a head.
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
    /// The training settings.
    #[serde(flatten)]
    pub optimizer: Optimizer,
    /// The adapter.
    #[serde(flatten)]
    pub map: MapShape,
}

/// The adapter for retrieval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MapShape {
    /// `linear`, `low_rank`, `residual`, `mlp` or `gated`; all start at the identity.
    pub shape: Shape,
    /// Rank of `low_rank`, hidden units of `residual` and `mlp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Layers have a bias.
    pub bias: bool,
    /// Steps between checkpoints; default: every two seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<usize>,
}

/// `lora` and `full` of retrieval: fine-tuning of the encoder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tuning {
    /// The training settings.
    #[serde(flatten)]
    pub training: TuningTrain,
    /// `lora`: the LoRA settings.
    #[serde(flatten)]
    pub lora: Option<Lora>,
}

/// `lora` and `full` of views.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TunedViews {
    /// How the encoder is trained.
    #[serde(flatten)]
    pub tuning: Tuning,
    /// What training minimises.
    #[serde(flatten)]
    pub loss: DistillationLoss,
}

/// `lora` and `full` of scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TunedScores {
    /// Settings of fine-tuning.
    #[serde(flatten)]
    pub tuning: Tuning,
    /// The head over the encoder.
    #[serde(flatten)]
    pub ridge: ScoresRidge,
}

/// Settings of fine-tuning. The defaults are those of sentence-transformers, except dropout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TuningTrain {
    /// Peak learning rate of AdamW.
    pub lr: f64,
    /// Decoupled weight decay of matrices and embeddings.
    pub weight_decay: f64,
    /// Number of epochs.
    pub epochs: usize,
    /// Batch size: texts or pairs per step.
    pub batch: usize,
    /// Fraction of the steps for the warm-up of the learning rate; then it decays linearly to 0.
    pub warmup: f64,
    /// Maximum norm of the gradient.
    pub clip: f64,
    /// Dropout rate of hidden states and attention weights.
    pub dropout: f64,
    /// Seed of the shuffles, of dropout, and of the initialisation of LoRA.
    pub seed: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: usize,
}

/// LoRA: `W + alpha / rank B A` in place of `W`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lora {
    /// Rank.
    pub rank: usize,
    /// Scaling: the update has the weight `alpha / rank`; default: twice the rank.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// The linear layers to adapt, by the names that peft uses; default: queries and values.
    pub targets: Vec<String>,
    /// Dropout rate of the inputs of `A`.
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

impl Default for DistillationLoss {
    fn default() -> Self {
        let GradientConfig { mse_weight, cosine_weight, .. } = GradientConfig::default();
        Self { mse_weight, cosine_weight }
    }
}

impl Default for ViewsMap {
    fn default() -> Self {
        let GradientConfig { shape, width, start, bias, .. } = GradientConfig::default();
        Self { shape, width, start, bias, monitor: Monitor::ValLoss }
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
