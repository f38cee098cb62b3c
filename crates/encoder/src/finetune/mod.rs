//! Fine-tuning of an encoder, all parameters or LoRA: on pairs of texts, on texts with targets, or towards the vectors of a
//! teacher.
//!
//! The first type to know is [`FineTuner`]. What it minimises is an [`Objective`], a burn tensor of the vectors of a batch;
//! autodiff gives its gradient. The texts of a batch are packed, as in encoding, so padding costs nothing. A run that is
//! interrupted anywhere and resumed gives the same bytes.

mod config;
mod fine_tuned;
#[cfg(feature = "train")]
mod training;

pub use config::{FineTuneConfig, Lora, Method};
pub use fine_tuned::FineTuned;
pub use manyview_train::StepMetrics;
#[cfg(feature = "train")]
pub use training::{
    Distillation, EmbeddedBatch, FineTuner, HeadRegression, MultipleNegativesRanking, Objective,
    TrainingData, TrainingProgress,
};
