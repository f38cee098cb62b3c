//! Joins the layers into experiments: files as types, steps, run directories, devices.
//!
//! The first type to know is [`config::Suite`]: what an experiment file says. [`run()`] takes it from text to report.
//!
//! One decision: a stage keeps what it made where the next finds it, under a key of everything it depends on. So an
//! interrupted run goes on where it stopped, and a changed setting redoes what depends on it and no more.
#![forbid(unsafe_code)]

pub mod config;

mod deep_check;
mod doctor;
mod embedded;
mod environment;
mod error;
mod given_vectors;
mod machine;
mod run;
mod runs;
mod task;
mod training;

pub use deep_check::deep_check;
pub use doctor::{Check, doctor};
pub use embedded::{CORPORA, EmbeddedCorpus, QUICKSTART};
pub use environment::Environment;
pub use error::{Error, Result};
pub use manyview_data::{
    Conversion, Converted, Fractions, PairForm, PairOrigin, Upload, Uploaded, convert_pairs, file_hashes,
};
pub use manyview_encoder::{Quantized, quantize};
pub use manyview_store::{Checked, Space, Store};
pub use run::{
    Context, Encoded, FineTuning, FitRecord, Outcome, RunDir, Secret, Stage, Stages, SyncedRecord, Tally,
    TextSet, TrackingAccess, VariantDir, resolved, run as run_task, sync_tracking,
};
pub use runs::{Difference, PastRun, PastView, difference as run_difference, past_run, past_runs};
pub use task::{
    Closeness, ComparedScores, Fit, Retrieval, RunSummary, Scores, Tagged, Task, Views, fetch_corpus, run,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
