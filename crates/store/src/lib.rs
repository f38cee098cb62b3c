//! A content-addressed store of vectors in Parquet parts, and an encoder that remembers.
//!
//! The first type to know is [`Stored`]: it wraps any [`Encoder`](manyview_core::Encoder), looks every text up in a
//! [`Store`], encodes only what is missing, and publishes that chunk by chunk. What is kept for one encoder and one
//! instruction is a [`Space`]; a space is a directory of Parquet files that any other tool can read.
//!
//! One decision: a part is named by the hash of its content and never changed. Two processes can then write to one
//! space at once without a lock, reading a part is checking it, and a damaged part can be told from a whole one.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod error;
mod index;
mod part;
mod runs;
mod space;
mod store;
mod stored;
mod table;
mod text;

pub use error::{Error, Result};
pub use space::Space;
pub use store::{Checked, Store};
pub use stored::{Reuse, Stored};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
