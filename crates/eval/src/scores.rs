//! Regression: errors and ranks of predicted figures, tiers of them, and the baselines that a view has to beat.

mod baselines;
mod measure;
mod ranks;
mod tiers;

pub use baselines::{NearestMean, mean_prediction};
pub use manyview_core::Targets;
pub use measure::RegressionMeasure;
pub use tiers::{TierScore, Tiers};
