//! Fine-tuning of an encoder, all parameters or LoRA: on pairs of texts, on texts with targets, or towards the vectors of a
//! teacher.
//!
//! The first type to know is [`FineTuner`]. The loss is an [`Objective`], computed with burn tensors from the vectors
//! of a batch; autodiff computes its gradient. The texts of a batch are packed, as in encoding, so there is no
//! padding. A run that is interrupted and resumed gives the same bytes.

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
