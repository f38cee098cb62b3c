//! Maps trained by gradient for a view. A configuration needs no burn; the training is the feature `train`.

mod config;
#[cfg(feature = "train")]
mod loss;
#[cfg(feature = "train")]
mod step;
#[cfg(feature = "train")]
mod training;

pub use config::{GradientConfig, Start};
#[cfg(all(test, feature = "train"))]
pub(crate) use step::TrainingPairs;
#[cfg(feature = "train")]
pub use training::{Gradient, GradientFit, Monitored, Score};
