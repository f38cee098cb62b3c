//! An experiment whose encoder and corpus come from a hub: fetched, run, and run again without it.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

mod experiment;
mod faults;
mod place;
