//! What must hold of every parser and writer of Manyview, whatever bytes it is given.
//!
//! Each function takes bytes, feeds them to the public API, and panics where a property does not hold: bad bytes are
//! refused as bad input and never anything else, what was accepted is what a second reading gives, and what was
//! written comes back. `fuzz/fuzz_targets` calls each from libFuzzer; `tests/corpora.rs` replays `fuzz/corpus` with the
//! same functions, so that what fuzzing found once is looked at by every `cargo test`.
//!
//! One decision: a property sees what a caller sees. A file is written to a directory and read by the function that a
//! user of the crate would call; nothing is made public to be fuzzed but two functions on addresses, which could
//! otherwise only be tried on a network.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a property that does not hold is a panic

mod adapters;
mod addresses;
mod answers;
mod experiments;
mod hubs;
mod instructions;
mod models;
mod records;
mod scratch;
mod spaces;
mod splits;
mod tables;
mod vectors;
mod writers;

pub use adapters::{adapter, training};
pub use addresses::addresses;
pub use answers::answer;
pub use experiments::experiment;
pub use hubs::hub_cache;
pub use instructions::instruction;
pub use models::{checkpoint, description};
pub use records::tracking;
pub use scratch::SEPARATOR;
pub use spaces::{store_part, store_space};
pub use splits::labels;
pub use tables::{arrow, table};
pub use vectors::{npy, parquet};
pub use writers::writers;

/// Inputs of what Manyview keeps for itself, as it writes them: the property, a name and the bytes.
pub fn kept() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    [adapters::kept(), spaces::kept()].concat()
}

/// A property and its name, which is also that of its fuzz target and of its folder in `fuzz/corpus`.
pub type Property = (&'static str, fn(&[u8]));

/// Every property.
pub const ALL: &[Property] = &[
    ("adapter", adapter),
    ("addresses", addresses),
    ("answer", answer),
    ("arrow", arrow),
    ("checkpoint", checkpoint),
    ("description", description),
    ("experiment", experiment),
    ("hub_cache", hub_cache),
    ("instruction", instruction),
    ("labels", labels),
    ("npy", npy),
    ("parquet", parquet),
    ("store_part", store_part),
    ("store_space", store_space),
    ("table", table),
    ("tracking", tracking),
    ("training", training),
    ("writers", writers),
];
