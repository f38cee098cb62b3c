//! The loop over epochs and batches.
use crate::error::{positive, setting};
use crate::gradient::parameters::Parameters;
use crate::gradient::{Epoch, Schedule};
use crate::state::{Record, State, States};
use crate::{Error, Linear, Result};
use manyview_core::{Error as CoreError, Progress};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// What the layers are trained on.
pub(crate) trait Course {
    /// The number of rows of an epoch.
    fn rows(&self) -> usize;

    /// How many figures it measures beside the loss.
    fn figures(&self) -> usize {
        0
    }

    /// One step at rate `lr` on some of the rows; gives what was measured of them before it.
    fn step(&self, layers: &mut [Parameters], lr: f64, rows: &[usize]) -> Result<Measured>;

    /// What tells how good the layers are after an epoch: what is measured of validation rows, and a score.
    fn measure(&self, layers: &[Parameters]) -> Result<(Option<Measured>, Option<f64>)>;
}

/// What was measured of some rows.
pub(crate) struct Measured {
    /// Mean loss.
    pub(crate) loss: f64,
    /// Other means, [`Course::figures`] of them.
    pub(crate) figures: Vec<f64>,
}

impl From<f64> for Measured {
    fn from(loss: f64) -> Self {
        Self { loss, figures: Vec::new() }
    }
}

/// How long, how fast and in which order a course is gone through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) lr: f64,
    pub(crate) schedule: Schedule,
    pub(crate) warmup: f64,
    pub(crate) epochs: usize,
    pub(crate) batch: usize,
    pub(crate) patience: usize,
    pub(crate) seed: u64,
}

/// What a training ends with.
pub(crate) struct Outcome {
    /// The layers of the best epoch.
    pub(crate) layers: Vec<Linear>,
    pub(crate) history: Vec<Record>,
    pub(crate) best_epoch: usize,
    pub(crate) stopped_early: bool,
}

impl Pace {
    /// Refuses values out of range.
    pub(crate) fn check(&self) -> Result<()> {
        positive("lr", self.lr)?;
        setting("epochs", self.epochs > 0, "at least 1", self.epochs.to_string())?;
        setting("batch", self.batch > 0, "at least 1", self.batch.to_string())?;
        setting("warmup", (0.0..=1.0).contains(&self.warmup), "a share from 0 to 1", self.warmup.to_string())
    }

    /// The learning rate of `step`, from 0, of `total`.
    pub(crate) fn rate(&self, step: usize, total: usize) -> f64 {
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

    /// Trains from the latest of `states`, or else from `start`, to the end.
    pub(crate) fn train(
        &self,
        course: &(impl Course + Sync),
        start: State,
        mut states: Option<States>,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        let steps = course.rows().div_ceil(self.batch);
        let latest = |states: &mut States| states.latest(self.epochs, steps, course.figures());
        let earlier = states.as_mut().map(latest).transpose()?.flatten();
        progress.begin("train", self.epochs as u64);
        // On one of the threads that do the work: a step then hands over nothing and waits for nobody to wake.
        let outcome = rayon::scope(|_| self.run(course, earlier.unwrap_or(start), states, progress));
        progress.end();
        outcome
    }

    fn run(
        &self,
        course: &impl Course,
        mut state: State,
        mut states: Option<States>,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        progress.advance(state.so_far.epochs.len() as u64);
        let steps = course.rows().div_ceil(self.batch);
        state.so_far.epochs.iter().for_each(|done| tell(progress, &done.epoch, steps));
        while state.so_far.epochs.len() < self.epochs && !self.is_stale(&state) {
            self.epoch(course, &mut state, &mut states, progress)?;
            state.so_far.epochs.last().into_iter().for_each(|done| tell(progress, &done.epoch, steps));
            if let Some(states) = states.as_mut().filter(|s| s.is_due(state.so_far.steps)) {
                states.write(&state)?;
            }
            progress.advance(1);
        }
        if let Some(states) = &mut states {
            states.write(&state)?;
        }
        let (best_epoch, history) = (state.so_far.best_epoch(), std::mem::take(&mut state.so_far.epochs));
        let layers = match state.best {
            Some(best) => best,
            None => state.linears()?,
        };
        Ok(Outcome { layers, stopped_early: history.len() < self.epochs, history, best_epoch })
    }

    fn is_stale(&self, state: &State) -> bool {
        self.patience > 0 && state.so_far.epochs.len() >= state.so_far.best_epoch() + self.patience
    }

    /// The rest of an epoch, then the measures.
    fn epoch(
        &self,
        course: &impl Course,
        state: &mut State,
        states: &mut Option<States>,
        progress: &dyn Progress,
    ) -> Result<()> {
        let epoch = state.so_far.epochs.len() + 1;
        let order = self.order(epoch, course.rows());
        let steps = order.len().div_ceil(self.batch);
        for (batch, rows) in order.chunks(self.batch).enumerate().skip(state.so_far.batches) {
            let stopped = progress.stopped();
            if let Some(states) = states.as_mut().filter(|s| stopped || s.is_due(state.so_far.steps)) {
                states.write(state)?;
            }
            if stopped {
                return Err(CoreError::Interrupted.into());
            }
            let step = (epoch - 1) * steps + batch;
            let lr = self.rate(step, self.epochs * steps);
            let Measured { loss, figures } = course.step(&mut state.layers, lr, rows)?;
            if let Some(found) = [loss].iter().chain(&figures).copied().find(|v| !v.is_finite()) {
                return Err(Error::Diverged { epoch, batch: batch + 1, found });
            }
            let so_far = &mut state.so_far;
            (so_far.steps, so_far.batches, so_far.lr) = (step + 1, batch + 1, lr);
            so_far.add(loss, &figures, rows.len());
        }
        let (val, score) = course.measure(&state.layers)?;
        let val_loss = val.as_ref().map(|val| val.loss);
        let val = val.map(|val| val.figures).unwrap_or_default();
        if let Some(found) = score.or(val_loss).iter().chain(&val).copied().find(|v| !v.is_finite()) {
            return Err(Error::Diverged { epoch, batch: steps, found });
        }
        let so_far = &mut state.so_far;
        let (train_loss, train) = so_far.end_epoch(order.len());
        let measured = Epoch { epoch, train_loss, val_loss, score, lr: so_far.lr };
        so_far.epochs.push(Record { epoch: measured, train, val });
        if val_loss.or(score).is_some() && so_far.best_epoch() == epoch {
            state.best = Some(state.linears()?);
        }
        Ok(())
    }

    /// The rows in the order of `epoch`, which depends on nothing but the seed and the epoch.
    fn order(&self, epoch: usize, rows: usize) -> Vec<usize> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(epoch as u64);
        let mut order: Vec<usize> = (0..rows).collect();
        order.shuffle(&mut rng);
        order
    }
}

/// Tells what an epoch of so many steps measured.
fn tell(progress: &dyn Progress, epoch: &Epoch, steps: usize) {
    let measured = [("loss", Some(epoch.train_loss)), ("lr", Some(epoch.lr))];
    let measured = measured.into_iter().chain([("val_loss", epoch.val_loss), ("score", epoch.score)]);
    let values: Vec<(&str, f64)> = measured.filter_map(|(name, value)| Some((name, value?))).collect();
    progress.measured((epoch.epoch * steps) as u64, &values);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    type Measurement = (u64, Vec<(String, f64)>);

    struct Told(Mutex<Vec<Measurement>>);

    impl Progress for Told {
        fn begin(&self, _: &str, _: u64) {}
        fn advance(&self, _: u64) {}
        fn end(&self) {}
        fn measured(&self, step: u64, values: &[(&str, f64)]) {
            let values = values.iter().map(|(name, value)| (name.to_string(), *value)).collect();
            self.0.lock().unwrap().push((step, values));
        }
    }

    #[test]
    fn an_epoch_is_told_with_the_steps_done_and_what_was_measured() {
        let told = Told(Mutex::default());
        let epoch = Epoch { epoch: 3, train_loss: 0.5, val_loss: None, score: Some(0.25), lr: 0.125 };
        tell(&told, &epoch, 7);
        let values =
            [("loss", 0.5), ("lr", 0.125), ("score", 0.25)].map(|(name, value)| (name.to_string(), value));
        assert_eq!(*told.0.lock().unwrap(), [(21, values.to_vec())]);
    }
}
