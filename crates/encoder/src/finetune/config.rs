use crate::{Engine, Error, Result};
use serde::{Deserialize, Serialize};

/// Settings of fine-tuning. The defaults are those of sentence-transformers' `fit`, except `warmup` and `dropout`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FineTuneConfig {
    /// Which parameters are trained.
    pub method: Method,
    /// The engine. [`Engine::Own`] has a backward pass for BERT on the pure-Rust CPU only; everything else runs on
    /// burn.
    pub engine: Engine,
    /// Number of epochs.
    pub epochs: usize,
    /// Batch size: pairs or texts per step. The passages of the other queries of a batch are negatives.
    pub batch: usize,
    /// Peak learning rate.
    pub lr: f64,
    /// Fraction of all steps in which the learning rate rises to its peak; then it decays linearly to 0.
    pub warmup: f64,
    /// Decoupled weight decay of matrices and embeddings; biases and normalisations have none.
    pub weight_decay: f64,
    /// Maximum norm of the gradient; larger gradients are scaled down to it.
    pub clip: Option<f64>,
    /// Dropout rate of hidden states and attention weights; `None` takes that of the model's `config.json`, usually
    /// 0.1.
    pub dropout: Option<f64>,
    /// Seed of the order of the data, of dropout, and of the initialisation of LoRA.
    pub seed: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: usize,
}

/// Which parameters of an encoder are trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// All parameters.
    Full,
    /// Low-rank updates of some matrices.
    Lora(Lora),
}

/// Low-rank adaptation (Hu et al., 2022): `W + alpha / rank B A` in place of some matrices `W`, which are frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lora {
    /// Rows of `A`, columns of `B`.
    pub rank: usize,
    /// `rank` times the weight of `B A`.
    pub alpha: f64,
    /// The linear layers to adapt, by the names that peft uses: a name, its end after a dot (`q_proj`,
    /// `attention.output.dense`), or `all-linear`. Default: queries and values.
    pub targets: Vec<String>,
    /// Dropout rate of the inputs of `A`.
    pub dropout: f64,
}

impl Default for FineTuneConfig {
    fn default() -> Self {
        Self {
            method: Method::Full,
            engine: Engine::default(),
            epochs: 1,
            batch: 16,
            lr: 2e-5,
            warmup: 0.1,
            weight_decay: 0.01,
            clip: Some(1.0),
            dropout: Some(0.0),
            seed: 0,
            checkpoint_every: 500,
        }
    }
}

impl Default for Lora {
    fn default() -> Self {
        Self { rank: 8, alpha: 16.0, targets: Vec::new(), dropout: 0.0 }
    }
}

impl Method {
    /// The name in a configuration, and in checkpoints.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lora(_) => "lora",
        }
    }
}

impl FineTuneConfig {
    /// That no value is out of range.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of one that is.
    pub fn check(&self) -> Result<()> {
        let setting = |setting, fits: bool, expected: &str, found: String| match fits {
            true => Ok(()),
            false => Err(Error::Setting { setting, problem: format!("expected {expected}, found {found}") }),
        };
        let positive =
            |name, v: f64| setting(name, v.is_finite() && v > 0.0, "a positive finite number", v.to_string());
        positive("lr", self.lr)?;
        self.clip.map_or(Ok(()), |clip| positive("clip", clip))?;
        let decay = self.weight_decay;
        setting(
            "weight_decay",
            decay.is_finite() && decay >= 0.0,
            "a finite number of at least 0",
            decay.to_string(),
        )?;
        setting(
            "warmup",
            (0.0..=1.0).contains(&self.warmup),
            "a share from 0 to 1",
            self.warmup.to_string(),
        )?;
        let dropout = self.dropout.unwrap_or(0.0);
        setting("dropout", (0.0..1.0).contains(&dropout), "a share from 0 to below 1", dropout.to_string())?;
        let at_least_1 = |name, n: usize| setting(name, n > 0, "at least 1", n.to_string());
        at_least_1("epochs", self.epochs)?;
        at_least_1("checkpoint_every", self.checkpoint_every)?;
        setting(
            "batch",
            self.batch > 1,
            "at least 2: the negatives of a pair are the passages of the others",
            self.batch.to_string(),
        )?;
        if let Method::Lora(lora) = &self.method {
            at_least_1("rank", lora.rank)?;
            positive("alpha", lora.alpha)?;
            setting(
                "lora dropout",
                (0.0..1.0).contains(&lora.dropout),
                "a share from 0 to below 1",
                lora.dropout.to_string(),
            )?;
        }
        Ok(())
    }

    #[cfg(feature = "train")]
    /// The learning rate of `step`, from 0, of `total`.
    pub(super) fn rate(&self, step: usize, total: usize) -> f64 {
        let warm = (self.warmup * total as f64).ceil() as usize;
        let share = match step < warm {
            true => step as f64 / warm as f64,
            false => (total - step) as f64 / (total - warm).max(1) as f64,
        };
        self.lr * share
    }
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_from_nothing_and_falls_to_nothing_as_in_transformers() {
        let config = FineTuneConfig { lr: 2.0, warmup: 0.2, ..FineTuneConfig::default() };
        assert_eq!([0, 1, 2, 6, 9].map(|step| config.rate(step, 10)), [0.0, 1.0, 2.0, 1.0, 0.25]);
        let config = FineTuneConfig { warmup: 0.0, ..config };
        assert_eq!([0, 5].map(|step| config.rate(step, 10)), [2.0, 1.0]);
    }

    #[test]
    fn a_setting_out_of_range_is_refused_by_name() {
        let base = FineTuneConfig::default;
        let lora = |lora| FineTuneConfig { method: Method::Lora(lora), ..base() };
        let bad = [
            ("lr", FineTuneConfig { lr: f64::NAN, ..base() }),
            ("clip", FineTuneConfig { clip: Some(0.0), ..base() }),
            ("weight_decay", FineTuneConfig { weight_decay: -1.0, ..base() }),
            ("warmup", FineTuneConfig { warmup: 1.5, ..base() }),
            ("dropout", FineTuneConfig { dropout: Some(1.0), ..base() }),
            ("epochs", FineTuneConfig { epochs: 0, ..base() }),
            ("checkpoint_every", FineTuneConfig { checkpoint_every: 0, ..base() }),
            ("batch", FineTuneConfig { batch: 1, ..base() }),
            ("rank", lora(Lora { rank: 0, ..Lora::default() })),
            ("alpha", lora(Lora { alpha: -1.0, ..Lora::default() })),
            ("lora dropout", lora(Lora { dropout: 1.0, ..Lora::default() })),
        ];
        for (name, config) in bad {
            assert!(config.check().unwrap_err().to_string().starts_with(name), "{name}");
        }
        base().check().unwrap();
    }
}
