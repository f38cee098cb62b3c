use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How an encoder learns from pairs. The defaults are those of sentence-transformers' `fit`, but for `warmup` and
/// `dropout`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TuningConfig {
    /// What of it learns.
    pub method: Method,
    /// Passes over the pairs.
    pub epochs: usize,
    /// Pairs a step: each query's negatives are the passages of the others.
    pub batch: usize,
    /// Highest learning rate.
    pub lr: f64,
    /// Share of all steps in which the learning rate rises to its highest; then it falls evenly to 0.
    pub warmup: f64,
    /// Decoupled weight decay of matrices and embeddings; shifts and normalisations have none.
    pub weight_decay: f64,
    /// Longest gradient of a step; longer ones are scaled down to it.
    pub clip: Option<f64>,
    /// Share of hidden values and of attention weights left out in training; without it what the model's `config.json`
    /// says, usually 0.1.
    pub dropout: Option<f64>,
    /// Seed of the order of pairs, of what is left out, and of the start of low-rank changes.
    pub seed: u64,
    /// Steps between two checkpoints.
    pub checkpoint_every: usize,
}

/// What of an encoder learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Every value of it.
    Full,
    /// Low-rank changes to some of its matrices.
    Lora(Lora),
}

/// Low-rank changes: `W + alpha / rank B A` in place of `W`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lora {
    /// Rows of `A`, columns of `B`.
    pub rank: usize,
    /// `rank` times the weight of a change.
    pub alpha: f64,
    /// The matrices of each layer that change.
    pub targets: Vec<Target>,
}

/// A matrix of each layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Of the queries.
    Query,
    /// Of the keys.
    Key,
    /// Of the values.
    Value,
    /// After the heads.
    AttentionOutput,
    /// The first of the feed-forward block.
    Intermediate,
    /// The second of the feed-forward block.
    Output,
}

impl Target {
    /// Whether it is the tensor of this name.
    pub(super) fn is(self, name: &str) -> bool {
        let part = match self {
            Self::Query => ".attention.self.query.weight",
            Self::Key => ".attention.self.key.weight",
            Self::Value => ".attention.self.value.weight",
            Self::AttentionOutput => ".attention.output.dense.weight",
            Self::Intermediate => ".intermediate.dense.weight",
            Self::Output => return name.ends_with(".output.dense.weight") && !name.contains(".attention."),
        };
        name.ends_with(part)
    }
}

impl Default for TuningConfig {
    fn default() -> Self {
        Self {
            method: Method::Full,
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
        Self { rank: 8, alpha: 16.0, targets: vec![Target::Query, Target::Value] }
    }
}

impl TuningConfig {
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
            "at least 2: a pair's negatives are the others'",
            self.batch.to_string(),
        )?;
        if let Method::Lora(lora) = &self.method {
            at_least_1("rank", lora.rank)?;
            positive("alpha", lora.alpha)?;
            setting("targets", !lora.targets.is_empty(), "at least one matrix", "none".into())?;
        }
        Ok(())
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_from_nothing_and_falls_to_nothing_as_in_transformers() {
        let config = TuningConfig { lr: 2.0, warmup: 0.2, ..TuningConfig::default() };
        assert_eq!([0, 1, 2, 6, 9].map(|step| config.rate(step, 10)), [0.0, 1.0, 2.0, 1.0, 0.25]);
        let config = TuningConfig { warmup: 0.0, ..config };
        assert_eq!([0, 5].map(|step| config.rate(step, 10)), [2.0, 1.0]);
    }

    #[test]
    fn a_setting_out_of_range_is_refused_by_name() {
        let base = TuningConfig::default;
        let lora = |lora| TuningConfig { method: Method::Lora(lora), ..base() };
        let bad = [
            ("lr", TuningConfig { lr: f64::NAN, ..base() }),
            ("clip", TuningConfig { clip: Some(0.0), ..base() }),
            ("weight_decay", TuningConfig { weight_decay: -1.0, ..base() }),
            ("warmup", TuningConfig { warmup: 1.5, ..base() }),
            ("dropout", TuningConfig { dropout: Some(1.0), ..base() }),
            ("epochs", TuningConfig { epochs: 0, ..base() }),
            ("checkpoint_every", TuningConfig { checkpoint_every: 0, ..base() }),
            ("batch", TuningConfig { batch: 1, ..base() }),
            ("rank", lora(Lora { rank: 0, ..Lora::default() })),
            ("alpha", lora(Lora { alpha: -1.0, ..Lora::default() })),
            ("targets", lora(Lora { targets: vec![], ..Lora::default() })),
        ];
        for (name, config) in bad {
            assert!(config.check().unwrap_err().to_string().starts_with(name), "{name}");
        }
        base().check().unwrap();
    }

    #[test]
    fn each_matrix_has_one_name() {
        let all = [
            (Target::Query, "attention.self.query"),
            (Target::Key, "attention.self.key"),
            (Target::Value, "attention.self.value"),
            (Target::AttentionOutput, "attention.output.dense"),
            (Target::Intermediate, "intermediate.dense"),
            (Target::Output, "output.dense"),
        ];
        for (target, _) in all {
            for (other, name) in all {
                assert_eq!(
                    target.is(&format!("encoder.layer.3.{name}.weight")),
                    target == other,
                    "{target:?} {name}"
                );
            }
        }
    }
}
