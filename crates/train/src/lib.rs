//! One training loop for every burn module.
//!
//! The first type to know is [`Trainer`]: it trains a burn `Module` on a [`TrainStep`], which gives the loss of a batch;
//! autodiff gives the gradients and [`AdamW`] takes the steps, on any burn device. A [`ValidationSet`] tells which epoch
//! is the best. What was measured is the [`History`].
//!
//! One decision: nothing that influences a result lives outside a checkpoint. The order of examples and every other
//! random number follow from the seed, the epoch and the step, so a run that is stopped anywhere and resumed ends with
//! the same bytes as one that was not.
#![forbid(unsafe_code)]

mod adamw;
mod checkpoint;
mod config;
mod error;
mod history;
mod parameters;
mod state;
mod step;
mod tensors;
mod trainer;

pub use adamw::AdamW;
pub use burn::tensor::Device;
pub use config::{Schedule, TrainConfig};
pub use error::{Error, Result};
pub use history::{Epoch, History};
pub use step::{Batch, BatchLoss, Measured, StepMetrics, TrainStep, ValidationSet};
pub use trainer::{ProgressUnit, Trained, Trainer};

#[cfg(all(doctest, feature = "flex"))]
#[doc = include_str!("../README.md")]
struct Readme;
