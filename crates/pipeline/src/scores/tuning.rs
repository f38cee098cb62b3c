//! An encoder that learns below a head: the head is fitted over its frozen vectors, and stays as it is while the encoder
//! moves them. A head fitted anew over vectors that know the scores would take them for better than they are.
use super::fit::HeadLesson;
use crate::bench::Bench;
use crate::config::{Encoder, Experiment, HeadKind, Scores};
use crate::run_dir::Member;
use crate::{Error, Result, tuned};
use manyview_adapter::{HeadCard, RidgeHeadFit};
use manyview_core::{Fingerprint, Fit, Targets};
use manyview_encoder::tuning::{Lesson, Tuned, regression};
use manyview_eval::RegressionMeasure::Rmse;
use manyview_eval::mean_prediction;
use std::path::{Path, PathBuf};

/// That an encoder can learn as `experiment` says.
pub(super) fn check(experiment: &Experiment, scores: &Scores) -> Result<()> {
    experiment.train.tuning().check()?;
    if scores.head != HeadKind::Ridge {
        return tuned::refuse("scores.head", "`ridge`", format!("`{}`", scores.head.as_str()));
    }
    if scores.calibrate {
        return tuned::refuse("scores.calibrate", "false", "true".into());
    }
    match &experiment.data.vectors {
        Some(path) => tuned::refuse("data.vectors", "none", path.display().to_string()),
        None => Ok(()),
    }
}

/// The encoder that learnt below the head in `dir`: beside that in a run, within it where it was exported.
pub(crate) fn learnt_encoder(dir: &Path, card: &HeadCard) -> Option<PathBuf> {
    let run: Fingerprint = serde_json::from_value(card.settings.get(tuned::KEY)?.clone()).ok()?;
    let beside = dir.parent().and_then(|member| tuned::encoder_of(member, &run));
    beside.or_else(|| Some(dir.join(tuned::ENCODER)).filter(|path| path.is_dir()))
}

/// An encoder that learnt, and the head it learnt below.
pub(super) struct LearntEncoder {
    /// Where it is, and how it reads.
    pub(super) encoder: Encoder,
    /// How that went.
    pub(super) training: Tuned,
    /// The head, fitted over the frozen vectors.
    pub(super) below: RidgeHeadFit,
}

/// Trains the encoder on the training texts, or takes the one trained before where everything it depends on is the same.
///
/// # Errors
/// Settings that training does not take, [`Error::Missing`] where it may not train and nothing did, an interruption, or
/// files that cannot be written.
pub(super) fn learn(
    bench: &mut Bench<'_>,
    of_head: &HeadLesson<'_>,
    member: &Member,
    may_train: bool,
) -> Result<LearntEncoder> {
    let (experiment, corpus) = (of_head.experiment, of_head.corpus);
    let base = bench.encoder(&experiment.encoder)?;
    let data = of_head.rows(&corpus.split.train)?;
    let below = of_head.scores.ridge(&experiment.train).fit(&data)?;
    let [layer] = below.head.layers() else {
        return Err(Error::setting("scores.head", "expected one layer of a linear head, found several"));
    };
    let (weight, bias, targets) = (layer.weight(), layer.bias(), data.targets());
    let spreads = Rmse.per_dimension(targets, &mean_prediction(targets, targets.n())?)?;
    let spreads: Vec<f64> =
        spreads.into_iter().map(|spread| if spread > 0.0 { spread } else { 1.0 }).collect();
    let texts = corpus.split.train.iter().filter_map(|&row| corpus.texts.get(row));
    let texts: Vec<&str> = texts.map(String::as_str).collect();
    let lesson = Lesson {
        queries: &texts,
        passages: &[],
        negatives: &[],
        objective: &|batch| regression(weight, bias, targets, &spreads, batch),
        objective_name: &name(weight, bias, targets),
        progress: bench.progress,
        on_step: &tuned::tell,
    };
    let training = tuned::learn((experiment, member), &base, &lesson, may_train, &mut |_, _| Ok(()))?;
    Ok(LearntEncoder { encoder: tuned::encoder(experiment, member), training, below })
}

/// A name that no other head and no other figures have.
fn name(weight: &[f32], bias: &[f32], targets: &Targets) -> String {
    let of_head: Vec<u8> = weight.iter().chain(bias).flat_map(|v| v.to_le_bytes()).collect();
    let figures: Vec<u8> = targets.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect();
    let key =
        Fingerprint::builder("regression/2").field("head", &of_head).field("figures", &figures).finish();
    format!("regression {}", key.as_str())
}
