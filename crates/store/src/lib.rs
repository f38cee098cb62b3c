//! A content-addressed store of vectors in Parquet parts, and a caching encoder.
//!
//! The first type to know is [`CachedEncoder`]: it wraps any [`Encoder`](manyview_core::Encoder), looks every text up in a
//! [`Store`], encodes only what is missing, and publishes that chunk by chunk. What is kept for one encoder and one
//! instruction is a [`Space`]; a space is a directory of Parquet files that any other tool can read.
//!
//! One decision: a part is named by the hash of its content and never changed. Two processes can then write to one
//! space at once without a lock, reading a part is checking it, and a damaged part can be told from a whole one.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod buffer;
mod cached_encoder;
mod compaction;
mod error;
mod index;
mod page_runs;
mod part;
mod rows;
mod space;
mod store;
mod table;
mod text_hash;

pub use buffer::WriteBuffer;
pub use cached_encoder::{CachedEncoder, Reuse};
pub use compaction::Compacted;
pub use error::{Error, Result};
pub use space::Space;
pub use store::{Checked, Store};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
