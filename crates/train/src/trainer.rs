use crate::parameters::{Learnt, gradients_of, norm, stepped};
use crate::so_far::SoFar;
use crate::state::{State, States};
use crate::{
    Batch, Epoch, Error, History, Measured, Result, StepMetrics, TrainConfig, TrainStep, ValidationSet,
};
use burn::module::Module;
use manyview_core::{Error as CoreError, Fingerprint, Progress};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

/// Trains modules with AdamW.
///
/// The same configuration, examples and device give the same parameters to the last bit, whether or not the run was
/// interrupted and resumed from its checkpoints.
pub struct Trainer<'a> {
    config: TrainConfig,
    progress: &'a dyn Progress,
    stage: &'static str,
    unit: ProgressUnit,
    checkpoints: Option<(PathBuf, Fingerprint)>,
}

/// The unit of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressUnit {
    /// Epochs, of short steps.
    Epochs,
    /// Steps, if each takes long.
    Steps,
}

/// The result of a training.
#[derive(Clone, Debug)]
pub struct Trained<M> {
    /// The module of the best epoch, without autodiff.
    pub module: M,
    /// The metrics of all epochs.
    pub history: History,
}

impl<'a> Trainer<'a> {
    /// Training with `config`, without checkpoints. `progress` receives the metrics of each epoch and is asked
    /// between steps whether to stop.
    pub fn new(config: TrainConfig, progress: &'a dyn Progress) -> Self {
        Self { config, progress, stage: "train", unit: ProgressUnit::Epochs, checkpoints: None }
    }

    /// Keeps the last two checkpoints of each run below `root`, and resumes from them. Runs may share a directory: `key`
    /// identifies the examples, the loss, the start and the device; configuration and shapes are part of the identity
    /// anyway.
    #[must_use]
    pub fn with_checkpoints(self, root: impl Into<PathBuf>, key: Fingerprint) -> Self {
        Self { checkpoints: Some((root.into(), key)), ..self }
    }

    /// Sets the name of the stage and the unit of progress.
    #[must_use]
    pub fn with_stage(self, stage: &'static str, unit: ProgressUnit) -> Self {
        Self { stage, unit, ..self }
    }

    /// Trains the parameters of `module` that require gradients; `module` is on an autodiff device. Without a validation
    /// set the last epoch is the best.
    ///
    /// # Errors
    /// A setting out of range, a loss that is not finite, checkpoints that cannot be written, an error of `data` or
    /// `validation`, and [`manyview_core::Error::Interrupted`] when asked to stop: the steps done by then are on disk
    /// where there is a checkpoint directory.
    pub fn train<S: TrainStep + Sync>(
        &self,
        module: S::Module,
        data: &S,
        validation: Option<&(dyn ValidationSet<S::Module> + Sync)>,
    ) -> Result<Trained<S::Module>> {
        self.config.check()?;
        if data.examples() == 0 {
            return Err(CoreError::Empty { what: "training examples".into() }.into());
        }
        let learnt = Learnt::new(&module, self.config.weight_decay, |path| data.decays(path));
        let steps = data.examples().div_ceil(self.config.batch);
        let states = self.checkpoints.as_ref();
        let mut states =
            states.map(|(root, key)| States::new(root, key, &self.config, &learnt)).transpose()?;
        let known = (self.config.epochs, steps, data.metrics());
        let earlier = states.as_mut().map(|states| states.latest(&module, known)).transpose()?.flatten();
        let run = Run { trainer: self, data, validation, learnt: &learnt, steps };
        let total = self.config.epochs * if self.unit == ProgressUnit::Steps { steps } else { 1 };
        self.progress.begin(self.stage, total as u64);
        // On one of the threads that do the work: a step then hands over nothing and waits for nobody to wake.
        let trained = rayon::scope(|_| run.run(earlier.unwrap_or_else(|| State::new(module)), states));
        self.progress.end();
        trained
    }
}

/// One training.
struct Run<'a, S: TrainStep> {
    trainer: &'a Trainer<'a>,
    data: &'a S,
    validation: Option<&'a (dyn ValidationSet<S::Module> + Sync)>,
    learnt: &'a Learnt,
    /// Steps of an epoch.
    steps: usize,
}

impl<S: TrainStep> Run<'_, S> {
    fn run(&self, mut state: State<S::Module>, mut states: Option<States<'_>>) -> Result<Trained<S::Module>> {
        let Trainer { config, progress, unit, .. } = self.trainer;
        let done = if *unit == ProgressUnit::Steps { state.so_far.steps } else { state.so_far.epochs.len() };
        progress.advance(done as u64);
        state.so_far.epochs.iter().for_each(|epoch| self.tell(epoch));
        while state.so_far.epochs.len() < config.epochs && !self.is_stale(&state.so_far) {
            state = self.epoch(state, &mut states)?;
            state.so_far.epochs.last().into_iter().for_each(|epoch| self.tell(epoch));
            if let Some(states) = states.as_mut().filter(|s| s.is_due(state.so_far.steps)) {
                states.write(&state)?;
            }
            if *unit == ProgressUnit::Epochs {
                progress.advance(1);
            }
        }
        if let Some(states) = &mut states {
            states.write(&state)?;
        }
        let best_epoch = state.so_far.best_epoch();
        let epochs = state.so_far.epochs;
        let stopped_early = epochs.len() < config.epochs;
        let module = state.best.unwrap_or(state.module).valid();
        Ok(Trained { module, history: History { epochs, best_epoch, stopped_early } })
    }

    fn is_stale(&self, so_far: &SoFar) -> bool {
        let patience = self.trainer.config.patience;
        patience > 0 && so_far.epochs.len() >= so_far.best_epoch() + patience
    }

    /// The rest of an epoch, then what is measured after it.
    fn epoch(
        &self,
        mut state: State<S::Module>,
        states: &mut Option<States<'_>>,
    ) -> Result<State<S::Module>> {
        let batch = self.trainer.config.batch;
        let epoch = state.so_far.epochs.len() + 1;
        let order = self.order(epoch);
        for (number, examples) in order.chunks(batch).enumerate().skip(state.so_far.batches) {
            let stopped = self.trainer.progress.stopped();
            if let Some(states) = states.as_mut().filter(|s| stopped || s.is_due(state.so_far.steps)) {
                states.write(&state)?;
            }
            if stopped {
                return Err(CoreError::Interrupted.into());
            }
            state = self.step(state, (epoch, number), examples)?;
        }
        self.measure(&mut state, epoch, order.len())?;
        Ok(state)
    }

    fn step(
        &self,
        mut state: State<S::Module>,
        (epoch, number): (usize, usize),
        examples: &[usize],
    ) -> Result<State<S::Module>> {
        let config = &self.trainer.config;
        let step = (epoch - 1) * self.steps + number;
        let batch = Batch { examples, epoch, step, seed: self.random(u64::MAX - step as u64).next_u64() };
        let measured = self.data.loss(&state.module, &batch)?;
        let loss = f64::from(measured.loss.clone().into_scalar::<f32>());
        let metrics = measured.metrics;
        let finite = |what: &'static str, found: f64| match found.is_finite() {
            true => Ok(()),
            false => Err(Error::Diverged { epoch, batch: number + 1, what, found }),
        };
        finite("loss", loss)?;
        metrics.iter().try_for_each(|metric| finite("metric", *metric))?;
        let mut gradients = gradients_of(&state.module, &mut measured.loss.backward());
        drop(measured.loss);
        let gradient_norm = config.clip.map(|_| norm(&mut gradients, self.learnt));
        gradient_norm.map_or(Ok(()), |found| finite("norm of the gradient", found))?;
        let scale = match (config.clip, gradient_norm) {
            (Some(highest), Some(norm)) if norm > highest => highest / norm,
            _ => 1.0,
        };
        let lr = self.data.rate(config, step, config.epochs * self.steps);
        state.module = stepped(state.module, self.learnt, gradients, &mut state.moments, (lr, scale));
        let so_far = &mut state.so_far;
        (so_far.steps, so_far.batches, so_far.lr) = (step + 1, number + 1, lr);
        so_far.add(loss, &metrics, examples.len());
        self.data.observe(&StepMetrics { epoch, step: step + 1, loss, lr, gradient_norm })?;
        if self.trainer.unit == ProgressUnit::Steps {
            self.trainer.progress.advance(1);
        }
        Ok(state)
    }

    /// Ends an epoch of so many examples.
    fn measure(&self, state: &mut State<S::Module>, epoch: usize, examples: usize) -> Result<()> {
        let measured = self.validation.map(|validation| validation.measure(&state.module.valid()));
        let Measured { loss: val_loss, score, metrics: val_metrics } =
            measured.transpose()?.unwrap_or_default();
        let all = score.or(val_loss).into_iter().chain(val_metrics.iter().copied());
        if let Some(found) = all.into_iter().find(|v| !v.is_finite()) {
            return Err(Error::Diverged { epoch, batch: self.steps, what: "validation metric", found });
        }
        let so_far = &mut state.so_far;
        let (train_loss, train_metrics) = so_far.end_epoch(examples);
        let lr = so_far.lr;
        so_far.epochs.push(Epoch { epoch, train_loss, val_loss, score, lr, train_metrics, val_metrics });
        if val_loss.or(score).is_some() && so_far.best_epoch() == epoch {
            state.best = Some(state.module.clone());
        }
        Ok(())
    }

    /// The examples in the order of `epoch`, which depends on nothing but the seed and the epoch.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.data.examples()).collect();
        order.shuffle(&mut self.random(epoch as u64));
        self.data.arrange(&mut order, self.trainer.config.batch);
        order
    }

    /// Random numbers of one stream: epochs count up from 1, steps down from the highest.
    fn random(&self, stream: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.trainer.config.seed);
        rng.set_stream(stream);
        rng
    }

    fn tell(&self, epoch: &Epoch) {
        let measured = [("loss", Some(epoch.train_loss)), ("lr", Some(epoch.lr))];
        let measured = measured.into_iter().chain([("val_loss", epoch.val_loss), ("score", epoch.score)]);
        let values: Vec<(&str, f64)> = measured.filter_map(|(name, value)| Some((name, value?))).collect();
        self.trainer.progress.measured((epoch.epoch * self.steps) as u64, &values);
    }
}
