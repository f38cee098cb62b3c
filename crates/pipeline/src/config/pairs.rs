use super::Train;
use manyview_adapter::{ContrastiveConfig, ContrastiveLoss, Negatives, Shape, Sides};
use manyview_data::PairColumns;
use serde::{Deserialize, Serialize};

/// What belongs together, and what an adapter learns from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pairs {
    /// Column of the queries; the first known name there is without it: `question`, `query`, `anchor` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Column of the passages that answer them; the first known name there is without it: `passage`, `context`, `answer`
    /// and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passage: Option<String>,
    /// Column of the source document, which is never in two parts of a drawn split; `document_id` and the like without
    /// it, and the passage without either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// What queries are prompted with, for encoders that follow instructions; passages never are.
    pub instruction: String,
    /// What training minimises: `multiple_negatives_ranking`, `contrastive`, `online_contrastive` or
    /// `cosine_similarity`.
    pub objective: ContrastiveLoss,
    /// What the adapter computes: `linear`, `low_rank`, `residual` or `mlp`.
    pub shape: Shape,
    /// Rank of `low_rank`, hidden units of `residual` and `mlp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// What is adapted: `query` alone, `both` by one map, or `dual`, a map each.
    pub adapt: Sides,
    /// What a query is ranked against: `batch`, the passages of its batch, or `corpus`, all passages of the training
    /// pairs.
    pub negatives: Negatives,
    /// What cosines are multiplied by before they are ranked: the inverse of a temperature.
    pub scale: f64,
    /// Of the two contrastive objectives: the distance, 1 − cosine, beyond which what does not match costs nothing.
    pub margin: f64,
    /// Weight of the distance between a vector and its view, which holds the adapter near the encoder.
    pub recovery: f64,
    /// Leaves a passage out of a query's negatives that is closer to it than its own by more than this; without it none
    /// is left out but copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_margin: Option<f64>,
    /// Hard negatives mined for each training query: the nearest passages that do not answer it; 0 for none.
    pub hard_negatives: usize,
    /// A mined negative's cosine with the query is at least this far below that of the query's own passage.
    pub hard_margin: f64,
    /// Steps between two checkpoints of training; every two seconds without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<usize>,
}

impl Default for Pairs {
    fn default() -> Self {
        let fit = ContrastiveConfig::default();
        Self {
            query: None,
            passage: None,
            document: None,
            instruction: String::new(),
            objective: fit.loss,
            shape: fit.map,
            width: fit.width,
            adapt: fit.sides,
            negatives: fit.negatives,
            scale: fit.scale,
            margin: fit.margin,
            recovery: fit.recovery,
            mask_margin: fit.mask_margin,
            hard_negatives: 0,
            hard_margin: 0.0,
            checkpoint_every: fit.checkpoint_every,
        }
    }
}

impl Pairs {
    /// What training reads of this and of `train`.
    pub fn contrastive(&self, train: &Train) -> ContrastiveConfig {
        ContrastiveConfig {
            loss: self.objective,
            negatives: self.negatives,
            scale: self.scale,
            margin: self.margin,
            mask_margin: self.mask_margin,
            map: self.shape,
            width: self.width,
            bias: train.bias,
            sides: self.adapt,
            recovery: self.recovery,
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
            ..ContrastiveConfig::default()
        }
    }

    /// Which columns are read.
    pub(crate) fn columns(&self, data: &super::Data) -> PairColumns {
        PairColumns {
            query: self.query.clone(),
            passage: self.passage.clone(),
            document: self.document.clone(),
            split: data.split.clone(),
            limit: data.limit,
            seed: data.seed,
            drop_missing: data.drop_missing,
        }
    }
}
