//! An encoder that learns itself: its place in the directory of a member of a run, and how it gets there.
use crate::config::{Encoder, Experiment, Learning};
use crate::run_dir::Member;
use crate::{Error, Result};
use manyview_core::Fingerprint;
use manyview_encoder::TextEncoder;
use manyview_encoder::tuning::{Lesson, Step, Tuned, identity, tune, tuned};
use std::fs;
use std::path::{Path, PathBuf};

/// Directory of the new encoder in a member's, and beside an exported head.
pub(crate) const ENCODER: &str = "encoder";
/// Where the card of a head says which training its encoder is of.
pub(crate) const KEY: &str = "tuned";
/// Directory of checkpoints and metrics of its training.
const WORK: &str = "tuning";
/// Directory of the low-rank changes in the encoder's.
const LORA: &str = "lora";
/// The metrics of its training, in a member's directory.
pub(crate) const METRICS: &str = "tuning/training_metrics.jsonl";
/// Rates above it make all of an encoder forget what it knew.
const HIGH_RATE: f64 = 1e-4;

/// The encoder in the directory of a member, where `run` is what was trained there last.
pub(crate) fn encoder_of(member: &Path, run: &Fingerprint) -> Option<PathBuf> {
    let learnt = Tuned::read(&member.join(WORK)).ok()??;
    (learnt.run == *run).then(|| member.join(ENCODER))
}

/// Reads the encoder that learnt itself in the directory of a member; gives whether there is one.
///
/// # Errors
/// Weights that are not those that were written.
pub(crate) fn check(member: &Member) -> Result<bool> {
    let Some(learnt) = Tuned::read(&member.path().join(WORK))? else { return Ok(false) };
    learnt.check(&member.path().join(ENCODER))?;
    Ok(true)
}

/// Trains an encoder by `lesson`, starting from `base`, or takes the one trained before where everything it depends on is
/// the same. `begin` is told what everything depends on, and whether that was trained before, ahead of training.
///
/// # Errors
/// Settings that training does not take, [`Error::Missing`] where it may not train and nothing did, an interruption, or
/// files that cannot be written.
pub(crate) fn learn(
    (experiment, member): (&Experiment, &Member),
    base: &TextEncoder,
    lesson: &Lesson<'_>,
    may_train: bool,
    begin: &mut dyn FnMut(&Fingerprint, bool) -> Result<()>,
) -> Result<Tuned> {
    let config = experiment.train.tuning();
    let (work, to) = (member.path().join(WORK), member.path().join(ENCODER));
    let run = identity(base, &config, lesson)?;
    let earlier = tuned(&run, &work, &to);
    if earlier.is_none() && !may_train {
        return Err(Error::Missing {
            path: to,
            missing: "an encoder trained with these settings on these texts, found none".into(),
            cure: "train".into(),
        });
    }
    begin(&run, earlier.is_some())?;
    match earlier {
        Some(learnt) => Ok(learnt),
        None => {
            if experiment.train.encoder == Learning::Full && config.lr > HIGH_RATE {
                tracing::warn!(
                    "train.lr = {} is high where all of an encoder learns; 2e-5 is usual",
                    config.lr
                );
            }
            let learnt = tune(base, &config, lesson, &work, &to)?;
            member.forget_metrics()?;
            Ok(learnt)
        }
    }
}

/// Logs a step of training.
pub(crate) fn tell(step: &Step) {
    tracing::debug!(step = step.step, loss = step.loss, lr = step.lr, "fine-tuning");
}

/// The encoder of `experiment` with what learnt in the directory of a member in place of its model.
pub(crate) fn encoder(experiment: &Experiment, member: &Member) -> Encoder {
    Encoder { model: member.path().join(ENCODER).display().to_string(), ..experiment.encoder.clone() }
}

/// What of a new encoder a tracking server is sent: the low-rank changes alone where there are some, and its name.
pub(crate) fn artifacts(experiment: &Experiment, member: &Member) -> (PathBuf, &'static str) {
    let encoder = member.path().join(ENCODER);
    match experiment.train.encoder {
        Learning::Lora => (encoder.join(LORA), "encoder/lora"),
        _ => (encoder, ENCODER),
    }
}

/// Copies the encoder in `from` to the new directory `to`; low-rank changes are in its weights already.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).map_err(Error::io(to))?;
    for entry in fs::read_dir(from).map_err(Error::io(from))? {
        let entry = entry.map_err(Error::io(from))?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true if path.ends_with(LORA) => {}
            true => copy(&path, &to)?,
            false => drop(fs::copy(&path, &to).map_err(Error::io(&path))?),
        }
    }
    Ok(())
}

/// That a setting does not go with an encoder that learns.
pub(crate) fn refuse<T>(key: &str, expected: &str, found: String) -> Result<T> {
    let problem = format!("expected {expected} where train.encoder is not `frozen`, found {found}");
    Err(Error::setting(key, problem))
}
