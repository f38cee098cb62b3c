use serde::{Deserialize, Serialize};

/// The metrics of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean loss over the training examples, each before the step it was part of.
    pub train_loss: f64,
    /// Mean loss over the validation examples, after the epoch.
    pub val_loss: Option<f64>,
    /// The score, after the epoch.
    pub score: Option<f64>,
    /// Learning rate of its last step.
    pub lr: f64,
    /// Other means over the training examples, each before the step it was part of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub train_metrics: Vec<f64>,
    /// The same of the validation examples, after the epoch; none without a validation loss.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub val_metrics: Vec<f64>,
}

/// The metrics of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Every epoch, in order.
    pub epochs: Vec<Epoch>,
    /// The best epoch, from 1.
    pub best_epoch: usize,
    /// Whether early stopping ended the training.
    pub stopped_early: bool,
}

/// The metrics of one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    /// Its epoch, from 1.
    pub epoch: usize,
    /// Its number among the steps of all epochs, from 1.
    pub step: usize,
    /// The loss before it.
    pub loss: f64,
    /// Its learning rate.
    pub lr: f64,
    /// Norm of its gradient before clipping, if gradients are clipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm: Option<f64>,
}
