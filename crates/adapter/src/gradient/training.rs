//! The loop over epochs and batches.
use super::adamw::AdamW;
use super::objective::Objective;
use super::parameters::{Parameters, gradient_length, tensor};
use super::snapshot::Snapshots;
use super::{Epoch, Gradient, GradientFit, Monitored};
use crate::{Error, Linear, Result};
use burn::tensor::{Int, Tensor, TensorData};
use manyview_core::{Error as CoreError, Paired};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Validation rows a forward pass.
const VALIDATION_BATCH: usize = 1024;

/// Everything a run holds between two epochs.
pub(super) struct State {
    pub(super) parameters: Parameters,
    pub(super) history: Vec<Epoch>,
    /// The map of the best epoch, where something tells which is best.
    pub(super) best: Option<Linear>,
}

impl State {
    /// The best epoch, from 1: of the highest score, else of the lowest validation loss, else the last.
    fn best_epoch(&self) -> usize {
        let of = |measure: fn(&Epoch) -> Option<f64>| {
            let measured = self.history.iter().filter_map(|e| Some((e.epoch, measure(e)?)));
            measured.reduce(|best, e| if e.1 > best.1 { e } else { best }).map(|(epoch, _)| epoch)
        };
        of(|e| e.score).or_else(|| of(|e| e.val_loss.map(|l| -l))).unwrap_or(self.history.len())
    }
}

/// One run of [`Gradient`] on its data.
pub(super) struct Training<'a> {
    gradient: &'a Gradient,
    data: &'a Monitored<'a>,
    objective: Objective,
    adamw: AdamW,
    train: (Tensor<2>, Tensor<2>),
    validation: Option<(Tensor<2>, Tensor<2>)>,
}

impl<'a> Training<'a> {
    pub(super) fn new(gradient: &'a Gradient, data: &'a Monitored<'a>) -> Self {
        let on_device = |pairs: &Paired| {
            let of = |x: &manyview_core::Embeddings| tensor(x.as_slice().to_vec(), x.dim(), &gradient.device);
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

    /// Trains from `state` to the end.
    pub(super) fn run(&self, mut state: State, mut checkpoints: Option<Snapshots>) -> Result<GradientFit> {
        let (progress, config) = (self.data.progress, &self.gradient.config);
        progress.advance(state.history.len() as u64);
        while state.history.len() < config.epochs && !self.is_stale(&state) {
            let before = checkpoints.is_some().then(|| state.parameters.clone());
            match self.epoch(&mut state) {
                Err(Error::Core(CoreError::Interrupted)) => {
                    if let (Some(checkpoints), Some(parameters)) = (&mut checkpoints, before) {
                        checkpoints.write(&State { parameters, ..state })?;
                    }
                    return Err(CoreError::Interrupted.into());
                }
                other => other?,
            }
            if let Some(checkpoints) = checkpoints.as_mut().filter(|c| c.is_due()) {
                checkpoints.write(&state)?;
            }
            progress.advance(1);
        }
        if let Some(checkpoints) = &mut checkpoints {
            checkpoints.write(&state)?;
        }
        let (best_epoch, stopped_early) = (state.best_epoch(), state.history.len() < config.epochs);
        let linear = match state.best {
            Some(best) => best,
            None => state.parameters.linear()?,
        };
        Ok(GradientFit { linear, history: state.history, best_epoch, stopped_early })
    }

    fn is_stale(&self, state: &State) -> bool {
        let patience = self.gradient.config.patience;
        patience > 0 && state.history.len() >= state.best_epoch() + patience
    }

    /// One pass over the training rows, then the measures.
    fn epoch(&self, state: &mut State) -> Result<()> {
        let config = &self.gradient.config;
        let (epoch, n) = (state.history.len() + 1, self.data.train.base().n());
        let steps = n.div_ceil(config.batch);
        let (x, y) = self.shuffled(epoch);
        let (mut sum, mut lr) = (0.0, 0.0);
        for batch in 0..steps {
            if self.data.progress.stopped() {
                return Err(CoreError::Interrupted.into());
            }
            let rows = batch * config.batch..n.min((batch + 1) * config.batch);
            let part = |t: &Tensor<2>| t.clone().slice([rows.clone(), 0..t.dims()[1]]);
            lr = config.rate((epoch - 1) * steps + batch, config.epochs * steps);
            let loss = self.step(&mut state.parameters, lr, &part(&x), part(&y))?;
            if !loss.is_finite() {
                return Err(Error::Diverged { epoch, batch: batch + 1, found: loss });
            }
            sum += loss * rows.len() as f64;
        }
        let val_loss = self.validation.as_ref().map(|v| self.validation_loss(&state.parameters, v));
        let monitored = self.data.score.is_some() || val_loss.is_some();
        let linear = monitored.then(|| state.parameters.linear()).transpose()?;
        let score = match (self.data.score, &linear) {
            (Some(score), Some(linear)) => Some(score(linear)?),
            _ => None,
        };
        if let Some(found) = score.or(val_loss).filter(|v| !v.is_finite()) {
            return Err(Error::Diverged { epoch, batch: steps, found });
        }
        state.history.push(Epoch { epoch, train_loss: sum / n as f64, val_loss, score, lr });
        if state.best_epoch() == epoch {
            state.best = linear;
        }
        Ok(())
    }

    fn step(&self, parameters: &mut Parameters, lr: f64, x: &Tensor<2>, y: Tensor<2>) -> Result<f64> {
        let config = &self.gradient.config;
        let (loss, mut gradient) = self.objective.loss_and_gradient(parameters.forward(x), y);
        if let Some(longest) = config.clip {
            let length = gradient_length(x, &gradient, config.bias);
            if length > longest {
                gradient = gradient * (longest / length);
            }
        }
        parameters.step(&self.adamw, lr, x, &gradient)?;
        Ok(loss)
    }

    /// The training rows in the order of `epoch`, which depends on nothing but the seed and the epoch.
    fn shuffled(&self, epoch: usize) -> (Tensor<2>, Tensor<2>) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.gradient.config.seed);
        rng.set_stream(epoch as u64);
        let mut order: Vec<i32> = (0..self.data.train.base().n() as i32).collect();
        order.shuffle(&mut rng);
        let n = order.len();
        let order = Tensor::<1, Int>::from_data(TensorData::new(order, [n]), &self.gradient.device);
        (self.train.0.clone().select(0, order.clone()), self.train.1.clone().select(0, order))
    }

    fn validation_loss(&self, parameters: &Parameters, (x, y): &(Tensor<2>, Tensor<2>)) -> f64 {
        let n = x.dims()[0];
        let batches = (0..n).step_by(VALIDATION_BATCH).map(|start| {
            let rows = start..n.min(start + VALIDATION_BATCH);
            let part = |t: &Tensor<2>| t.clone().slice([rows.clone(), 0..t.dims()[1]]);
            self.objective.total(parameters.forward(&part(x)), part(y))
        });
        batches.sum::<f64>() / n as f64
    }
}
