use crate::{Encoding, FitMetrics};
use manyview_core::Estimate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Measures of retrieval by their names in sentence-transformers, such as `ndcg@10`: the mean over test queries with its
/// 95% interval.
pub type Measures = BTreeMap<String, Estimate>;

/// Everything that was measured of one adapter for retrieval; `metrics.json` is this, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrievalMetrics {
    /// Name of the corpus.
    pub dataset: String,
    /// Name of the encoder.
    pub encoder: String,
    /// The encoder's fingerprint.
    pub encoder_fingerprint: String,
    /// What training minimised.
    pub objective: String,
    /// What the adapter computes.
    pub shape: String,
    /// Which sides it maps: `query`, `both` or `dual`.
    pub adapt: String,
    /// How much there was to learn from and to search.
    pub counts: PairCounts,
    /// The measures of each view, on test queries over all passages.
    pub views: RetrievalViews,
    /// nDCG@10 of the adapter less that of the base, paired.
    pub gain: Estimate,
    /// nDCG@10 of the adapter less that of BM25, paired.
    pub over_bm25: Estimate,
    /// What stands in more than one part of the split.
    pub leaks: Leaked,
    /// How the adapter was fitted.
    pub fit: FitMetrics,
    /// What encoding queries and passages took.
    pub encoding: Encoding,
}

/// How much there was to learn from and to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairCounts {
    /// Training pairs.
    pub train: usize,
    /// Validation pairs.
    pub val: usize,
    /// Test pairs.
    pub test: usize,
    /// Different test queries: what the measures are means over.
    pub queries: usize,
    /// Passages that are searched: those of all parts.
    pub passages: usize,
    /// Documents.
    pub documents: usize,
    /// Negatives mined for the training queries, all together.
    pub mined: usize,
}

/// The measures of each view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrievalViews {
    /// The words of the texts, without vectors.
    pub bm25: Measures,
    /// The stored vectors as they are.
    pub base: Measures,
    /// The adapter's.
    pub adapter: Measures,
}

/// Texts of validation and test pairs that stand in an earlier part as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaked {
    /// Documents with pairs in several parts.
    pub documents: usize,
    /// Passages word for word.
    pub passages: usize,
    /// Passages nearly.
    pub near_passages: usize,
    /// Queries word for word.
    pub queries: usize,
    /// Queries nearly.
    pub near_queries: usize,
}

impl RetrievalViews {
    /// The views with their names, the least first.
    pub(super) fn named(&self) -> [(&'static str, &Measures); 3] {
        [("BM25", &self.bm25), ("base", &self.base), ("adapter", &self.adapter)]
    }
}
