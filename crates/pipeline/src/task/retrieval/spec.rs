use crate::config::{Data, Encoder, Evaluate, Experiment, Learning};
use crate::{Error, Result};
use manyview_adapter::{ContrastiveConfig, ContrastiveLoss};
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
pub(super) enum RetrievalFit {
    Adapter { config: ContrastiveConfig, device: String, hard_negatives: usize, hard_margin: f64 },
    Encoder { config: FineTuneConfig, how: &'static str, scale: f64 },
}

impl Spec {
    pub(super) fn of(experiment: &Experiment) -> Result<Self> {
        let Experiment { data, encoder, teacher, train, evaluate, .. } = experiment;
        let pairs = experiment.pairs.as_ref();
        let pairs = pairs.ok_or_else(|| Error::setting("pairs", "expected this table, found none"))?;
        if data.source.is_empty() || data.vectors.is_some() {
            let problem = "expected a file of texts in data.source and an encoder for them, found vectors";
            return Err(Error::setting("data.vectors", problem));
        }
        let instruction = pairs.instruction.trim();
        let prompt = match instruction {
            "" => None,
            task => Some(Instruction::new(task).with_template(&teacher.template)?),
        };
        let fit = match train.encoder {
            Learning::Frozen => RetrievalFit::Adapter {
                config: pairs.contrastive(train),
                device: encoder.device.clone(),
                hard_negatives: pairs.hard_negatives,
                hard_margin: pairs.hard_margin,
            },
            how => {
                let config = train.fine_tuning(encoder.engine);
                config.check()?;
                let refuse = |key: &str, expected: &str, found: String| {
                    let problem =
                        format!("expected {expected} where train.encoder is not `frozen`, found {found}");
                    Err(Error::setting(key, problem))
                };
                if pairs.objective != ContrastiveLoss::MultipleNegativesRanking {
                    let found = format!("`{}`", pairs.objective.as_str());
                    return refuse("pairs.objective", "`multiple_negatives_ranking`", found);
                }
                if pairs.hard_negatives > 0 {
                    return refuse("pairs.hard_negatives", "0", pairs.hard_negatives.to_string());
                }
                if prompt.is_some() {
                    return refuse("pairs.instruction", "none", "one".into());
                }
                RetrievalFit::Encoder { config, how: how.as_str(), scale: pairs.scale }
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
            batch: train.batch,
        })
    }

    /// Whether the encoder itself learns.
    pub(super) fn fine_tunes(&self) -> bool {
        matches!(self.fit, RetrievalFit::Encoder { .. })
    }
}
