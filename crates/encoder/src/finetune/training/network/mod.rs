//! Fine-tuning on burn: every architecture, on any device, by the trainer that trains everything else.

mod parameters;
#[cfg(test)]
mod parity;
mod step;

use super::engine::{Job, NamedTensor, Trained};
use super::lora::Start;
use super::{FineTuneConfig, Method};
use crate::Result;
use crate::checkpoint::Checkpoint;
use crate::model::{Loader, LoraStart, Network, Stored};
use burn::module::ParamId;
use burn::tensor::DType;
use manyview_core::Error as CoreError;
use manyview_train::{ProgressUnit, Schedule, TrainConfig, Trainer};
use parameters::{FreezeOthers, merged, values};
use std::cell::RefCell;
use std::collections::HashMap;
use step::Step;

/// Trains all of `job`, or the rest of it where an interrupted run left a checkpoint.
pub(super) fn train<B: Network>(job: &Job<'_>, config: &B::Config) -> Result<Trained> {
    let (checkpoint, _) = job.base.source()?;
    let (network, stored) = load::<B>(job, config, &checkpoint, None)?;
    let step = Step::<B>::new(job);
    let trainer = Trainer::new(job.config.train(), job.data.progress)
        .with_checkpoints(job.checkpoints(), job.key.clone())
        .with_stage("fine-tune", ProgressUnit::Steps);
    let trained = trainer.train(network, &step, None).map_err(CoreError::from)?;
    let steps = job.steps() * job.config.epochs;
    step.journal().sync(steps)?;
    let found = values(&trained.module, &stored)?;
    let parameters = found.values().map(Vec::len).sum();
    let (tensors, low_rank) = match &job.config.method {
        Method::Full => (found, Vec::new()),
        Method::Lora(lora) => merged(lora, found, &checkpoint)?,
    };
    Ok(Trained {
        tensors: tensors.into_iter().map(|(name, values)| NamedTensor { name, values }).collect(),
        low_rank,
        steps,
        parameters,
        losses: trained.history.epochs.iter().map(|epoch| epoch.train_loss).collect(),
    })
}

/// Values that low-rank changes start from, by their names in peft's files.
type StartValues<'a> = dyn Fn(&str) -> Vec<f32> + 'a;

/// The network to train, and how the files hold the parameters that are trained: with LoRA only the low-rank changes, which
/// begin at `start` where there is one.
fn load<B: Network>(
    job: &Job<'_>,
    config: &B::Config,
    checkpoint: &Checkpoint,
    start: Option<&StartValues<'_>>,
) -> Result<(B, HashMap<ParamId, Stored>)> {
    let device = job.device.clone().autodiff();
    let loader = Loader::new(checkpoint, &device, DType::F32);
    let Method::Lora(lora) = &job.config.method else {
        let loader = loader.for_training(job.config.dropout, None);
        return Ok((B::load(config, &loader)?, loader.into_stored()));
    };
    let (layers, random) = (RefCell::new(Vec::new()), RefCell::new(Start::new(job.config.seed)));
    let begin = |layer: &str, [dim_in, dim_out]: [usize; 2]| {
        layers.borrow_mut().push(layer.to_string());
        let (rank, scale, dropout) = (lora.rank, lora.scale(), lora.dropout);
        lora.changes(layer).then(|| match start {
            None => LoraStart {
                a: random.borrow_mut().next(rank, dim_in),
                b: vec![0.0; dim_out * rank],
                rank,
                scale,
                dropout,
            },
            Some(start) => {
                let of = |kind: &str| start(&format!("{layer}.lora_{kind}.weight"));
                LoraStart { a: of("A"), b: of("B"), rank, scale, dropout }
            }
        })
    };
    let loader = loader.for_training(job.config.dropout, Some(&begin));
    let network = B::load(config, &loader)?;
    let mut stored = loader.into_stored();
    lora.check_targets(layers.borrow().iter().map(String::as_str))?;
    stored.retain(|_, stored| stored.name.contains(".lora_"));
    Ok((network.map(&mut FreezeOthers { trained: &stored }), stored))
}

impl FineTuneConfig {
    fn train(&self) -> TrainConfig {
        TrainConfig {
            epochs: self.epochs,
            batch: self.batch,
            lr: self.lr,
            weight_decay: self.weight_decay,
            schedule: Schedule::Linear,
            warmup: self.warmup,
            clip: self.clip,
            patience: 0,
            seed: self.seed,
            checkpoint_every: Some(self.checkpoint_every),
        }
    }

    /// Whether training leaves values out.
    fn drops(&self) -> bool {
        let in_lora = matches!(&self.method, Method::Lora(lora) if lora.dropout > 0.0);
        in_lora || self.dropout != Some(0.0)
    }
}
