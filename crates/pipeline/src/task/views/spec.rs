use crate::config::{Data, Encoder, Evaluate, Experiment, Learning, Method, Monitor, Teacher};
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
        if train.encoder != Learning::Frozen {
            let found = train.encoder.as_str();
            let problem = format!(
                "expected `frozen` without [pairs] or [scores], found `{found}`; an encoder learns from these"
            );
            return Err(Error::setting("train.encoder", problem));
        }
        let fit = match train.method {
            Method::Ridge => Fit::Ridge(train.ridge()),
            Method::Gradient => Fit::Gradient {
                config: train.gradient(),
                monitor: train.monitor,
                device: encoder.device.clone(),
            },
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
