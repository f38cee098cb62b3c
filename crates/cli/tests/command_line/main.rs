//! The command line as a stranger meets it: the built program in a directory of its own, offline.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // what sets a scene is part of a test; a skipped one says why

mod bad_corpora;
mod bad_models;
mod bad_settings;
mod crash_points;
mod doctor;
mod embedded;
mod errors;
mod fine_tuning;
mod fine_tuning_scores;
mod fine_tuning_views;
mod full_disk;
mod help;
mod infer;
mod infer_interruption;
mod infer_vectors;
mod instruct;
mod interruption;
mod label;
mod numbers;
mod prepare;
mod retrieval;
mod run_directory;
mod runs;
mod scene;
mod scores;
mod scores_training;
mod secrets;
mod sharing;
mod steps;
mod tracking;
mod vectors;
mod weights;
