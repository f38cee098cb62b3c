use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Settings of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Number of epochs: passes over the training examples.
    pub epochs: usize,
    /// Batch size: examples per step.
    pub batch: usize,
    /// Peak learning rate.
    pub lr: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Schedule of the learning rate after the warm-up.
    pub schedule: Schedule,
    /// Fraction of all steps in which the learning rate rises to its peak, from 0 to 1.
    pub warmup: f64,
    /// Maximum global norm of the gradient; larger gradients are scaled down to it.
    pub clip: Option<f64>,
    /// Epochs without improvement of the score, or of the validation loss if there is no score, after which training
    /// stops; 0 disables early stopping.
    pub patience: usize,
    /// Seed of the order of examples.
    pub seed: u64,
    /// Steps between checkpoints; without it they are two seconds apart. Does not change the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<usize>,
}

/// Schedule of the learning rate after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Constant.
    #[default]
    Constant,
    /// Cosine decay to 0.
    Cosine,
    /// Linear decay to 0.
    Linear,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 50,
            batch: 64,
            lr: 1e-3,
            weight_decay: 0.0,
            schedule: Schedule::default(),
            warmup: 0.0,
            clip: None,
            patience: 0,
            seed: 0,
            checkpoint_every: None,
        }
    }
}

impl TrainConfig {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first that is.
    pub fn check(&self) -> Result<()> {
        let positive = |v: f64| v.is_finite() && v > 0.0;
        let checks = [
            ("lr", positive(self.lr), "a positive finite number", self.lr.to_string()),
            (
                "weight_decay",
                self.weight_decay.is_finite() && self.weight_decay >= 0.0,
                "a finite number of at least 0",
                self.weight_decay.to_string(),
            ),
            ("epochs", self.epochs > 0, "at least 1", self.epochs.to_string()),
            ("batch", self.batch > 0, "at least 1", self.batch.to_string()),
            ("warmup", (0.0..=1.0).contains(&self.warmup), "a share from 0 to 1", self.warmup.to_string()),
            (
                "clip",
                self.clip.is_none_or(positive),
                "a positive finite number",
                self.clip.unwrap_or_default().to_string(),
            ),
            ("checkpoint_every", self.checkpoint_every != Some(0), "at least 1", "0".into()),
        ];
        match checks.into_iter().find(|(_, fits, ..)| !fits) {
            Some((name, _, expected, found)) => Err(Error::Setting { name, expected, found }),
            None => Ok(()),
        }
    }

    /// The learning rate of `step`, from 0, of `total`.
    pub fn rate(&self, step: usize, total: usize) -> f64 {
        let warm = (self.warmup * total as f64).round() as usize;
        if step < warm {
            return self.lr * (step + 1) as f64 / warm as f64;
        }
        let done = (step - warm) as f64 / (total - warm) as f64;
        self.lr
            * match self.schedule {
                Schedule::Constant => 1.0,
                Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
                Schedule::Linear => 1.0 - done,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_in_the_warm_up_and_falls_by_the_schedule() {
        let rates = |schedule| {
            let config = TrainConfig { lr: 2.0, warmup: 0.2, schedule, ..TrainConfig::default() };
            [0, 1, 2, 6].map(|step| config.rate(step, 10))
        };
        assert_eq!(rates(Schedule::Constant), [1.0, 2.0, 2.0, 2.0]);
        assert_eq!(rates(Schedule::Linear), [1.0, 2.0, 2.0, 1.0]);
        assert!(rates(Schedule::Cosine).iter().zip([1.0, 2.0, 2.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn a_setting_out_of_range_is_refused_by_name() {
        let base = TrainConfig::default;
        let bad = [
            ("lr", TrainConfig { lr: f64::NAN, ..base() }),
            ("weight_decay", TrainConfig { weight_decay: -1.0, ..base() }),
            ("clip", TrainConfig { clip: Some(0.0), ..base() }),
            ("epochs", TrainConfig { epochs: 0, ..base() }),
            ("batch", TrainConfig { batch: 0, ..base() }),
            ("warmup", TrainConfig { warmup: 1.5, ..base() }),
            ("checkpoint_every", TrainConfig { checkpoint_every: Some(0), ..base() }),
        ];
        for (name, config) in bad {
            assert!(config.check().unwrap_err().to_string().starts_with(name), "{name}");
        }
        base().check().unwrap();
    }
}
