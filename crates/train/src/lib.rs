//! One training loop for every burn module.
//!
//! The first type to know is [`Trainer`]: it trains a burn `Module` on a [`TrainStep`], which computes the loss of a
//! batch. Autodiff computes the gradients and [`AdamW`] updates the parameters, on any burn device. A
//! [`ValidationSet`] selects the best epoch. The metrics of all epochs are the [`History`].
//!
//! Without the feature `burn` there are the types of a configuration and of a history alone, for programs that read either
//! and train nothing.
//!
//! One decision: nothing that influences a result lives outside a checkpoint. The order of examples and all random
//! numbers are derived from the seed, the epoch and the step, so a run that is stopped and resumed ends with the same
//! bytes as an uninterrupted one.
#![forbid(unsafe_code)]

#[cfg(feature = "burn")]
mod adamw;
#[cfg(feature = "burn")]
mod checkpoint;
mod config;
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
pub use device::{Device, device_name};
pub use error::{Error, Result};
pub use history::{Epoch, History, StepMetrics};
#[cfg(feature = "burn")]
pub use {
    adamw::AdamW,
    step::{Batch, BatchLoss, Measured, TrainStep, ValidationSet},
    trainer::{ProgressUnit, Trained, Trainer},
};

#[cfg(all(doctest, feature = "burn"))]
#[doc = include_str!("../README.md")]
struct Readme;
