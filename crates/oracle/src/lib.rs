//! Asks an oracle for scores of texts: once each, within a budget, and resumed where it stopped.
//!
//! The first type to know is [`Oracle`]: one question, one [`Answer`]. [`Endpoint`] asks a language model behind any
//! server that speaks OpenAI's chat completions, [`LabelFile`] looks into labels there are. A [`Labelling`] asks one for
//! many texts and writes every answer into a [`Ledger`].
//!
//! One decision: an oracle makes a single attempt and says of a failure whether another could help; waiting, asking
//! again, counting money and remembering are the labelling's, so they hold for every oracle alike. An answer is in the
//! ledger, on disk, before the next question is asked: what was paid for is never asked again.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod address;
mod answered;
mod budget;
mod cost;
mod endpoint;
mod error;
mod failure;
mod key;
mod label_file;
mod labelling;
mod ledger;
mod lenient;
mod oracle;
mod prompt;
mod rate_limit;
mod reasoning;
mod refusal;
mod reply;
mod request;
mod retry_after;
mod rubric;
mod scored;
mod usage;

pub use cost::{Prices, Totals, Usage};
pub use endpoint::{Endpoint, EndpointConfig};
pub use error::{Error, Result};
pub use failure::Failure;
pub use key::Key;
pub use label_file::LabelFile;
pub use labelling::{Ended, Labelled, Labelling};
pub use ledger::{Ledger, read_totals};
pub use oracle::{Answer, Oracle, Question};
pub use prompt::Prompt;
pub use request::TokenLimit;
pub use rubric::Rubric;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
