use crate::config::{
    Data, Encoder, Evaluate, Experiment, Retrieval, RetrievalGradient, RetrievalTrain, Train,
};
use crate::{Error, Result};
use manyview_adapter::{ContrastiveConfig, ContrastiveLoss, Negatives};
use manyview_core::Instruction;
use manyview_data::PairColumns;
use manyview_encoder::finetune::FineTuneConfig;

/// What an experiment with pairs asks for.
#[derive(Clone, Debug)]
pub struct Spec {
    pub(super) source: RetrievalSource,
    pub(super) encoder: Encoder,
    /// What queries are prompted with, as it was given and with its template.
    pub(super) instruction: String,
    pub(super) template: String,
    pub(super) prompt: Option<Instruction>,
    pub(super) fit: RetrievalFit,
    pub(super) evaluate: Evaluate,
    /// Queries whose passages are told apart in a batch.
    pub(super) batch: usize,
}

/// Where the pairs come from.
#[derive(Clone, Debug, PartialEq)]
pub struct RetrievalSource {
    pub(super) data: Data,
    pub(super) columns: PairColumns,
}

/// What learns, and how.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "train"), allow(dead_code))] // some of it is for training alone
pub(super) enum RetrievalFit {
    Adapter { config: ContrastiveConfig, device: String, hard_negatives: usize, hard_margin: f64 },
    Encoder { config: FineTuneConfig, how: &'static str, scale: f64 },
}

impl Spec {
    pub(super) fn of(experiment: &Experiment) -> Result<Self> {
        let Experiment { data, encoder, teacher, train, evaluate, .. } = experiment;
        let pairs = experiment.retrieval.as_ref();
        let pairs = pairs.ok_or_else(|| Error::setting("retrieval", "expected this table, found none"))?;
        if data.source.is_empty() || data.vectors.is_some() {
            let problem = "expected a file of texts in data.source and an encoder for them, found vectors";
            return Err(Error::setting("data.vectors", problem));
        }
        let instruction = pairs.instruction.trim();
        let prompt = match instruction {
            "" => None,
            task => Some(Instruction::new(task).with_template(&teacher.template)?),
        };
        let (fit, batch) = match train {
            Train::Retrieval(RetrievalTrain::Gradient(train)) => {
                let fit = RetrievalFit::Adapter {
                    config: contrastive(train, pairs.objective()),
                    device: train.optimizer.device(&encoder.device),
                    hard_negatives: pairs.hard_negatives,
                    hard_margin: pairs.hard_margin,
                };
                (fit, train.optimizer.batch)
            }
            Train::Retrieval(RetrievalTrain::Lora(train)) => {
                fine_tuning("lora", train.config(encoder.engine), pairs)?
            }
            Train::Retrieval(RetrievalTrain::Full(train)) => {
                fine_tuning("full", train.config(encoder.engine), pairs)?
            }
            _ => {
                let problem = "expected the settings of retrieval, found those of another task";
                return Err(Error::setting("train", problem));
            }
        };
        Ok(Self {
            source: RetrievalSource { data: data.clone(), columns: pairs.columns(data) },
            encoder: encoder.clone(),
            instruction: pairs.instruction.clone(),
            template: teacher.template.clone(),
            prompt,
            fit,
            evaluate: evaluate.clone(),
            batch,
        })
    }

    /// Whether the encoder itself learns.
    pub(super) fn fine_tunes(&self) -> bool {
        matches!(self.fit, RetrievalFit::Encoder { .. })
    }
}

/// As the trainer of maps takes it, with what it is trained towards.
fn contrastive(train: &RetrievalGradient, towards: ContrastiveConfig) -> ContrastiveConfig {
    let (adamw, map) = (&train.optimizer, &train.map);
    ContrastiveConfig {
        shape: map.shape,
        width: map.width,
        bias: map.bias,
        train: adamw.steps(map.checkpoint_every),
        ..towards
    }
}

/// How the encoder itself learns, and the queries of a batch: by fewer things than an adapter.
fn fine_tuning(
    how: &'static str,
    config: FineTuneConfig,
    pairs: &Retrieval,
) -> Result<(RetrievalFit, usize)> {
    config.check()?;
    let refuse = |key: &str, expected: &str, found: String| {
        let problem = format!("expected {expected} with train.method = `{how}`, found {found}");
        Err(Error::setting(&format!("retrieval.{key}"), problem))
    };
    if pairs.objective != ContrastiveLoss::MultipleNegativesRanking {
        let found = format!("`{}`", pairs.objective.as_str());
        return refuse("objective", "`multiple_negatives_ranking`", found);
    }
    if pairs.negatives != Negatives::Batch {
        return refuse("negatives", "`batch`", "`corpus`".into());
    }
    if pairs.hard_negatives > 0 {
        return refuse("hard_negatives", "0", pairs.hard_negatives.to_string());
    }
    if !pairs.instruction.trim().is_empty() {
        return refuse("instruction", "none", "one".into());
    }
    if pairs.identity_penalty != 0.0 {
        return refuse("identity_penalty", "0", pairs.identity_penalty.to_string());
    }
    if let Some(margin) = pairs.mask_margin {
        return refuse("mask_margin", "none", margin.to_string());
    }
    let batch = config.batch;
    Ok((RetrievalFit::Encoder { config, how, scale: pairs.scale }, batch))
}
