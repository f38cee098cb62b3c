//! Maps from base vectors to a view, and heads from base vectors to scores: ridge in closed form, or by gradient.
//!
//! The first type to know is [`Linear`], the map `y = x W + b` with normalised rows. [`Ridge`] fits one in closed
//! form to pairs of base and teacher vectors; [`save`] and [`load`] keep it with a [`Card`] that ties it to its
//! encoder. A [`Head`] predicts scores: [`RidgeHead`] and [`GradientHead`] fit one. [`Gradient`] trains a [`Map`] of
//! any [`Shape`] for a view, [`Contrastive`] trains [`Maps`] for retrieval on queries and the passages that answer
//! them. Adapters and heads are applied without burn: training is the feature `train`.
//!
//! One decision: the ridge shrinks towards the identity, not towards zero. With few texts the view is then close to
//! the encoder's vectors, not to zero.
#![forbid(unsafe_code)]

#[cfg(feature = "train")]
mod blocked_linear;
mod card;
mod contrastive;
mod error;
#[cfg(feature = "train")]
mod fingerprint;
mod form;
#[cfg(all(test, feature = "train"))]
mod golden;
mod gradient;
mod head;
mod linear;
mod map;
mod maps;
mod matrix;
#[cfg(feature = "train")]
mod network;
mod occupied;
mod offset;
mod prior;
mod ridge;
#[cfg(feature = "train")]
mod rows;
mod saved;
mod spectrum;
#[cfg(feature = "train")]
mod start;
#[cfg(test)]
mod test_data;
mod weights;

pub use card::{Card, ScoreDimension, ScoreTier, TaskCard};
#[cfg(feature = "train")]
pub use contrastive::{Contrastive, ContrastiveFit, MonitoredPairs, RetrievalScore};
pub use contrastive::{ContrastiveConfig, ContrastiveLoss, Negatives};
pub use error::{Error, Result};
#[cfg(feature = "train")]
pub use gradient::{Gradient, GradientFit, Monitored, Score};
pub use gradient::{GradientConfig, Start};
#[cfg(feature = "train")]
pub use head::{DimensionErrors, GradientHead, GradientHeadFit, HeadEpoch, MonitoredScores};
pub use head::{Head, HeadConfig, Isotonic, Layer, Loss, RidgeHead, RidgeHeadFit, SharedPenalty};
pub use linear::Linear;
pub use manyview_train::{Device, Epoch, Schedule, TrainConfig};
pub use map::{Map, Shape};
pub use maps::{Maps, Sides};
pub use offset::Offset;
pub use prior::Prior;
pub use ridge::{PenaltyScore, Ridge, RidgeFit};
pub use saved::{Model, Saved, load, save};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
