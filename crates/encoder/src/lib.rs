//! Text encoders: BERT and its relatives, ModernBERT, NomicBERT, Qwen2, Qwen3 and Gemma 3, loaded from any directory in the Hugging
//! Face or sentence-transformers layout.
//!
//! The first type to know is [`TextEncoder`]: a directory in, unit vectors out, in the order of the texts.
//!
//! One decision: a batch is one matrix of the tokens of all its texts, `[tokens, hidden]`, without padding; attention
//! runs within each text, or over texts of equal length. So no text pays for a longer neighbour, and no mask of padding
//! is ever built: a wrong one could not be seen in the result.
#![forbid(unsafe_code)]

mod architecture;
mod batch;
mod batches;
mod checkpoint;
mod embedding;
mod engine;
mod error;
pub mod finetune;
mod json_file;
mod kv_cache;
mod layout;
mod long_texts;
mod lookahead;
#[cfg(feature = "train")]
mod model;
mod modules;
mod native;
mod pooling;
mod pooling_config;
mod portable;
mod prefix_cache;
mod prompts;
mod quantize;
mod reading;
mod safetensors_header;
mod sentence_bert;
mod states;
mod streams;
mod text_encoder;
mod token_states;
mod tokenizer;

pub use engine::{Engine, Weights};
pub use error::{Error, Result};
pub use long_texts::LongTexts;
pub use manyview_train::Device;
pub use pooling::Pooling;
pub use portable::portable;
pub use quantize::{Quantized, quantize};
pub use text_encoder::{EncoderConfig, TextEncoder};
pub use token_states::TokenStates;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
