use crate::batch::{Batch as Tokens, Keep};
use crate::finetune::training::engine::Job;
use crate::finetune::training::journal::Journal;
use crate::finetune::{EmbeddedBatch, StepMetrics};
use crate::model::{Network, indices, means};
use crate::{Device, Result};
use burn::tensor::Tensor;
use manyview_train::{Batch, BatchLoss, TrainConfig, TrainStep};
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shorter vectors count as this long, as in PyTorch's `normalize`.
const SHORTEST: f64 = 1e-12;

/// Held while a seeded device draws random numbers: its generator belongs to the whole process.
static RANDOM: Mutex<()> = Mutex::new(());

/// What a network is trained on.
pub(super) struct Step<'a, B> {
    job: &'a Job<'a>,
    keep: Keep,
    device: Device,
    journal: Mutex<Journal>,
    network: PhantomData<fn() -> B>,
}

impl<'a, B: Network> Step<'a, B> {
    pub(super) fn new(job: &'a Job<'a>) -> Self {
        Self {
            job,
            keep: job.keep,
            device: job.device.clone(),
            journal: Mutex::new(job.journal(job.steps() * job.config.epochs)),
            network: PhantomData,
        }
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unit vectors of texts, `[texts, hidden]`. They go through the network packed, the shortest first, so that attention
    /// has few groups of equal length.
    fn embed(&self, network: &B, texts: &[&[u32]], seed: u64) -> Result<Tensor<2>> {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&i| texts[i].len());
        let ids: Vec<u32> = order.iter().flat_map(|&i| texts[i]).copied().collect();
        let lengths: Vec<usize> = order.iter().map(|&i| texts[i].len()).collect();
        let tokens = Tokens { ids: &ids, lengths: &lengths, prefix: None, keep: self.keep };
        let states = {
            let _random = self.job.config.drops().then(|| {
                let guard = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
                self.device.seed(seed);
                guard
            });
            network.forward(&tokens, None)?
        };
        let pooled = match self.keep {
            Keep::All => means(states, &lengths),
            Keep::First | Keep::Last => states,
        };
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(at, &text)| place[text] = at);
        let place = indices(place, &pooled.device());
        let pooled = pooled.select(0, place); // [texts, hidden]
        let norms = pooled.clone().square().sum_dim(1).sqrt().clamp_min(SHORTEST);
        Ok(pooled / norms)
    }
}

impl<B: Network> TrainStep for Step<'_, B> {
    type Module = B;

    fn examples(&self) -> usize {
        self.job.texts.examples()
    }

    fn loss(&self, network: &B, batch: &Batch<'_>) -> manyview_core::Result<BatchLoss> {
        let (texts, passage_ids) = self.job.texts.of(batch.examples);
        let vectors = self.embed(network, &texts, batch.seed)?;
        let n = batch.examples.len();
        let query_ids: Vec<usize> = batch.examples.iter().map(|&i| self.job.texts.query_ids[i]).collect();
        let batch = EmbeddedBatch {
            examples: batch.examples,
            queries: vectors.clone().narrow(0, 0, n),
            passages: (texts.len() > n).then(|| vectors.narrow(0, n, texts.len() - n)),
            query_ids: &query_ids,
            passage_ids: &passage_ids,
        };
        self.job.data.objective.loss(&batch).map(BatchLoss::from)
    }

    fn rate(&self, _: &TrainConfig, step: usize, total: usize) -> f64 {
        self.job.config.rate(step, total)
    }

    /// All but biases and the scales of normalisations.
    fn decays(&self, path: &str) -> bool {
        !["bias", "gamma", "beta"].iter().any(|end| path.ends_with(end))
    }

    fn observe(&self, step: &StepMetrics) -> manyview_core::Result<()> {
        (self.job.data.on_step)(step);
        let mut journal = self.journal();
        journal.tell(step)?;
        Ok(journal.sync(step.step)?)
    }
}
