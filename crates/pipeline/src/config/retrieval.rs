use manyview_adapter::{ContrastiveConfig, ContrastiveLoss, Negatives, Sides};
use manyview_data::PairColumns;
use serde::{Deserialize, Serialize};

/// Pairs of queries and passages, and the training objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retrieval {
    /// Column of the queries; default: the first that exists of `question`, `query`, `anchor` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Column of the passages that answer them; default: the first that exists of `passage`, `context`, `answer` and
    /// the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passage: Option<String>,
    /// Column of the source document, which is never in two parts of a random split; default: `document_id` and the
    /// like, otherwise the passage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Prompt of the queries, for encoders that follow instructions; passages have none.
    pub instruction: String,
    /// The loss: `multiple_negatives_ranking`, `contrastive`, `online_contrastive` or `cosine_similarity`.
    pub objective: ContrastiveLoss,
    /// What is mapped: `query` only, `both` with one map, or `dual` with a map for each.
    pub adapt: Sides,
    /// The negatives of a query: `batch`, the passages of its batch, or `corpus`, all passages of the training pairs.
    pub negatives: Negatives,
    /// Factor of the cosines: the inverse of a temperature.
    pub scale: f64,
    /// For the two contrastive losses: the distance, 1 − cosine, beyond which a negative has no loss.
    pub margin: f64,
    /// Weight of the squared distance between a vector and its view, which keeps the adapter close to the encoder.
    pub identity_penalty: f64,
    /// Masks negatives that are closer to the query than its positive by more than this; default: only copies are
    /// masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_margin: Option<f64>,
    /// Hard negatives mined for each training query: the nearest passages that do not answer it; 0 for none.
    pub hard_negatives: usize,
    /// Minimum distance between the cosine of a mined negative and that of the positive.
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
    /// The objective of an adapter; the other settings are in `[train]`.
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

    /// The columns to read.
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
