//! Measures of a view: clusters, retrieval and regression with intervals, fidelity to a teacher, latency; and of
//! answers.
//!
//! The first type to know is [`Clustering`]: it clusters several views of the same texts with k-means over several
//! seeds and compares the clusters with known labels as a [`Comparison`].
//!
//! One decision: every view meets the same resamples of texts and seeds, because the difference of two views is far
//! more certain than either score, and an interval for a difference must know that.
#![forbid(unsafe_code)]

mod agreement;
mod answers;
mod bootstrap;
mod clustering;
mod comparison;
mod contingency;
mod error;
mod expected;
mod fidelity;
mod gain;
mod kmeans;
mod latency;
mod paired;
mod retrieval;
mod rouge;
mod scores;
mod separation;

pub use agreement::{VMeasure, adjusted_mutual_info, adjusted_rand_index, v_measure};
pub use answers::{AnswerMeans, AnswerMetrics, AnswerScore, BestThreshold, normalize_answer};
pub use clustering::Clustering;
pub use comparison::{Comparison, ViewScores};
pub use error::{Error, Result};
pub use fidelity::{mean_cosine, neighbour_overlap};
pub use gain::GainKept;
pub use kmeans::{Clusters, KMeans};
pub use latency::latency;
pub use paired::Bootstrap;
pub use retrieval::{
    Bm25, Hit, Ranking, Relevance, RetrievalMeasure, TextIndex, in_batch_accuracy, positive_similarity,
    search,
};
pub use rouge::Rouge;
pub use scores::{NearestMean, RegressionMeasure, Targets, TierScore, Tiers, mean_prediction};
pub use separation::roc_auc;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
