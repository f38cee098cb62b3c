use crate::config::{Data, Encoder, Evaluate, Experiment, HeadKind, Learning};
use crate::{Error, Result};
use manyview_adapter::{HeadConfig, RidgeHead};
use manyview_encoder::finetune::FineTuneConfig;
use std::path::PathBuf;

/// What an experiment with scores asks for.
#[derive(Clone, Debug)]
pub struct Spec {
    pub(super) source: ScoresSource,
    pub(super) encoder: Encoder,
    pub(super) fit: HeadFit,
    /// How the encoder below the head is trained, where it is.
    pub(super) fine_tuning: Option<FineTuneConfig>,
    /// What cards and metrics call the head: `ridge`, `linear` or `mlp`.
    pub(super) head: &'static str,
    /// Puts each dimension through a rising curve.
    pub(super) calibrate: bool,
    /// The oracle's second scores of some texts.
    pub(super) relabelled: Option<PathBuf>,
    pub(super) thresholds: Thresholds,
    pub(super) evaluate: Evaluate,
    /// Test texts drawn in the report.
    pub(super) shown: usize,
    /// All of it, as `training_metadata.json` says it.
    pub(super) experiment: Experiment,
}

/// Where the scored texts come from.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoresSource {
    pub(super) data: Data,
    pub(super) filter: PathBuf,
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
}

/// How the head is fitted.
#[derive(Clone, Debug)]
pub(super) enum HeadFit {
    Ridge(RidgeHead),
    Gradient { config: HeadConfig, device: String },
}

/// What a head has to reach, in shares of the mean's error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Thresholds {
    pub(super) deploy_gain: f64,
    pub(super) review_gain: f64,
    pub(super) dimension_gain: f64,
    pub(super) overfitting: f64,
}

impl Spec {
    pub(super) fn of(experiment: &Experiment) -> Result<Self> {
        let Experiment { data, encoder, train, evaluate, output, .. } = experiment;
        let scores = experiment.scores.as_ref();
        let scores = scores.ok_or_else(|| Error::setting("scores", "expected this table, found none"))?;
        let fine_tuning = (train.encoder != Learning::Frozen).then(|| train.fine_tuning(encoder.engine));
        let refuse = |key: &str, expected: &str, found: String| {
            let problem = format!("expected {expected} where train.encoder is not `frozen`, found {found}");
            Err(Error::setting(key, problem))
        };
        if let Some(config) = &fine_tuning {
            config.check()?;
            if scores.head != HeadKind::Ridge {
                return refuse("scores.head", "`ridge`", format!("`{}`", scores.head.as_str()));
            }
            if scores.calibrate {
                return refuse("scores.calibrate", "false", "true".into());
            }
            if let Some(path) = &data.vectors {
                return refuse("data.vectors", "none", path.display().to_string());
            }
        }
        if scores.filter.as_os_str().is_empty() {
            return Err(Error::setting(
                "scores.filter",
                "expected the file of a filter, found none; name it",
            ));
        }
        let fit = match scores.head {
            HeadKind::Ridge => HeadFit::Ridge(scores.ridge(train)),
            HeadKind::Linear | HeadKind::Mlp => {
                HeadFit::Gradient { config: scores.gradient(train), device: encoder.device.clone() }
            }
        };
        Ok(Self {
            source: ScoresSource {
                data: data.clone(),
                filter: scores.filter.clone(),
                id: scores.id.clone(),
                title: scores.title.clone(),
            },
            encoder: encoder.clone(),
            fit,
            fine_tuning,
            head: scores.head.as_str(),
            calibrate: scores.calibrate,
            relabelled: scores.relabelled.clone(),
            thresholds: Thresholds {
                deploy_gain: scores.deploy_gain,
                review_gain: scores.review_gain,
                dimension_gain: scores.dimension_gain,
                overfitting: scores.overfitting,
            },
            evaluate: evaluate.clone(),
            shown: output.map_texts,
            experiment: experiment.clone(),
        })
    }

    /// The encoder, as people name it.
    pub(super) fn encoder_name(&self) -> String {
        let model = &self.encoder.model;
        match self.experiment.train.encoder {
            Learning::Frozen => model.clone(),
            learning => format!("{model}, learnt ({})", learning.as_str()),
        }
    }
}
