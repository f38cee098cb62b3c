use super::adamw::{self, AdamW};
use super::bert::{Bert, Pass};
use super::checkpoint::{Checkpoints, SCHEMA};
use super::config::{Method, TuningConfig};
use super::dropout::Dropout;
use super::journal::{Journal, TrainingProgress};
use super::lanes::dot;
use super::lora::Adapters;
use super::texts::Texts;
use super::tuned::{Tuned, tuned, weights};
use super::{Batch, Lesson, Slopes, Step, saving};
use crate::architecture::bert::Config;
use crate::architecture::{Description, model_type};
use crate::checkpoint::Checkpoint;
use crate::{Error, Result, TextEncoder};
use manyview_core::{Embeddings, Encoder, Error as CoreError, Fingerprint, Kind};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

/// Fine-tunes `base` and writes the directory `to`, which sentence-transformers and [`TextEncoder::load`] read: the same
/// layout, tokenizer and pooling, other weights. `work` keeps checkpoints while it runs, `training_metrics.jsonl`,
/// `training_progress.json`, and what was done: the same call again returns that at once.
///
/// # Errors
/// A model that is no BERT, a setting out of range, counts that do not match, a loss that is not finite, an error of the
/// objective, files that cannot be read or written, and [`manyview_core::Error::Interrupted`] when asked to stop: the
/// steps done by then are on disk.
pub fn tune(
    base: &TextEncoder,
    config: &TuningConfig,
    lesson: &Lesson<'_>,
    work: &Path,
    to: &Path,
) -> Result<Tuned> {
    config.check()?;
    let texts = Texts::read(base, lesson)?;
    let run = key(base, config, &texts, lesson.objective_name)?;
    if let Some(tuned) = tuned(&run, work, to) {
        return Ok(tuned);
    }
    let (checkpoint, mut training) = Training::new(base, config, lesson, texts, (work, &run))?;
    // On the threads that do the work: a step then hands over nothing and waits for nobody to wake.
    let losses = rayon::in_place_scope(|_| training.run())?;
    let lora = match &config.method {
        Method::Full => None,
        Method::Lora(lora) => Some(lora).zip(training.adapters.as_ref()),
    };
    saving::save(base, &checkpoint, &training.bert, lora, to)?;
    let tuned = Tuned {
        run,
        steps: training.adamw.steps,
        pairs: training.texts.pairs(),
        learnt: training.adamw.first.len(),
        losses,
        seconds: training.seconds(),
        weights: weights(to)?,
    };
    tuned.write(work)?;
    let total = training.adamw.steps as usize;
    let done = TrainingProgress { training_completed: true, ..training.so_far(total) };
    training.journal.settle(&done)?;
    training.checkpoints.clear()?;
    Ok(tuned)
}

pub(super) struct Training<'a> {
    config: &'a TuningConfig,
    lesson: &'a Lesson<'a>,
    texts: Texts,
    pub(super) bert: Bert,
    adapters: Option<Adapters>,
    adamw: AdamW,
    decays: Vec<(Range<usize>, f64)>,
    dropout: Option<Dropout>,
    /// Of every value of the model.
    pub(super) gradient: Vec<f32>,
    /// Of the low-rank changes.
    changes: Vec<f32>,
    pass: Pass,
    checkpoints: Checkpoints,
    journal: Journal,
    started: Instant,
    before: f64,
}

impl<'a> Training<'a> {
    pub(super) fn new(
        base: &TextEncoder,
        config: &'a TuningConfig,
        lesson: &'a Lesson<'a>,
        texts: Texts,
        (work, run): (&Path, &Fingerprint),
    ) -> Result<(Checkpoint, Self)> {
        let (checkpoint, layout) = base.source()?;
        let found = model_type(layout)?;
        if found != "bert" {
            return Err(Error::Unsupported {
                path: layout.config_path(),
                what: "fine-tuning of model_type",
                found,
                supported: "bert".into(),
            });
        }
        let description = Config::read(layout)?;
        let lora = match &config.method {
            Method::Full => None,
            Method::Lora(lora) => Some(lora),
        };
        let mut bert = Bert::load(&description, &checkpoint, base.pooling(), lora.map(|lora| lora.learns()))?;
        let mut adapters = lora.map(|lora| Adapters::new(lora, &bert.plan, &bert.values, config.seed));
        let checkpoints = Checkpoints::new(&work.join("checkpoints"), run.clone());
        let n = adapters.as_ref().map_or(bert.values.len(), |a| a.values.len());
        let adamw = match checkpoints.latest(n)? {
            Some((values, adamw)) => {
                match &mut adapters {
                    Some(adapters) => adapters.values = values,
                    None => bert.values = values,
                }
                adamw
            }
            None => AdamW::new(n),
        };
        let [hidden, attention] = match config.dropout {
            Some(share) => [share; 2],
            None => [description.hidden_dropout_prob, description.attention_probs_dropout_prob],
        };
        let (journal, before) = Journal::open(work, adamw.steps)?;
        let training = Self {
            config,
            lesson,
            texts,
            dropout: (hidden + attention > 0.0).then(|| Dropout::new(config.seed, hidden, attention)),
            decays: decays(&bert, n, config.weight_decay),
            gradient: vec![0.0; bert.values.len()],
            changes: vec![0.0; adapters.as_ref().map_or(0, |a| a.values.len())],
            bert,
            adapters,
            adamw,
            pass: Pass::default(),
            checkpoints,
            journal,
            started: Instant::now(),
            before,
        };
        Ok((checkpoint, training))
    }

    /// Mean loss of each pass.
    fn run(&mut self) -> Result<Vec<f64>> {
        let (n, batch) = (self.texts.pairs(), self.config.batch);
        let in_epoch = n.div_ceil(batch);
        let total = in_epoch * self.config.epochs;
        self.after_change()?;
        self.lesson.progress.begin("fine-tune", total as u64);
        self.lesson.progress.advance(self.adamw.steps);
        let mut order = (usize::MAX, Vec::new());
        while (self.adamw.steps as usize) < total {
            if self.lesson.progress.stopped() {
                self.write(total)?;
                return Err(CoreError::Interrupted.into());
            }
            let step = self.adamw.steps as usize;
            let epoch = step / in_epoch;
            if order.0 != epoch {
                order = (epoch, self.shuffled(epoch));
            }
            let start = step % in_epoch * batch;
            let pairs = &order.1[start..n.min(start + batch)];
            let (loss, gradient_length) = self.step(pairs, self.config.rate(step, total))?;
            let lr = self.config.rate(step, total);
            let step = Step { epoch: epoch + 1, step: self.adamw.steps, loss, lr, gradient_length };
            (self.lesson.on_step)(&step);
            let so_far = self.so_far(total);
            self.journal.tell(&step, &so_far)?;
            self.lesson.progress.advance(1);
            let done = self.adamw.steps as usize;
            if done.is_multiple_of(self.config.checkpoint_every) && done < total {
                self.write(total)?;
            }
        }
        let so_far = self.so_far(total);
        self.journal.settle(&so_far)?;
        self.lesson.progress.end();
        Ok(self.journal.losses(self.config.epochs))
    }

    /// Puts the run on disk.
    fn write(&mut self, total: usize) -> Result<()> {
        let so_far = self.so_far(total);
        self.journal.settle(&so_far)?;
        let values = self.adapters.as_ref().map_or(&self.bert.values, |a| &a.values);
        self.checkpoints.write(values, &self.adamw)
    }

    fn so_far(&self, total: usize) -> TrainingProgress {
        TrainingProgress {
            training_completed: false,
            steps: self.adamw.steps,
            total_steps: total as u64,
            train_examples: self.texts.pairs(),
            duration_seconds: self.seconds(),
        }
    }

    fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    /// The pairs in the order of `epoch`, which depends on nothing but the seed and the epoch.
    fn shuffled(&self, epoch: usize) -> Vec<usize> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        rng.set_stream(epoch as u64 + 1);
        let mut order: Vec<usize> = (0..self.texts.pairs()).collect();
        order.shuffle(&mut rng);
        order
    }

    /// The loss before a step on these pairs, and the length of its gradient.
    pub(super) fn step(&mut self, pairs: &[usize], lr: f64) -> Result<(f64, f64)> {
        let loss = self.slope(pairs)?;
        let (values, gradient) = match &mut self.adapters {
            Some(adapters) => {
                adapters.gradient(&self.gradient, &mut self.changes)?;
                (&mut adapters.values, &self.changes)
            }
            None => (&mut self.bert.values, &self.gradient),
        };
        let length = adamw::length(gradient);
        if !loss.is_finite() || !length.is_finite() {
            let what = format!("step {}: loss {loss}, gradient of length {length}", self.adamw.steps + 1);
            let cure = "expected finite numbers; try a smaller lr";
            return Err(CoreError::other(Kind::Numeric, format!("{what}; {cure}")).into());
        }
        // As in PyTorch, whose 1e-6 keeps a length of 0 from dividing.
        let scale = self.config.clip.map_or(1.0, |longest| (longest / (length + 1e-6)).min(1.0));
        self.adamw.step(lr, scale as f32, values, gradient, &self.decays);
        self.after_change()?;
        Ok((loss, length))
    }

    /// Puts what learnt into the matrices that products read.
    pub(super) fn after_change(&mut self) -> Result<()> {
        if let Some(adapters) = &self.adapters {
            adapters.merge(&mut self.bert)?;
        }
        self.bert.lay_out()
    }

    /// The loss of these pairs; its gradient with respect to every value of the model is in `gradient` after it.
    pub(super) fn slope(&mut self, pairs: &[usize]) -> Result<f64> {
        let dim = self.bert.config.hidden_size;
        let (texts, passage_ids) = self.texts.of(pairs);
        let dropout = self.dropout.as_ref().map(|dropout| dropout.at(self.adamw.steps));
        let pooled = self.bert.forward(&texts, dropout, &mut self.pass)?;
        let norms: Vec<f32> = pooled.chunks_exact(dim).map(|row| dot(row, row).sqrt().max(1e-12)).collect();
        let unit: Vec<f32> = pooled
            .chunks_exact(dim)
            .zip(&norms)
            .flat_map(|(row, n)| row.iter().map(move |v| v / n))
            .collect();
        let query_ids: Vec<usize> = pairs.iter().map(|&pair| self.texts.query_ids[pair]).collect();
        let (queries, passages) = unit.split_at(pairs.len() * dim);
        let batch = Batch {
            pairs,
            queries: Embeddings::new(queries.to_vec(), dim)?,
            passages: (!passages.is_empty()).then(|| Embeddings::new(passages.to_vec(), dim)).transpose()?,
            query_ids: &query_ids,
            passage_ids: &passage_ids,
        };
        let Slopes { loss, queries: mut slopes, passages } = (self.lesson.objective)(&batch)?;
        slopes.extend(passages);
        if slopes.len() != unit.len() {
            return Err(CoreError::Shape {
                what: "slopes of the objective".into(),
                expected: format!("{} values", unit.len()),
                found: format!("{}", slopes.len()),
            }
            .into());
        }
        // Back through the division by the length: what is along the vector changes nothing.
        for ((slope, unit), n) in slopes.chunks_exact_mut(dim).zip(unit.chunks_exact(dim)).zip(&norms) {
            let along = dot(slope, unit);
            slope.iter_mut().zip(unit).for_each(|(slope, unit)| *slope = (*slope - along * unit) / n);
        }
        self.bert.backward(&mut self.pass, &slopes, &mut self.gradient)?;
        Ok(loss)
    }
}

/// The weight decay of each range of what learns, in order.
fn decays(bert: &Bert, n: usize, decay: f64) -> Vec<(Range<usize>, f64)> {
    if n != bert.values.len() {
        return vec![(0..n, decay)]; // low-rank changes are matrices, all of them
    }
    let tensors = bert.plan.tensors.iter();
    tensors.map(|t| (t.range.clone(), if t.decays { decay } else { 0.0 })).collect()
}

/// Everything that the result of [`tune`] depends on: the same, the same encoder.
///
/// # Errors
/// A setting out of range, counts that do not match, a text that cannot be read.
pub fn identity(base: &TextEncoder, config: &TuningConfig, lesson: &Lesson<'_>) -> Result<Fingerprint> {
    config.check()?;
    key(base, config, &Texts::read(base, lesson)?, lesson.objective_name)
}

fn key(base: &TextEncoder, config: &TuningConfig, texts: &Texts, objective: &str) -> Result<Fingerprint> {
    let described = |e: serde_json::Error| Error::file(base.path(), e.to_string());
    let what_learns = TuningConfig { checkpoint_every: 1, ..config.clone() };
    let key = Fingerprint::builder(SCHEMA)
        .field("base", base.fingerprint().as_str().as_bytes())
        .field("config", &serde_json::to_vec(&what_learns).map_err(described)?)
        .field("objective", objective.as_bytes());
    Ok(texts.identify(key).finish())
}
