use crate::{Error, Result};
use manyview_train::TrainConfig;
use serde::{Deserialize, Serialize};

/// How a head is trained by AdamW, on vectors and targets brought to mean 0 and standard deviation 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadConfig {
    /// Widths of the layers between vector and predictions; none for a linear head.
    pub hidden: Vec<usize>,
    /// What is made small.
    pub loss: Loss,
    /// Epochs, batches, learning rate and the like.
    pub train: TrainConfig,
}

/// What training makes small, over all rows and dimensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Mean squared error.
    #[default]
    Mse,
    /// Half the squared error up to `delta`, in standard deviations of the dimension, and straight beyond: targets far away
    /// pull less.
    Huber {
        /// Where it turns straight.
        delta: f64,
    },
}

impl HeadConfig {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] with the name of the first that is.
    pub fn check(&self) -> Result<()> {
        self.train.check()?;
        let refused = |name, expected, found: String| Err(Error::Setting { name, expected, found });
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
}
