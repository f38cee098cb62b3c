//! Servers on a loopback port that speak as the real ones do and can be told to misbehave. For tests alone.
//!
//! The first type to know is [`http::Listener`], which gives each connection to a thread. [`hub`] and [`upload`] are the
//! Hugging Face hub read and written to, [`chat`] a language model, [`mlflow`] a tracking server.
//!
//! One decision: a server that is asked something no client of ours should ask panics, and its client fails.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)] // it is a part of tests

pub mod chat;
pub mod http;
pub mod hub;
pub mod mlflow;
pub mod upload;
