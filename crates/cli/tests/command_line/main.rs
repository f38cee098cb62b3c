//! The command line as a stranger meets it: the built program in a directory of its own, offline.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // what sets a scene is part of a test; a skipped one says why

mod bad_corpora;
mod bad_models;
mod bad_settings;
mod crash_points;
mod deep;
mod embedded;
mod errors;
mod full_disk;
mod heads;
mod help;
mod infer;
mod infer_interruption;
mod infer_vectors;
mod interruption;
mod label;
mod numbers;
mod pairs;
mod prepare;
mod run_directory;
mod runs;
mod scene;
mod scores;
mod secrets;
mod sharing;
mod steps;
mod tracking;
mod tuned;
mod tuned_heads;
mod vectors;
mod weights;
