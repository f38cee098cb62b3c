use manyview_adapter::{ContrastiveConfig, ContrastiveLoss, Negatives, Sides};
use manyview_data::PairColumns;
use serde::{Deserialize, Serialize};

/// What belongs together, and what is learnt from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retrieval {
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
    pub identity_penalty: f64,
    /// Leaves a passage out of a query's negatives that is closer to it than its own by more than this; without it none
    /// is left out but copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_margin: Option<f64>,
    /// Hard negatives mined for each training query: the nearest passages that do not answer it; 0 for none.
    pub hard_negatives: usize,
    /// A mined negative's cosine with the query is at least this far below that of the query's own passage.
    pub hard_margin: f64,
}

impl Default for Retrieval {
    fn default() -> Self {
        let fit = ContrastiveConfig::default();
        Self {
            query: None,
            passage: None,
            document: None,
            instruction: String::new(),
            objective: fit.loss,
            adapt: fit.sides,
            negatives: fit.negatives,
            scale: fit.scale,
            margin: fit.margin,
            identity_penalty: fit.identity_penalty,
            mask_margin: fit.mask_margin,
            hard_negatives: 0,
            hard_margin: 0.0,
        }
    }
}

impl Retrieval {
    /// What an adapter is trained towards; the rest is left to `[train]`.
    pub(crate) fn objective(&self) -> ContrastiveConfig {
        ContrastiveConfig {
            loss: self.objective,
            negatives: self.negatives,
            scale: self.scale,
            margin: self.margin,
            mask_margin: self.mask_margin,
            sides: self.adapt,
            identity_penalty: self.identity_penalty,
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
