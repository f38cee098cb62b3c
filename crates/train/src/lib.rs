//! One training loop for every burn module.
//!
//! The first type to know is [`Trainer`]: it trains a burn `Module` on a [`TrainStep`], which gives the loss of a batch;
//! autodiff gives the gradients and [`AdamW`] takes the steps, on any burn device. A [`ValidationSet`] tells which epoch
//! is the best. What was measured is the [`History`].
//!
//! Without the feature `burn` there are the types of a configuration and of a history alone, for programs that read either
//! and train nothing.
//!
//! One decision: nothing that influences a result lives outside a checkpoint. The order of examples and every other
//! random number follow from the seed, the epoch and the step, so a run that is stopped anywhere and resumed ends with
//! the same bytes as one that was not.
#![forbid(unsafe_code)]

#[cfg(feature = "burn")]
mod adamw;
#[cfg(feature = "burn")]
mod checkpoint;
mod config;
#[cfg(not(feature = "burn"))]
mod device;
mod error;
mod history;
#[cfg(feature = "burn")]
mod parameters;
#[cfg(feature = "burn")]
mod so_far;
#[cfg(feature = "burn")]
mod state;
#[cfg(feature = "burn")]
mod step;
#[cfg(feature = "burn")]
mod tensors;
#[cfg(feature = "burn")]
mod trainer;

pub use config::{Schedule, TrainConfig};
#[cfg(not(feature = "burn"))]
pub use device::Device;
pub use error::{Error, Result};
pub use history::{Epoch, History, StepMetrics};
#[cfg(feature = "burn")]
pub use {
    adamw::AdamW,
    burn::tensor::Device,
    step::{Batch, BatchLoss, Measured, TrainStep, ValidationSet},
    trainer::{ProgressUnit, Trained, Trainer},
};

#[cfg(all(doctest, feature = "burn"))]
#[doc = include_str!("../README.md")]
struct Readme;
