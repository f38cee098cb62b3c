use crate::Result;
use crate::error::{not_negative, positive};
use crate::training::Pace;
use serde::{Deserialize, Serialize};

/// How a map is trained: AdamW on mean squared error and cosine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientConfig {
    /// Highest learning rate.
    pub lr: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows a step.
    pub batch: usize,
    /// How the learning rate falls after the warm-up.
    pub schedule: Schedule,
    /// Share of all steps in which the learning rate rises to its highest, from 0 to 1.
    pub warmup: f64,
    /// Weight of the mean squared error in the loss.
    pub mse_weight: f64,
    /// Weight of 1 − cosine in the loss.
    pub cosine_weight: f64,
    /// Where training starts.
    pub start: Start,
    /// Epochs without a better score after which training stops; 0 never stops early.
    pub patience: usize,
    /// Longest gradient of a step; longer ones are scaled down to it.
    pub clip: Option<f64>,
    /// Whether the map has a bias.
    pub bias: bool,
    /// Seed of the order of rows and of a random start.
    pub seed: u64,
}

/// How the learning rate falls after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// Along half a cosine, to 0.
    Cosine,
    /// Evenly, to 0.
    Linear,
}

/// Where training starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the encoder's own view; base and teacher must have one dimension.
    #[default]
    Identity,
    /// At uniform values within ±1/√dim_in.
    Random,
    /// At the ridge solution towards the identity, or towards zero between different dimensions.
    Ridge,
}

impl Default for GradientConfig {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            weight_decay: 0.0,
            epochs: 50,
            batch: 64,
            schedule: Schedule::default(),
            warmup: 0.0,
            mse_weight: 1.0,
            cosine_weight: 1.0,
            start: Start::default(),
            patience: 0,
            clip: None,
            bias: false,
            seed: 0,
        }
    }
}

impl GradientConfig {
    /// Refuses values out of range.
    pub(crate) fn check(&self) -> Result<()> {
        self.pace().check()?;
        not_negative("weight_decay", self.weight_decay)?;
        not_negative("mse_weight", self.mse_weight)?;
        not_negative("cosine_weight", self.cosine_weight)?;
        positive("mse_weight + cosine_weight", self.mse_weight + self.cosine_weight)?;
        self.clip.map_or(Ok(()), |c| positive("clip", c))
    }

    pub(crate) fn pace(&self) -> Pace {
        let Self { lr, schedule, warmup, epochs, batch, patience, seed, .. } = *self;
        Pace { lr, schedule, warmup, epochs, batch, patience, seed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_in_the_warm_up_and_falls_by_the_schedule() {
        let rates = |schedule| {
            let config = GradientConfig { lr: 2.0, warmup: 0.2, schedule, ..GradientConfig::default() };
            [0, 1, 2, 6].map(|step| config.pace().rate(step, 10))
        };
        assert_eq!(rates(Schedule::Constant), [1.0, 2.0, 2.0, 2.0]);
        assert_eq!(rates(Schedule::Linear), [1.0, 2.0, 2.0, 1.0]);
        assert!(rates(Schedule::Cosine).iter().zip([1.0, 2.0, 2.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn a_setting_out_of_range_is_refused_by_name() {
        let base = GradientConfig::default;
        let bad = [
            ("lr", GradientConfig { lr: f64::NAN, ..base() }),
            ("weight_decay", GradientConfig { weight_decay: -1.0, ..base() }),
            ("mse_weight + cosine_weight", GradientConfig { mse_weight: 0.0, cosine_weight: 0.0, ..base() }),
            ("clip", GradientConfig { clip: Some(0.0), ..base() }),
            ("epochs", GradientConfig { epochs: 0, ..base() }),
            ("batch", GradientConfig { batch: 0, ..base() }),
            ("warmup", GradientConfig { warmup: 1.5, ..base() }),
        ];
        for (name, config) in bad {
            assert!(config.check().unwrap_err().to_string().starts_with(name), "{name}");
        }
        base().check().unwrap();
    }
}
