//! The vocabulary of Manyview and its seams; no network, no model, and of files only the way they are written: [`publish`].
//!
//! The first type to know is [`Embeddings`]: a matrix `[n, dim]` whose row `i` belongs to text `i`. Everything that
//! makes one is an [`Encoder`]; everything that turns one into another view is an [`Adapter`]; everything that learns
//! such a map is a [`Fit`] over some supervision `D`.
//!
//! One decision: an `Embeddings` is finite and non-empty by construction, so no later stage checks again.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod contained;
mod embeddings;
mod encoder;
mod error;
mod fingerprint;
mod fit;
mod instruction;
mod progress;
pub mod publish;
mod query_passage_pairs;
mod summary;
mod supervision;
mod targets;

pub use contained::contained;
pub use embeddings::Embeddings;
pub use encoder::{Encoded, Encoder};
pub use error::{Error, Kind, Result};
pub use fingerprint::{Fingerprint, FingerprintBuilder};
pub use fit::{Adapter, Fit, Transform};
pub use instruction::Instruction;
pub use progress::{Progress, Quiet};
pub use query_passage_pairs::QueryPassagePairs;
pub use summary::{Estimate, Latency, Summary};
pub use supervision::{Paired, Scored};
pub use targets::Targets;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
