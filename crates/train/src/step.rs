use crate::{StepMetrics, TrainConfig};
use burn::module::Module;
use burn::tensor::Tensor;
use manyview_core::Result;

/// The training examples, and the loss of a batch of them.
pub trait TrainStep {
    /// The module that is trained.
    type Module: Module;

    /// The number of examples of an epoch.
    fn examples(&self) -> usize;

    /// The loss of a batch, computed before the step that uses it. `module` is on an autodiff device.
    ///
    /// # Errors
    /// Whatever the implementation cannot compute; training ends with it.
    fn loss(&self, module: &Self::Module, batch: &Batch<'_>) -> Result<BatchLoss>;

    /// The number of metrics of a batch besides the loss.
    fn metrics(&self) -> usize {
        0
    }

    /// Reorders the shuffled examples of an epoch before they are split into batches of `batch`, for example by
    /// length. The order must depend only on the arguments and the examples; otherwise a resumed run gives another
    /// result.
    fn arrange(&self, _order: &mut [usize], _batch: usize) {}

    /// The learning rate of `step`, from 0, of `total`. The default is the schedule of the configuration.
    fn rate(&self, config: &TrainConfig, step: usize, total: usize) -> f64 {
        config.rate(step, total)
    }

    /// Whether weight decay applies to the parameter at `path`, such as `layers.0.bias`.
    fn decays(&self, _path: &str) -> bool {
        true
    }

    /// Called with the metrics of each step, before a checkpoint of that step is written.
    ///
    /// # Errors
    /// Whatever goes wrong; training ends with it.
    fn observe(&self, _step: &StepMetrics) -> Result<()> {
        Ok(())
    }
}

/// The examples of one step.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Their numbers.
    pub examples: &'a [usize],
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step among those of all epochs, from 0.
    pub step: usize,
    /// Seed for the random numbers of this step, such as dropout.
    pub seed: u64,
}

/// The loss of a batch.
#[derive(Clone, Debug)]
pub struct BatchLoss {
    /// A scalar, `[1]`; its mean over an epoch weighs batches by their examples.
    pub loss: Tensor<1>,
    /// [`TrainStep::metrics`] other means over the examples.
    pub metrics: Vec<f64>,
}

impl From<Tensor<1>> for BatchLoss {
    fn from(loss: Tensor<1>) -> Self {
        Self { loss, metrics: Vec::new() }
    }
}

/// What tells after each epoch how good a module is.
pub trait ValidationSet<M: Module> {
    /// Measures `module`, which needs no gradients here.
    ///
    /// # Errors
    /// Whatever the implementation cannot measure; training ends with it.
    fn measure(&self, module: &M) -> Result<Measured>;
}

/// Validation metrics after an epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Mean loss over validation examples. Without a score, the epoch with the lowest loss is the best.
    pub loss: Option<f64>,
    /// A score, higher is better. The epoch with the highest score is the best.
    pub score: Option<f64>,
    /// The metrics of [`TrainStep::metrics`] on the validation examples; none without a validation loss.
    pub metrics: Vec<f64>,
}
