//! What was trained: opened wherever it lies, applied to texts and vectors, exported.
//!
//! The first type to know is [`Opened`]: an adapter, a head or an encoder with its card, which [`open`] finds in a run,
//! an export or a directory of its own. An [`Applier`] gives batches of texts or vectors its views or scores; [`infer`]
//! and [`score`] do so for files of any size.
//!
//! One decision: nothing here knows an experiment. A server, a wheel and the command line apply what was trained without
//! the crate that trains it.
#![forbid(unsafe_code)]

pub mod instruct;

mod applier;
mod batch;
mod describe;
mod device;
mod encoder;
mod encoder_settings;
mod error;
mod export;
mod files;
mod growing;
mod infer;
mod input;
mod ledger;
mod lines;
mod metadata;
mod open;
mod output;
mod push;
mod score;
mod sources;
mod steps;
mod target;
mod text_file;
mod trained_encoder;
mod vector_file;
mod writer;

pub use applier::{Applied, Applier, Outcome};
pub use batch::{Batch, Rows};
pub use device::{DEVICES, describe_devices, device};
pub use encoder::{cached as cached_encoder, fetch as fetch_encoder, load as load_encoder};
pub use encoder_settings::Encoder;
pub use error::{Error, Result};
pub use export::{Export, Format, export};
pub use files::{LOCK, lock, to_json};
pub use infer::{Inference, InferenceInput, Texts, infer};
pub use manyview_data::Hub;
pub use manyview_embedded::EmbeddedData;
pub use metadata::{Dropped, Encoding, Holds, Inferred, Origin, Seconds, Written};
pub use open::{Artifact, FIT, Opened, open, write_encoder_card};
pub use push::push;
pub use score::{Scoring, score};
pub use sources::{MINILM_ORIGIN, Sources};
pub use target::{FileFormat, Target};
pub use trained_encoder::{ENCODER, LORA, TUNED, WORK};
pub use vector_file::GivenVectors;
pub use writer::{Opening, Summary, Writer};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
