//! An experiment whose encoder and corpus come from a hub: fetched, run, and run again without it.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

#[path = "../../../data/tests/server/mod.rs"]
#[allow(dead_code)] // the tests that share it need a part each
mod server;

mod experiment;
mod faults;
mod place;
