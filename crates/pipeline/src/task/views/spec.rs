use crate::config::{
    Data, Encoder, Evaluate, Experiment, Monitor, Teacher, Train, ViewsGradient, ViewsRidge, ViewsTrain,
};
use crate::run::Stage;
use crate::{Error, Result};
use manyview_adapter::{GradientConfig, Ridge};
use std::path::PathBuf;

/// What an experiment with views asks for.
#[derive(Clone, Debug)]
pub struct Spec {
    pub(super) data: Data,
    pub(super) encoder: Encoder,
    pub(super) teacher: Teacher,
    pub(super) fit: Fit,
    pub(super) evaluate: Evaluate,
    /// Directory of the vector store.
    pub(super) store: PathBuf,
    /// Texts on each map of the report.
    pub(super) map_texts: usize,
}

/// How the adapter is fitted.
#[derive(Clone, Debug)]
pub(super) enum Fit {
    Ridge(Ridge),
    Gradient { config: GradientConfig, monitor: Monitor, device: String },
}

impl Fit {
    /// The name in a configuration.
    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::Ridge(_) => "ridge",
            Self::Gradient { .. } => "gradient",
        }
    }
}

impl Spec {
    pub(super) fn of(experiment: &Experiment, last: Stage) -> Result<Self> {
        let Experiment { data, encoder, teacher, train, evaluate, output, .. } = experiment;
        if data.source.is_empty() && last > Stage::Train {
            let problem = "expected a corpus with a column of labels to score the views against, found vectors alone; \
                           `manyview train` fits without";
            return Err(Error::setting("data.source", problem));
        }
        let fit = match train {
            Train::Views(ViewsTrain::Ridge(ViewsRidge { towards, center, lambdas })) => {
                Fit::Ridge(Ridge { towards: *towards, center: *center, lambdas: lambdas.clone() })
            }
            Train::Views(ViewsTrain::Gradient(train)) => Fit::Gradient {
                config: gradient(train),
                monitor: train.objective.monitor,
                device: train.optimizer.device(&encoder.device),
            },
            _ => {
                return Err(Error::setting(
                    "train",
                    "expected the settings of a view, found those of another task",
                ));
            }
        };
        Ok(Self {
            data: data.clone(),
            encoder: encoder.clone(),
            teacher: teacher.clone(),
            fit,
            evaluate: evaluate.clone(),
            store: output.store.clone(),
            map_texts: output.map_texts,
        })
    }
}

/// As the adapter's trainer takes it.
fn gradient(train: &ViewsGradient) -> GradientConfig {
    let (adamw, of) = (&train.optimizer, &train.objective);
    GradientConfig {
        train: adamw.steps(None),
        shape: of.shape,
        width: of.width,
        mse_weight: of.mse_weight,
        cosine_weight: of.cosine_weight,
        start: of.start,
        bias: of.bias,
    }
}
