use crate::gradient::{GradientConfig, Schedule};
use crate::training::Pace;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How a head is trained by AdamW, on vectors and figures brought to mean 0 and spread 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadConfig {
    /// Widths of the layers between vector and figures; none for a linear head.
    pub hidden: Vec<usize>,
    /// What is made small.
    pub loss: Loss,
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
    /// Epochs without a lower validation loss after which training stops; 0 never stops early.
    pub patience: usize,
    /// Longest gradient of a step; longer ones are scaled down to it.
    pub clip: Option<f64>,
    /// Seed of the order of rows and of the start.
    pub seed: u64,
    /// Steps from one checkpoint to the next; without it they are some seconds apart. Changes no head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<usize>,
}

/// What training makes small, over all rows and dimensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Mean squared error.
    #[default]
    Mse,
    /// Half the squared error up to `delta`, in spreads of the dimension, and straight beyond: far figures pull less.
    Huber {
        /// Where it turns straight.
        delta: f64,
    },
}

impl Default for HeadConfig {
    fn default() -> Self {
        let map = GradientConfig::default();
        Self {
            hidden: Vec::new(),
            loss: Loss::default(),
            lr: map.lr,
            weight_decay: map.weight_decay,
            epochs: map.epochs,
            batch: map.batch,
            schedule: map.schedule,
            warmup: map.warmup,
            patience: map.patience,
            clip: map.clip,
            seed: map.seed,
            checkpoint_every: None,
        }
    }
}

impl HeadConfig {
    /// Refuses values out of range.
    pub(super) fn check(&self) -> Result<()> {
        self.steps().check()?;
        let refused = |name, expected, found: String| Err(Error::Setting { name, expected, found });
        if self.checkpoint_every == Some(0) {
            return refused("checkpoint_every", "at least 1", "0".into());
        }
        if self.hidden.contains(&0) {
            return refused("hidden", "widths of at least 1", format!("{:?}", self.hidden));
        }
        match self.loss {
            Loss::Huber { delta } if !(delta.is_finite() && delta > 0.0) => {
                refused("huber_delta", "a positive finite number", delta.to_string())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn pace(&self) -> Pace {
        self.steps().pace()
    }

    /// What it shares with the training of a map.
    fn steps(&self) -> GradientConfig {
        GradientConfig {
            lr: self.lr,
            weight_decay: self.weight_decay,
            epochs: self.epochs,
            batch: self.batch,
            schedule: self.schedule,
            warmup: self.warmup,
            patience: self.patience,
            clip: self.clip,
            seed: self.seed,
            ..GradientConfig::default()
        }
    }
}
