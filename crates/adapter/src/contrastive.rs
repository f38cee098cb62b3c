//! Maps trained for retrieval. A configuration needs no burn; the training is the feature `train`.

#[cfg(feature = "train")]
mod batch;
mod config;
#[cfg(feature = "train")]
mod false_negatives;
#[cfg(feature = "train")]
mod loss;
#[cfg(feature = "train")]
mod pairwise;
#[cfg(feature = "train")]
mod ranking;
#[cfg(feature = "train")]
mod step;
#[cfg(feature = "train")]
mod training;

pub use config::{ContrastiveConfig, ContrastiveLoss, Negatives};
#[cfg(all(test, feature = "train"))]
pub(crate) use step::TrainingPairs;
#[cfg(feature = "train")]
pub use training::{Contrastive, ContrastiveFit, MonitoredPairs, RetrievalScore};
