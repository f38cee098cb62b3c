//! Sources and formats: Parquet, Arrow, CSV, JSON and NPY files, the hub, labels and splits.
//!
//! The first type to know is [`Corpus`]: texts with the source row each came from, read from a [`Table`] of string
//! columns and cut into training, validation and test rows by a [`Split`]. Vectors made elsewhere come in through
//! [`read_vectors`], models and data sets through the [`Hub`].
//!
//! One decision: the client of the hub is our own, some hundreds of lines over `ureq`. `hf-hub` 1.0 gives a downloaded
//! file its final name without comparing it with the size and SHA-256 the hub states, so wrong bytes stay in the cache
//! and are read on every later run, and it starts an interrupted download over. Here a file gets its name only after
//! its size and, where the hub states one (it does for weights), its SHA-256 agree, a download goes on where it
//! stopped, and the cache keeps the layout of Python's `huggingface_hub`, so that one cache serves both.
#![forbid(unsafe_code)]

mod corpus;
mod error;
mod filter;
mod grouped;
mod hub;
mod inventory;
mod kept_rows;
mod kind;
mod labels;
mod parquet_file;
mod parquet_pages;
mod places;
mod retrieval;
mod scores;
mod shuffle;
mod split;
mod standard_input;
mod table;
mod vectors;

pub use corpus::{Corpus, CorpusConfig, Dropped};
pub use error::{Error, Result};
pub use filter::{Dimension, Filter, Tier};
pub use hub::{Hub, Upload, Uploaded};
/// Public for fuzzing alone, which cannot follow redirects over a network.
#[doc(hidden)]
pub use hub::{redirected, same_origin};
pub use inventory::file_hashes;
pub use labels::Labels;
pub use places::data_files;
pub use retrieval::{
    Conversion, Converted, DroppedPairs, LeakReport, PairColumns, PairForm, PairOrigin, Repeats, TextPairs,
    convert_pairs,
};
pub use scores::{Article, LabelledRows, ScoredText, read_labelled, read_training, training_lines};
pub use shuffle::order as shuffled;
pub use split::{Fractions, Split};
pub use standard_input::InputFile;
pub use table::{CsvWriter, GrowingFile, Rows, Table};
pub use vectors::{Beside, NpyWriter, ParquetWriter, VectorRows, read_vectors, write_npy};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
