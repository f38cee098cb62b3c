use crate::config::{
    Data, Encoder, Evaluate, Experiment, LossKind, ScoresGradient, ScoresRidge, ScoresTrain, Train,
    TunedScores,
};
use crate::{Error, Result};
use manyview_adapter::{HeadConfig, Loss, RidgeHead};
use manyview_encoder::finetune::FineTuneConfig;
use std::path::PathBuf;

/// What an experiment with scores asks for.
#[derive(Clone, Debug)]
pub struct Spec {
    pub(super) source: ScoresSource,
    pub(super) encoder: Encoder,
    /// The encoder, as people name it.
    pub(super) encoder_name: String,
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
        let ridge = |ridge: &ScoresRidge| HeadFit::Ridge(RidgeHead { lambdas: ridge.lambdas.clone() });
        let Train::Scores(train) = train else {
            return Err(Error::setting(
                "train",
                "expected the settings of a head, found those of another task",
            ));
        };
        let (fit, head, below) = match train {
            ScoresTrain::Ridge(train) => (ridge(train), "ridge", None),
            ScoresTrain::Gradient(train) => {
                let head = if train.head.hidden.is_empty() { "linear" } else { "mlp" };
                let device = train.optimizer.device(&encoder.device);
                (HeadFit::Gradient { config: gradient(train), device }, head, None)
            }
            ScoresTrain::Lora(TunedScores { tuning, ridge: of_head }) => {
                (ridge(of_head), "ridge", Some(("lora", tuning.config(encoder.engine))))
            }
            ScoresTrain::Full(TunedScores { tuning, ridge: of_head }) => {
                (ridge(of_head), "ridge", Some(("full", tuning.config(encoder.engine))))
            }
        };
        if let Some((how, config)) = &below {
            config.check()?;
            let refuse = |key: &str, expected: &str, found: String| {
                let problem = format!("expected {expected} with train.method = `{how}`, found {found}");
                Err(Error::setting(key, problem))
            };
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
        let model = &encoder.model;
        let encoder_name =
            below.as_ref().map_or(model.clone(), |(how, _)| format!("{model}, fine-tuned ({how})"));
        Ok(Self {
            source: ScoresSource {
                data: data.clone(),
                filter: scores.filter.clone(),
                id: scores.id.clone(),
                title: scores.title.clone(),
            },
            encoder: encoder.clone(),
            fit,
            encoder_name,
            fine_tuning: below.map(|(_, config)| config),
            head,
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
}

/// As the head's trainer takes it.
fn gradient(train: &ScoresGradient) -> HeadConfig {
    let (adamw, of) = (&train.optimizer, &train.head);
    HeadConfig {
        hidden: of.hidden.clone(),
        loss: match of.loss {
            LossKind::Mse => Loss::Mse,
            LossKind::Huber => Loss::Huber { delta: of.huber_delta },
        },
        train: adamw.steps(of.checkpoint_every),
    }
}
