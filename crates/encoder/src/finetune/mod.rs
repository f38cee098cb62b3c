//! Fine-tuning of an encoder, all parameters or LoRA: on pairs of texts, on texts with targets, or towards the vectors of a
//! teacher.
//!
//! The first type to know is [`FineTuner`]. What it minimises is an [`Objective`], a burn tensor of the vectors of a batch;
//! autodiff gives its gradient. The texts of a batch are packed, as in encoding, so padding costs nothing. A run that is
//! interrupted anywhere and resumed gives the same bytes.

mod config;
mod engine;
mod fine_tuned;
mod journal;
mod lora;
mod network;
mod objective;
mod own;
#[cfg(test)]
#[cfg(feature = "flex")]
mod parity;
mod peft;
mod save;
mod tokenized;
mod training_data;
mod tuner;

pub use config::{FineTuneConfig, Lora, Method};
pub use fine_tuned::FineTuned;
pub use journal::TrainingProgress;
pub use manyview_train::StepMetrics;
pub use objective::{Distillation, EmbeddedBatch, HeadRegression, MultipleNegativesRanking, Objective};
pub use training_data::TrainingData;
pub use tuner::FineTuner;
