//! Conversion of `[train]` to the settings of the trainers.

use super::train::{Lora, Optimizer, Tuning};
use manyview_adapter::TrainConfig;
use manyview_encoder::Engine;
use manyview_encoder::finetune::{self, FineTuneConfig};

impl Optimizer {
    /// The device it runs on, where the encoder runs on `encoder`.
    pub(crate) fn device(&self, encoder: &str) -> String {
        self.device.clone().unwrap_or_else(|| encoder.into())
    }

    /// The settings of the trainer.
    pub(crate) fn steps(&self, checkpoint_every: Option<usize>) -> TrainConfig {
        TrainConfig {
            lr: self.lr,
            weight_decay: self.weight_decay,
            epochs: self.epochs,
            batch: self.batch,
            schedule: self.schedule,
            warmup: self.warmup,
            patience: self.patience,
            clip: self.clip,
            seed: self.seed,
            checkpoint_every,
        }
    }
}

impl Tuning {
    /// The settings of the encoder's fine-tuning, on `engine`.
    pub(crate) fn config(&self, engine: Engine) -> FineTuneConfig {
        let train = &self.training;
        let lora = |lora: &Lora| finetune::Lora {
            rank: lora.rank,
            alpha: lora.alpha.unwrap_or(2.0 * lora.rank as f64),
            targets: lora.targets.clone(),
            dropout: lora.lora_dropout,
        };
        FineTuneConfig {
            method: self.lora.as_ref().map_or(finetune::Method::Full, |of| finetune::Method::Lora(lora(of))),
            engine,
            epochs: train.epochs,
            batch: train.batch,
            lr: train.lr,
            warmup: train.warmup,
            weight_decay: train.weight_decay,
            clip: Some(train.clip),
            dropout: Some(train.dropout),
            seed: train.seed,
            checkpoint_every: train.checkpoint_every,
        }
    }
}
