use crate::error::{not_negative, positive, setting};
use crate::{Result, Shape};
use manyview_train::TrainConfig;
use serde::{Deserialize, Serialize};

/// How a map is trained: AdamW on mean squared error and cosine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientConfig {
    /// What the map computes.
    pub shape: Shape,
    /// Rank of [`Shape::LowRank`], 16 if not given, or hidden units of [`Shape::Residual`], as many as values of a
    /// vector if not given, and of [`Shape::Mlp`], twice as many.
    pub width: Option<usize>,
    /// Whether layers have a bias.
    pub bias: bool,
    /// Where training starts.
    pub start: Start,
    /// Weight of the mean squared error in the loss.
    pub mse_weight: f64,
    /// Weight of 1 − cosine in the loss.
    pub cosine_weight: f64,
    /// Epochs, batches, learning rate and the like.
    pub train: TrainConfig,
}

/// Where training starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the encoder's own view; base and teacher must have one dimension.
    #[default]
    Identity,
    /// At uniform values within ±1/√dim_in of each layer.
    Random,
    /// At the ridge solution towards the identity, or towards zero between different dimensions; of linear maps.
    Ridge,
}

impl Default for GradientConfig {
    fn default() -> Self {
        Self {
            shape: Shape::default(),
            width: None,
            bias: false,
            start: Start::default(),
            mse_weight: 1.0,
            cosine_weight: 1.0,
            train: TrainConfig::default(),
        }
    }
}

impl GradientConfig {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] with the name of the first that is.
    pub fn check(&self) -> Result<()> {
        self.train.check()?;
        not_negative("mse_weight", self.mse_weight)?;
        not_negative("cosine_weight", self.cosine_weight)?;
        positive("mse_weight + cosine_weight", self.mse_weight + self.cosine_weight)?;
        let fits = self.start != Start::Ridge || self.shape == Shape::Linear;
        setting("start", fits, "identity or random of a shape other than linear", "ridge".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_range_is_refused_by_name() {
        let base = GradientConfig::default;
        let train = TrainConfig { lr: 0.0, ..TrainConfig::default() };
        let bad = [
            ("lr", GradientConfig { train, ..base() }),
            ("mse_weight + cosine_weight", GradientConfig { mse_weight: 0.0, cosine_weight: 0.0, ..base() }),
            ("cosine_weight", GradientConfig { cosine_weight: -1.0, ..base() }),
            ("start", GradientConfig { start: Start::Ridge, shape: Shape::Mlp, ..base() }),
        ];
        for (name, config) in bad {
            assert!(config.check().unwrap_err().to_string().starts_with(name), "{name}");
        }
        base().check().unwrap();
    }
}
