//! Maps from base vectors to a view, and heads from base vectors to figures: ridge in closed form, or by gradient.
//!
//! The first type to know is [`Linear`], the map `y = x W + b` with normalised rows. [`Ridge`] learns one in closed
//! form from pairs of base and teacher vectors; [`save`] and [`load`] keep it with a [`Card`] that ties it to its
//! encoder. A [`Head`] gives figures in place of vectors: [`RidgeHead`] and [`GradientHead`] learn one.
//! [`Contrastive`] learns [`Maps`] for retrieval from queries and the passages that answer them.
//!
//! One decision: the ridge shrinks towards the identity, not towards zero. With few texts the view then falls back
//! on what the encoder gives, rather than on nothing.
#![forbid(unsafe_code)]

mod card;
#[cfg(feature = "gradient")]
mod checkpoint;
#[cfg(feature = "gradient")]
mod contrastive;
mod error;
mod form;
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
mod saved;
mod spectrum;
#[cfg(feature = "gradient")]
mod state;
#[cfg(test)]
mod test_data;
#[cfg(feature = "gradient")]
mod training;
mod weights;

#[cfg(feature = "gradient")]
pub use burn::tensor::Device;
pub use card::{Card, ScoreDimension, ScoreTier, TaskCard};
#[cfg(feature = "gradient")]
pub use contrastive::{
    Contrastive, ContrastiveConfig, ContrastiveFit, ContrastiveLoss, MatchScore, MonitoredMatches, Negatives,
};
pub use error::{Error, Result};
#[cfg(feature = "gradient")]
pub use gradient::{Epoch, Gradient, GradientConfig, GradientFit, Monitored, Schedule, Score, Start};
#[cfg(feature = "gradient")]
pub use head::{
    DimensionErrors, GradientHead, GradientHeadFit, HeadConfig, HeadEpoch, Loss, MonitoredScores,
};
pub use head::{Head, Isotonic, Layer, RidgeHead, RidgeHeadFit, SharedPenalty};
pub use linear::Linear;
pub use map::{Map, Shape};
pub use maps::{Maps, Sides};
pub use offset::Offset;
pub use prior::Prior;
pub use ridge::{PenaltyScore, Ridge, RidgeFit};
pub use saved::{Model, Saved, load, save};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
