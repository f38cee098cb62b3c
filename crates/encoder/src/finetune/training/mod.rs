//! What trains: two engines, one loop, the objectives.

mod engine;
mod journal;
mod lora;
mod network;
mod objective;
mod own;
#[cfg(test)]
mod parity;
mod peft;
mod save;
mod tokenized;
mod training_data;
mod tuner;

pub use journal::TrainingProgress;
pub use objective::{Distillation, EmbeddedBatch, HeadRegression, MultipleNegativesRanking, Objective};
pub use training_data::TrainingData;
pub use tuner::FineTuner;

use super::{FineTuneConfig, FineTuned, Lora, Method, StepMetrics};
