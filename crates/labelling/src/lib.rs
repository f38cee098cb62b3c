//! From texts to training files: prompts tried on samples, labels from an oracle, splits.
//!
//! The first type to know is [`label::LabelRequest`]: which texts, and which oracle. [`label::run`] asks for their
//! scores; [`calibrate`] says before whether the prompt can be trusted with a batch, and [`prepare::run`] splits what
//! came back into files to train on.
//!
//! One decision: a batch is refused until calibration and validation have passed with the same filter, prompt and model.
//! A wrong prompt is found on fifty texts, not on the bill of fifty thousand.
#![forbid(unsafe_code)]

pub mod calibrate;
pub mod label;
pub mod prepare;

mod error;
mod file;

pub use error::{Error, Result};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
