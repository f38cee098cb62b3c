//! Answers to an instruction from the states of a text's tokens: sentences and sections, summaries, dates, numbers and
//! names. It knows texts, vectors and offsets, and no encoder.
//!
//! The first type to know is [`Document`]: a text with its sentences and the states of its tokens. [`Document::scores`]
//! says how well each sentence answers a [`Question`].
//!
//! One decision: nothing here is trained. A sentence's score is the mean over the question's tokens of the best cosine
//! with one of the sentence's tokens, which on questions about paragraphs finds more answers than one vector a sentence
//! does (docs/results/instructions.md), and works on states of one bit a dimension.
#![forbid(unsafe_code)]

mod characters;
mod choose;
mod document;
mod error;
mod extract;
mod late_interaction;
mod sentence;
mod span;
mod states;
mod template;

pub use characters::CharacterOffsets;
pub use choose::{best, in_order, section};
pub use document::Document;
pub use error::{Error, Result};
pub use extract::{Extract, Extractor};
pub use late_interaction::{Question, late_interaction};
pub use sentence::{Sentence, sentences};
pub use span::{MAX_TOKENS, Span, spans};
pub use states::{StateForm, States, mean};
pub use template::{Method, Request, Template, Templates};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
