//! Fine-tuning of an encoder on pairs of texts, or on texts with figures: the forward pass, the way back and the optimiser
//! on plain slices, with the products the encoder itself runs on.
//!
//! Texts of a batch are packed, as in encoding: no step touches padding. Every sum has one order, so a run gives the same
//! bytes on any number of threads, interrupted or not.

mod activation;
mod adamw;
mod attention;
mod bert;
mod checkpoint;
mod config;
mod dropout;
mod journal;
mod lanes;
mod layer;
mod lesson;
mod lora;
mod norm;
#[cfg(test)]
mod parity;
mod plan;
mod products;
mod ranking;
mod regression;
mod saving;
mod texts;
mod training;
mod tuned;

pub use config::{Lora, Method, Target, TuningConfig};
pub use journal::TrainingProgress;
pub use lesson::{Batch, Lesson, Objective, Slopes, Step};
pub use ranking::ranking;
pub use regression::regression;
pub use training::{identity, tune};
pub use tuned::{Tuned, tuned};
