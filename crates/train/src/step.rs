use crate::{StepMetrics, TrainConfig};
use burn::module::Module;
use burn::tensor::Tensor;
use manyview_core::Result;

/// What a module is trained on: the examples, and the loss of a batch of them.
pub trait TrainStep {
    /// What is trained.
    type Module: Module;

    /// The number of examples of an epoch.
    fn examples(&self) -> usize;

    /// The loss of a batch before the step it is part of. `module` is on an autodiff device; whatever the loss takes from
    /// it gets a gradient.
    ///
    /// # Errors
    /// Whatever the implementation cannot compute; training ends with it.
    fn loss(&self, module: &Self::Module, batch: &Batch<'_>) -> Result<BatchLoss>;

    /// How many metrics a batch is measured by beside its loss.
    fn metrics(&self) -> usize {
        0
    }

    /// Arranges the shuffled examples of an epoch before they are cut into batches of `batch`, by length for instance. It
    /// must depend on nothing but its arguments and the examples, or a resumed run is another run.
    fn arrange(&self, _order: &mut [usize], _batch: usize) {}

    /// The learning rate of `step`, from 0, of `total`; that of the configuration, unless training has its own schedule.
    fn rate(&self, config: &TrainConfig, step: usize, total: usize) -> f64 {
        config.rate(step, total)
    }

    /// Whether weight decay applies to the parameter of that path, such as `layers.0.bias`.
    fn decays(&self, _path: &str) -> bool {
        true
    }

    /// Told what each step measured, before any checkpoint that holds it.
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
    /// A seed for what is random in this step, such as dropout.
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

/// What was measured of a module after an epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Mean loss over validation examples. The epoch of the lowest is the best where there is no score.
    pub loss: Option<f64>,
    /// A score, higher is better. The epoch of the highest is the best.
    pub score: Option<f64>,
    /// The metrics of [`TrainStep::metrics`] on the validation examples; none without a validation loss.
    pub metrics: Vec<f64>,
}
