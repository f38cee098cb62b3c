use crate::config::{
    Data, DistillationLoss, Encoder, Evaluate, Experiment, Monitor, Teacher, Train, TunedViews,
    ViewsGradient, ViewsRidge, ViewsTrain,
};
use crate::run::Stage;
use crate::{Error, Result};
use manyview_adapter::{GradientConfig, Ridge};
use manyview_encoder::finetune::FineTuneConfig;
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

/// How the adapter is fitted, or the encoder fine-tuned.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "train"), allow(dead_code))] // some of it is for training alone
pub(super) enum Fit {
    Ridge(Ridge),
    Gradient { config: GradientConfig, monitor: Monitor, device: String },
    Encoder { config: FineTuneConfig, how: &'static str, loss: DistillationLoss },
}

impl Fit {
    /// The name in a configuration.
    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::Ridge(_) => "ridge",
            Self::Gradient { .. } => "gradient",
            Self::Encoder { how, .. } => how,
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
                monitor: train.map.monitor,
                device: train.optimizer.device(&encoder.device),
            },
            Train::Views(ViewsTrain::Lora(train)) => student("lora", train, data, encoder)?,
            Train::Views(ViewsTrain::Full(train)) => student("full", train, data, encoder)?,
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

    /// Whether the encoder itself is trained.
    pub(super) fn fine_tunes(&self) -> bool {
        matches!(self.fit, Fit::Encoder { .. })
    }
}

/// How the encoder itself is trained, towards the teacher.
fn student(how: &'static str, train: &TunedViews, data: &Data, encoder: &Encoder) -> Result<Fit> {
    let config = train.tuning.config(encoder.engine);
    config.check()?;
    if let Some(path) = &data.vectors {
        let problem = format!(
            "expected none with train.method = `{how}`, which trains the encoder on texts, found {}; leave it out, or \
             fit an adapter: `ridge` or `gradient`",
            path.display()
        );
        return Err(Error::setting("data.vectors", problem));
    }
    Ok(Fit::Encoder { config, how, loss: train.loss.clone() })
}

/// As the adapter's trainer takes it.
fn gradient(train: &ViewsGradient) -> GradientConfig {
    let ViewsGradient { optimizer, loss, map } = train;
    GradientConfig {
        train: optimizer.steps(None),
        shape: map.shape,
        width: map.width,
        mse_weight: loss.mse_weight,
        cosine_weight: loss.cosine_weight,
        start: map.start,
        bias: map.bias,
    }
}
