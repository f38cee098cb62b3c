//! Maps from base vectors to a view, and heads from base vectors to scores: ridge in closed form, or by gradient.
//!
//! The first type to know is [`Linear`], the map `y = x W + b` with normalised rows. [`Ridge`] learns one in closed
//! form from pairs of base and teacher vectors; [`save`] and [`load`] keep it with a [`Card`] that ties it to its
//! encoder. A [`Head`] gives scores in place of vectors: [`RidgeHead`] and [`GradientHead`] learn one.
//! [`Gradient`] trains a [`Map`] of any [`Shape`] for a view, [`Contrastive`] learns [`Maps`] for retrieval from queries and
//! the passages that answer them. Whatever is fitted is applied without burn: training is the feature `gradient`.
//!
//! One decision: the ridge shrinks towards the identity, not towards zero. With few texts the view then falls back
//! on what the encoder gives, rather than on nothing.
#![forbid(unsafe_code)]

mod card;
#[cfg(feature = "gradient")]
mod contrastive;
mod error;
#[cfg(feature = "gradient")]
mod fingerprint;
mod form;
#[cfg(all(test, feature = "gradient"))]
mod golden;
#[cfg(feature = "gradient")]
mod gradient;
mod head;
mod linear;
mod map;
mod maps;
mod matrix;
#[cfg(feature = "gradient")]
mod network;
mod occupied;
mod offset;
mod prior;
mod ridge;
#[cfg(feature = "gradient")]
mod rows;
mod saved;
mod spectrum;
#[cfg(feature = "gradient")]
mod start;
#[cfg(test)]
mod test_data;
mod weights;

pub use card::{Card, ScoreDimension, ScoreTier, TaskCard};
#[cfg(feature = "gradient")]
pub use contrastive::{
    Contrastive, ContrastiveConfig, ContrastiveFit, ContrastiveLoss, MatchScore, MonitoredMatches, Negatives,
};
pub use error::{Error, Result};
#[cfg(feature = "gradient")]
pub use gradient::{Gradient, GradientConfig, GradientFit, Monitored, Score, Start};
#[cfg(feature = "gradient")]
pub use head::{
    DimensionErrors, GradientHead, GradientHeadFit, HeadConfig, HeadEpoch, Loss, MonitoredScores,
};
pub use head::{Head, Isotonic, Layer, RidgeHead, RidgeHeadFit, SharedPenalty};
pub use linear::Linear;
#[cfg(feature = "gradient")]
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
