use super::adamw::AdamW;
use super::objective::Objective;
use super::parameters::{Parameters, gradient_length, select, tensor};
use super::{Gradient, Monitored};
use crate::training::{Course, Measured};
use crate::{Error, Result};
use burn::tensor::Tensor;
use manyview_core::{Embeddings, Error as CoreError, Kind, Paired};

/// Validation rows a forward pass.
const VALIDATION_BATCH: usize = 1024;

/// The training pairs of [`Gradient`] on its device.
pub(super) struct Pairs<'a> {
    gradient: &'a Gradient,
    data: &'a Monitored<'a>,
    objective: Objective,
    adamw: AdamW,
    train: (Tensor<2>, Tensor<2>),
    validation: Option<(Tensor<2>, Tensor<2>)>,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(gradient: &'a Gradient, data: &'a Monitored<'a>) -> Self {
        let on_device = |pairs: &Paired| {
            let of = |x: &Embeddings| tensor(x.as_slice().to_vec(), x.dim(), &gradient.device);
            (of(pairs.base()), of(pairs.teacher()))
        };
        Self {
            objective: Objective::from(&gradient.config),
            adamw: AdamW::new(gradient.config.weight_decay, &gradient.device),
            train: on_device(&data.train),
            validation: data.validation.as_ref().map(on_device),
            gradient,
            data,
        }
    }

    fn validation_loss(&self, layer: &Parameters, (x, y): &(Tensor<2>, Tensor<2>)) -> f64 {
        let n = x.dims()[0];
        let batches = (0..n).step_by(VALIDATION_BATCH).map(|start| {
            let rows = start..n.min(start + VALIDATION_BATCH);
            let part = |t: &Tensor<2>| t.clone().slice([rows.clone(), 0..t.dims()[1]]);
            self.objective.total(layer.forward(&part(x)), part(y))
        });
        batches.sum::<f64>() / n as f64
    }
}

impl Course for Pairs<'_> {
    fn rows(&self) -> usize {
        self.data.train.base().n()
    }

    fn step(&self, layers: &mut [Parameters], lr: f64, rows: &[usize]) -> Result<Measured> {
        let (config, layer) = (&self.gradient.config, one(layers.first_mut())?);
        let (x, y) = (select(&self.train.0, rows), select(&self.train.1, rows));
        let (loss, mut gradient) = self.objective.loss_and_gradient(layer.forward(&x), y);
        if let Some(longest) = config.clip {
            let length = gradient_length(&x, &gradient, config.bias);
            if length > longest {
                gradient = gradient * (longest / length);
            }
        }
        layer.step(&self.adamw, lr, &x, &gradient)?;
        Ok(loss.into())
    }

    fn measure(&self, layers: &[Parameters]) -> Result<(Option<Measured>, Option<f64>)> {
        let layer = one(layers.first())?;
        let val_loss = self.validation.as_ref().map(|pairs| self.validation_loss(layer, pairs));
        let score = self.data.score.map(|score| Ok::<_, Error>(score(&layer.linear()?)?)).transpose()?;
        Ok((val_loss.map(Measured::from), score))
    }
}

/// The one layer of a linear map.
pub(super) fn one<T>(layer: Option<T>) -> Result<T> {
    layer.ok_or_else(|| CoreError::other(Kind::Internal, "expected a map of one layer, found none").into())
}
