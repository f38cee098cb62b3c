use super::loss::{RegressionLoss, Targets};
use super::{Gradient, Monitored};
use crate::network::MapNetwork;
use crate::rows::{on_device, select};
use burn::tensor::Tensor;
use manyview_core::{Paired, Result};
use manyview_train::{Batch, BatchLoss, Measured, TrainStep, ValidationSet};

/// Validation rows a forward pass.
const VALIDATION_BATCH: usize = 1024;

/// Pairs of vectors on a device.
struct Rows {
    base: Tensor<2>,
    targets: Targets,
}

/// The training pairs of [`Gradient`].
pub(crate) struct TrainingPairs {
    loss: RegressionLoss,
    rows: Rows,
}

/// What tells how good a map is after an epoch.
pub(super) struct ValidationPairs<'a> {
    loss: RegressionLoss,
    rows: Option<Rows>,
    data: &'a Monitored<'a>,
}

impl Rows {
    fn new(gradient: &Gradient, pairs: &Paired) -> Self {
        let of = |x| on_device(x, &gradient.device);
        Self { base: of(pairs.base()), targets: Targets::new(of(pairs.teacher())) }
    }
}

impl TrainingPairs {
    pub(crate) fn new(gradient: &Gradient, train: &Paired) -> Self {
        Self { loss: RegressionLoss::from(&gradient.config), rows: Rows::new(gradient, train) }
    }
}

impl<'a> ValidationPairs<'a> {
    pub(super) fn new(gradient: &Gradient, data: &'a Monitored<'a>) -> Self {
        let rows = data.validation.as_ref().map(|pairs| Rows::new(gradient, pairs));
        Self { loss: RegressionLoss::from(&gradient.config), rows, data }
    }

    fn loss(&self, network: &MapNetwork, rows: &Rows) -> f64 {
        let [n, dim] = rows.base.dims();
        let batches = (0..n).step_by(VALIDATION_BATCH).map(|start| {
            let batch = start..n.min(start + VALIDATION_BATCH);
            let outputs = network.forward(rows.base.clone().slice([batch.clone(), 0..dim]));
            let loss = self.loss.of(outputs, rows.targets.slice(batch.clone()));
            f64::from(loss.into_scalar::<f32>()) * batch.len() as f64
        });
        batches.sum::<f64>() / n as f64
    }
}

impl TrainStep for TrainingPairs {
    type Module = MapNetwork;

    fn examples(&self) -> usize {
        self.rows.base.dims()[0]
    }

    fn loss(&self, network: &MapNetwork, batch: &Batch<'_>) -> Result<BatchLoss> {
        let outputs = network.forward(select(&self.rows.base, batch.examples));
        Ok(self.loss.of(outputs, self.rows.targets.select(batch.examples)).into())
    }
}

impl ValidationSet<MapNetwork> for ValidationPairs<'_> {
    fn measure(&self, network: &MapNetwork) -> Result<Measured> {
        let loss = self.rows.as_ref().map(|rows| self.loss(network, rows));
        let score = self.data.score.map(|score| score(&network.to_map()?)).transpose()?;
        Ok(Measured { loss, score, metrics: Vec::new() })
    }
}
