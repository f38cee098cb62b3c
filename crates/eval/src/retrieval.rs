//! Retrieval: rank documents for queries by vectors or by words, and score the rankings against known answers.

mod bm25;
mod closeness;
mod measure;
mod ranking;
mod relevance;
mod search;
mod selection;

pub use bm25::{Bm25, TextIndex};
pub use closeness::{in_batch_accuracy, positive_similarity};
pub use measure::RetrievalMeasure;
pub use ranking::{Hit, Ranking};
pub use relevance::Relevance;
pub use search::search;
