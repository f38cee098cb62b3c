//! The two engines of fine-tuning, and the only place that chooses between them.
use super::journal::Journal;
use super::lora::LowRank;
use super::tokenized::TokenizedTexts;
use super::{FineTuneConfig, Method, TrainingData, network, own};
use crate::architecture::{Description, Visitor, accept, bert};
use crate::batch::Keep;
use crate::engine::on_own_cpu;
use crate::{Device, Engine, Error, Result, TextEncoder};
use manyview_core::Fingerprint;
use std::any::Any;
use std::fs;
use std::path::{Path, PathBuf};

/// One fine-tuning.
pub(super) struct Job<'a> {
    pub(super) base: &'a TextEncoder,
    pub(super) config: &'a FineTuneConfig,
    pub(super) device: &'a Device,
    pub(super) data: &'a TrainingData<'a>,
    pub(super) texts: TokenizedTexts,
    /// The tokens whose mean is the vector of a text.
    pub(super) keep: Keep,
    /// Identity of everything the result depends on.
    pub(super) key: Fingerprint,
    pub(super) work: &'a Path,
}

/// The result of an engine.
pub(super) struct Trained {
    /// The trained parameters, with LoRA merged.
    pub(super) tensors: Vec<NamedTensor>,
    /// The LoRA updates; none if all parameters were trained.
    pub(super) low_rank: Vec<LowRank>,
    pub(super) steps: usize,
    /// Number of trained parameters.
    pub(super) parameters: usize,
    /// Mean loss of each epoch.
    pub(super) losses: Vec<f64>,
}

/// A tensor by its name in the model's file, without prefix.
pub(super) struct NamedTensor {
    pub(super) name: String,
    pub(super) values: Vec<f32>,
}

impl Job<'_> {
    /// Steps of an epoch.
    pub(super) fn steps(&self) -> usize {
        self.texts.examples().div_ceil(self.config.batch)
    }

    /// Progress and metrics on disk.
    pub(super) fn journal(&self, total: usize) -> Journal {
        Journal::new(self.work, &self.key, total, self.texts.examples())
    }

    /// The directory of the checkpoints of this run only.
    pub(super) fn checkpoints(&self) -> PathBuf {
        self.work.join("checkpoints").join(self.key.short())
    }

    /// Removes the checkpoints of this run.
    pub(super) fn clear_checkpoints(&self) -> Result<()> {
        let dir = self.checkpoints();
        match fs::remove_dir_all(&dir) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&dir)(e)),
            _ => drop(dir.parent().map(fs::remove_dir)), // where no other run has any
        }
        Ok(())
    }
}

/// Trains the model of `job.base`, or resumes an interrupted run.
pub(super) fn train(job: &Job<'_>) -> Result<Trained> {
    accept(job.base.source()?.1, Train { job })
}

struct Train<'a> {
    job: &'a Job<'a>,
}

impl Visitor for Train<'_> {
    type Output = Trained;

    fn visit<C: Description>(self, config: C) -> Result<Trained> {
        let Self { job } = self;
        let may = job.config.engine == Engine::Own && on_own_cpu(job.device);
        let takes = !matches!(&job.config.method, Method::Lora(lora) if lora.dropout > 0.0);
        match (&config as &dyn Any).downcast_ref::<bert::Config>() {
            Some(bert) if may && takes => own::train(job, bert),
            _ => network::train::<C::Burn>(job, &config),
        }
    }
}
