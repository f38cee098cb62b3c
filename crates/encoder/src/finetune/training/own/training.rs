use super::adamw::{self, AdamW};
use super::bert::{Bert, Pass};
use super::checkpoint::Checkpoints;
use super::dropout::Dropout;
use super::lora::Adapters;
use super::parameters::ParameterLayout;
use super::sums::dot;
use crate::architecture::bert::Config;
use crate::finetune::training::engine::{Job, NamedTensor, Trained};
use crate::finetune::training::journal::Journal;
use crate::finetune::{EmbeddedBatch, Method, StepMetrics};
use crate::{Device, Result};
use burn::tensor::{Tensor, TensorData};
use manyview_core::{Error as CoreError, Kind};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// Trains all of `job`, or the rest of it where an interrupted run left a checkpoint.
pub(in crate::finetune) fn train(job: &Job<'_>, config: &Config) -> Result<Trained> {
    let mut training = Training::new(job, config)?;
    // On the threads that do the work: a step then hands over nothing and waits for nobody to wake.
    let losses = rayon::in_place_scope(|_| training.run())?;
    let Training { bert, adapters, adamw, .. } = training;
    let changed = adapters.as_ref().map(Adapters::changed);
    let is_trained = |range: &Range<usize>| changed.as_ref().is_none_or(|changed| changed.contains(range));
    let trained = bert.layout.tensors.iter().filter(|tensor| is_trained(&tensor.range));
    let tensors = trained.map(|tensor| NamedTensor {
        name: tensor.name.clone(),
        values: bert.values[tensor.range.clone()].to_vec(),
    });
    Ok(Trained {
        tensors: tensors.collect(),
        low_rank: adapters.map(|adapters| adapters.low_rank()).unwrap_or_default(),
        steps: adamw.steps as usize,
        parameters: adamw.first.len(),
        losses,
    })
}

pub(super) struct Training<'a> {
    job: &'a Job<'a>,
    pub(super) bert: Bert,
    pub(super) adapters: Option<Adapters>,
    adamw: AdamW,
    decays: Vec<(Range<usize>, f64)>,
    dropout: Option<Dropout>,
    /// Of every value of the model.
    pub(super) gradient: Vec<f32>,
    /// Of the low-rank changes.
    pub(super) low_rank_gradient: Vec<f32>,
    pass: Pass,
    checkpoints: Checkpoints,
    journal: Journal,
    /// Of the loss, on the vectors of a batch.
    device: Device,
    /// Sum of the loss over the examples of each epoch so far.
    losses: Vec<f64>,
}

impl<'a> Training<'a> {
    pub(super) fn new(job: &'a Job<'a>, description: &Config) -> Result<Self> {
        let config = job.config;
        let mut bert = Bert::load(description, &job.base.source()?.0, job.keep)?;
        let mut adapters = match &config.method {
            Method::Full => None,
            Method::Lora(lora) => Some(Adapters::new(lora, &bert.layout, &bert.values, config.seed)?),
        };
        if let Some(adapters) = &adapters {
            bert.train_only(&adapters.changed());
        }
        let n = adapters.as_ref().map_or(bert.values.len(), |a| a.values.len());
        let checkpoints = Checkpoints::new(&job.checkpoints(), job.key.clone(), &config.method);
        let (adamw, losses) = match checkpoints.latest(n)? {
            Some((values, adamw, losses)) => {
                match &mut adapters {
                    Some(adapters) => adapters.values = values,
                    None => bert.values = values,
                }
                (adamw, losses)
            }
            None => (AdamW::new(n), vec![0.0; config.epochs]),
        };
        let [hidden, attention] = match config.dropout {
            Some(share) => [share; 2],
            None => [description.hidden_dropout_prob, description.attention_probs_dropout_prob],
        };
        Ok(Self {
            job,
            dropout: (hidden + attention > 0.0).then(|| Dropout::new(config.seed, hidden, attention)),
            decays: decays(&config.method, &bert.layout, n, config.weight_decay),
            gradient: vec![0.0; bert.values.len()],
            low_rank_gradient: vec![0.0; adapters.as_ref().map_or(0, |a| a.values.len())],
            bert,
            adapters,
            adamw,
            pass: Pass::default(),
            checkpoints,
            journal: job.journal(job.steps() * config.epochs),
            device: job.device.clone().autodiff(),
            losses,
        })
    }

    /// Mean loss of each epoch.
    fn run(&mut self) -> Result<Vec<f64>> {
        let (config, data, n) = (self.job.config, self.job.data, self.job.texts.examples());
        let in_epoch = self.job.steps();
        let total = in_epoch * config.epochs;
        self.after_change()?;
        data.progress.begin("fine-tune", total as u64);
        data.progress.advance(self.adamw.steps);
        let mut order = (usize::MAX, Vec::new());
        while (self.adamw.steps as usize) < total {
            if data.progress.stopped() {
                self.write()?;
                return Err(CoreError::Interrupted.into());
            }
            let step = self.adamw.steps as usize;
            let epoch = step / in_epoch;
            if order.0 != epoch {
                order = (epoch, self.shuffled(epoch));
            }
            let start = step % in_epoch * config.batch;
            let examples = &order.1[start..n.min(start + config.batch)];
            let lr = config.rate(step, total);
            let (loss, norm) = self.step(examples, lr)?;
            self.losses[epoch] += loss * examples.len() as f64;
            let metrics =
                StepMetrics { epoch: epoch + 1, step: step + 1, loss, lr, gradient_norm: Some(norm) };
            (data.on_step)(&metrics);
            self.journal.tell(&metrics)?;
            data.progress.advance(1);
            if (step + 1).is_multiple_of(config.checkpoint_every) && step + 1 < total {
                self.write()?;
            }
        }
        self.journal.sync(total)?;
        data.progress.end();
        Ok(self.losses.iter().map(|sum| sum / n as f64).collect())
    }

    /// Puts the run on disk.
    fn write(&mut self) -> Result<()> {
        self.journal.sync(self.adamw.steps as usize)?;
        let values = self.adapters.as_ref().map_or(&self.bert.values, |a| &a.values);
        self.checkpoints.write(values, &self.adamw, &self.losses)
    }

    /// The examples in the order of `epoch`, which depends on nothing but the seed and the epoch.
    fn shuffled(&self, epoch: usize) -> Vec<usize> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.job.config.seed);
        rng.set_stream(epoch as u64 + 1);
        let mut order: Vec<usize> = (0..self.job.texts.examples()).collect();
        order.shuffle(&mut rng);
        order
    }

    /// The loss before a step on these examples, and the norm of its gradient.
    pub(super) fn step(&mut self, examples: &[usize], lr: f64) -> Result<(f64, f64)> {
        let loss = self.compute_gradient(examples)?;
        let (values, gradient) = match &mut self.adapters {
            Some(adapters) => {
                adapters.gradient(&self.gradient, &mut self.low_rank_gradient)?;
                (&mut adapters.values, &self.low_rank_gradient)
            }
            None => (&mut self.bert.values, &self.gradient),
        };
        let norm = adamw::norm(gradient);
        if !loss.is_finite() || !norm.is_finite() {
            let what = format!("step {}: loss {loss}, norm of the gradient {norm}", self.adamw.steps + 1);
            let cure = "expected finite numbers; try a smaller lr";
            return Err(CoreError::other(Kind::Numeric, format!("{what}; {cure}")).into());
        }
        // As in PyTorch, whose 1e-6 keeps a norm of 0 from dividing.
        let scale = self.job.config.clip.map_or(1.0, |highest| (highest / (norm + 1e-6)).min(1.0));
        self.adamw.step(lr, scale as f32, values, gradient, &self.decays);
        self.after_change()?;
        Ok((loss, norm))
    }

    /// Puts what was trained into the matrices that products read.
    pub(super) fn after_change(&mut self) -> Result<()> {
        if let Some(adapters) = &self.adapters {
            adapters.merge(&mut self.bert)?;
        }
        self.bert.pack()
    }

    /// The loss of these examples; its gradient with respect to every value of the model is in `gradient` after it.
    pub(super) fn compute_gradient(&mut self, examples: &[usize]) -> Result<f64> {
        let dim = self.bert.config.hidden_size;
        let (texts, passage_ids) = self.job.texts.of(examples);
        let dropout = self.dropout.as_ref().map(|dropout| dropout.at(self.adamw.steps));
        let pooled = self.bert.forward(&texts, dropout, &mut self.pass)?;
        let norms: Vec<f32> = pooled.chunks_exact(dim).map(|row| dot(row, row).sqrt().max(1e-12)).collect();
        let rows = pooled.chunks_exact(dim).zip(&norms);
        let unit: Vec<f32> = rows.flat_map(|(row, n)| row.iter().map(move |v| v / n)).collect();
        let (loss, mut gradient) = self.loss(examples, &unit, &passage_ids)?;
        // Back through the division by the length: what is along the vector changes nothing.
        for ((gradient, unit), n) in gradient.chunks_exact_mut(dim).zip(unit.chunks_exact(dim)).zip(&norms) {
            let along = dot(gradient, unit);
            gradient.iter_mut().zip(unit).for_each(|(g, unit)| *g = (*g - along * unit) / n);
        }
        self.bert.backward(&mut self.pass, &gradient, &mut self.gradient)?;
        Ok(loss)
    }

    /// The objective's loss of unit vectors, and its gradient with respect to them.
    fn loss(&self, examples: &[usize], unit: &[f32], passage_ids: &[usize]) -> Result<(f64, Vec<f32>)> {
        let (n, dim) = (examples.len(), self.bert.config.hidden_size);
        let texts = unit.len() / dim;
        let vectors = Tensor::<2>::from_data(TensorData::new(unit.to_vec(), [texts, dim]), &self.device);
        let vectors = vectors.require_grad();
        let query_ids: Vec<usize> = examples.iter().map(|&i| self.job.texts.query_ids[i]).collect();
        let batch = EmbeddedBatch {
            examples,
            queries: vectors.clone().narrow(0, 0, n),
            passages: (texts > n).then(|| vectors.clone().narrow(0, n, texts - n)),
            query_ids: &query_ids,
            passage_ids,
        };
        let loss = self.job.data.objective.loss(&batch)?;
        let value = f64::from(loss.clone().into_scalar::<f32>());
        let gradient = vectors.grad(&loss.backward()).map(Tensor::into_data);
        let gradient = gradient.map(|data| data.iter::<f32>().collect()).unwrap_or_default();
        Ok((value, gradient))
    }
}

/// The weight decay of each range of what is trained, in order: `n` values.
fn decays(method: &Method, layout: &ParameterLayout, n: usize, decay: f64) -> Vec<(Range<usize>, f64)> {
    match method {
        Method::Lora(_) => vec![(0..n, decay)], // matrices, all of them
        Method::Full => {
            let tensors = layout.tensors.iter();
            tensors.map(|t| (t.range.clone(), if t.decays { decay } else { 0.0 })).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finetune::Lora;

    #[test]
    fn every_value_of_lora_decays_though_there_be_as_many_as_the_model_has() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/models/bert-tiny/config.json");
        let config = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let layout = ParameterLayout::new(&config);
        let n = layout.len();
        let decayed = |method: &Method| {
            let ranges = decays(method, &layout, n, 0.5);
            ranges.into_iter().filter(|(_, decay)| *decay > 0.0).map(|(range, _)| range.len()).sum::<usize>()
        };
        assert_eq!(decayed(&Method::Lora(Lora::default())), n);
        assert!(decayed(&Method::Full) < n);
    }
}
