//! Joins the layers into experiments: files as types, steps, run directories, devices.
//!
//! The first type to know is [`config::Suite`]: what an experiment file says. [`run`] takes it from text to report.
//!
//! One decision: a stage keeps what it made where the next finds it, under a key of everything it depends on. So an
//! interrupted run goes on where it stopped, and a changed setting redoes what depends on it and no more.
#![forbid(unsafe_code)]

pub mod config;
pub mod pairs;
pub mod scores;

mod bench;
mod checkpoints;
mod corpus;
mod deep;
mod device;
mod doctor;
mod embedded;
mod encode;
mod encoder;
mod environment;
mod error;
mod evaluate;
mod export;
mod fit;
mod given;
mod infer;
mod latency;
mod machine;
mod plain;
mod push;
mod report;
mod run;
mod run_dir;
mod runs;
mod teacher;
mod tracking;
mod tuned;

pub use corpus::{SplitCorpus, fetch as fetch_corpus};
pub use deep::deep_check;
pub use device::{DEVICES, device};
pub use doctor::{Check, doctor};
pub use embedded::{CORPORA, EmbeddedCorpus, QUICKSTART};
pub use encode::{Tally, Vectors};
pub use encoder::{fetch as fetch_encoder, load as load_encoder};
pub use environment::Environment;
pub use error::{Error, Result};
pub use export::{Export, Format, export};
pub use fit::{Closeness, FitRecord};
pub use infer::{
    Dropped, Encoding, FileFormat, GivenVectors, Holds, Inference, InferenceInput, Inferred, Origin, Seconds,
    Texts, Written, infer,
};
pub use manyview_data::{
    Conversion, Converted, Fractions, PairForm, PairOrigin, Upload, Uploaded, convert_pairs, file_hashes,
};
pub use manyview_encoder::{Quantized, quantize};
pub use manyview_report::{Metrics, Report, RetrievalMetrics, RetrievalReport};
pub use manyview_store::{Checked, Space, Store};
pub use push::push;
pub use run::{Outcome, Stage, run, run_stage};
pub use run_dir::{RunDir, resolved};
pub use runs::{Difference, Measured, PastRun, PastView, difference as run_difference, past_run, past_runs};
pub use tracking::{Secret, TrackingAccess, sync_tracking};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
