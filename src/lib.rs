//! Manyview: encode a corpus once; see it under any instruction.
//!
//! The first type to know is [`Embeddings`]: a matrix whose row `i` belongs to text `i`. An [`Encoder`] makes one from
//! texts, once; a small map, fitted over it for each instruction, makes a view of it. [`pipeline::run`] does all of it
//! from an experiment file.
//!
//! ```
//! use manyview::adapter::Ridge;
//! use manyview::{Embeddings, Fit, Paired, Transform};
//!
//! let base = Embeddings::new(vec![1.0, 0.0, 0.0, 1.0, 0.6, 0.8, 0.8, 0.6], 2)?; // [4, 2], as the encoder sees them
//! let teacher = Embeddings::new(vec![0.0, 1.0, 1.0, 0.0, 0.8, 0.6, 0.6, 0.8], 2)?; // [4, 2], as they should be seen
//! let fit = Ridge::default().fit(&Paired::new(base.clone(), teacher.clone())?)?; // λ by exact leave-one-out
//! let view = fit.linear.transform(&base)?;
//! assert!(manyview::eval::mean_cosine(&view, &teacher)? > 0.999);
//! # Ok::<(), manyview::Error>(())
//! ```
//!
//! One decision: this crate holds no code. The vocabulary of [`manyview_core`] stands at its root, and each layer is a
//! module and a crate of its own, so that whoever needs one layer depends on that alone.
#![forbid(unsafe_code)]

pub use manyview_core::{
    Adapter, Embeddings, Encoded, Encoder, Error, Estimate, Fingerprint, FingerprintBuilder, Fit,
    Instruction, Kind, Latency, Paired, Progress, QueryPassagePairs, Quiet, Result, Scored, Summary, Targets,
    Transform,
};

pub use manyview_adapter as adapter;
pub use manyview_answer as answer;
pub use manyview_artifact as artifact;
pub use manyview_data as data;
pub use manyview_embedded as embedded;
pub use manyview_encoder as encoder;
pub use manyview_eval as eval;
pub use manyview_labelling as labelling;
pub use manyview_oracle as oracle;
pub use manyview_pipeline as pipeline;
pub use manyview_report as report;
pub use manyview_store as store;
pub use manyview_track as track;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
