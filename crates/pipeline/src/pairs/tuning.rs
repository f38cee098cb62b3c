//! An encoder that learns itself, in place of an adapter over its vectors.
use super::Part;
use super::fit::{PairsFit, RECORD, Watch};
use super::vectors::PairVectors;
use crate::bench::Bench;
use crate::config::{Experiment, Learning};
use crate::plain::{self, CURVE};
use crate::run_dir::Member;
use crate::{Error, Result};
use manyview_adapter::{ContrastiveLoss, Sides};
use manyview_core::Fingerprint;
use manyview_encoder::tuning::{Lesson, Tuned, identity, ranking, tune, tuned};
use manyview_report::{Curve, EpochPoint};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Directory of the new encoder in a member's.
const ENCODER: &str = "encoder";
/// Directory of checkpoints and metrics of its training.
const WORK: &str = "tuning";
/// The metrics of its training, in a member's directory.
pub(super) const METRICS: &str = "tuning/training_metrics.jsonl";

/// The encoder that learnt itself in the directory of a member, where that is what was trained there last.
pub(crate) fn tuned_encoder(member: &Path) -> Option<PathBuf> {
    let record: PairsFit = Member::at(member.into()).read(RECORD).ok()??;
    let learnt = Tuned::read(&member.join(WORK)).ok()??;
    (learnt.run == record.key).then(|| member.join(ENCODER))
}

/// Reads the encoder that learnt itself in the directory of a member; gives whether there is one.
///
/// # Errors
/// Weights that are not those that were written.
pub(crate) fn check_encoder(member: &Member) -> Result<bool> {
    let Some(learnt) = Tuned::read(&member.path().join(WORK))? else { return Ok(false) };
    learnt.check(&member.path().join(ENCODER))?;
    Ok(true)
}

/// Trains the encoder on the training pairs, or takes the one trained before where everything it depends on is the same,
/// and encodes all texts with it. `begin` is told what everything depends on, and whether that was trained before, ahead
/// of training.
///
/// # Errors
/// Settings that training does not take, [`Error::Missing`] where it may not train and nothing did, an interruption, or
/// files that cannot be written.
pub(super) fn fit(
    bench: &mut Bench<'_>,
    part: &Part<'_>,
    may_train: bool,
    begin: &mut dyn FnMut(&Fingerprint, bool) -> Result<()>,
) -> Result<(PairVectors, PairsFit)> {
    let Part { experiment, member, corpus, vectors, .. } = part;
    let settings = experiment.pairs.clone().unwrap_or_default();
    let base = bench.encoder(&experiment.encoder)?;
    let rows = &corpus.split.train;
    let text = |i: &usize| corpus.pairs.passages.get(*i).map(String::as_str).unwrap_or_default();
    let queries: Vec<&str> = rows.iter().map(|&row| corpus.pairs.queries[row].as_str()).collect();
    let passages: Vec<&str> = corpus.positive(rows).iter().map(text).collect();
    let lesson = Lesson {
        queries: &queries,
        passages: &passages,
        negatives: &[],
        objective: &|batch| ranking(settings.scale, batch),
        objective_name: &format!("ranking, scale {}", settings.scale),
        progress: bench.progress,
        on_step: &|step| tracing::debug!(step = step.step, loss = step.loss, lr = step.lr, "fine-tuning"),
    };
    let (config, work, to) =
        (experiment.train.tuning(), member.path().join(WORK), member.path().join(ENCODER));
    let run = identity(&base, &config, &lesson)?;
    let earlier = tuned(&run, &work, &to);
    if earlier.is_none() && !may_train {
        return Err(Error::Missing {
            path: to,
            missing: "an encoder trained with these settings on these pairs, found none".into(),
            cure: "train".into(),
        });
    }
    begin(&run, earlier.is_some())?;
    let learnt = match earlier {
        Some(learnt) => learnt,
        None => {
            let learnt = tune(&base, &config, &lesson, &work, &to)?;
            member.forget_metrics()?;
            learnt
        }
    };
    let mut record = record(&learnt);
    member.write_text(CURVE, &plain::csv(&record.curve))?;
    member.write(RECORD, &record)?; // so that it is known whose the directory is, whatever comes of encoding
    let mut own = (*experiment).clone();
    own.encoder.model = to.display().to_string();
    let own = PairVectors::encode(bench, &own, corpus)?;
    for (name, vectors) in [("val_ndcg@10", &own), ("val_ndcg@10_of_base", vectors)] {
        let watch = Watch::new(corpus, vectors)?;
        record
            .figures
            .extend(watch.map(|watch| watch.own()).transpose()?.map(|score| (name.to_string(), score)));
    }
    member.write(RECORD, &record)?;
    Ok((own, record))
}

/// What of a new encoder a tracking server is sent: the low-rank changes alone where there are some, and its name.
pub(super) fn artifacts(part: &Part<'_>) -> (PathBuf, &'static str) {
    let encoder = part.member.path().join(ENCODER);
    match part.experiment.train.encoder {
        Learning::Lora => (encoder.join("lora"), "encoder/lora"),
        _ => (encoder, ENCODER),
    }
}

/// That an encoder can learn as `experiment` says: by fewer things than an adapter.
pub(super) fn check(experiment: &Experiment) -> Result<()> {
    experiment.train.tuning().check()?;
    let settings = experiment.pairs.clone().unwrap_or_default();
    let refuse = |key: &str, expected: &str, found: String| {
        let problem = format!("expected {expected} where train.encoder is not `frozen`, found {found}");
        Err(Error::setting(key, problem))
    };
    if settings.objective != ContrastiveLoss::MultipleNegativesRanking {
        let found = format!("`{}`", settings.objective.as_str());
        return refuse("pairs.objective", "`multiple_negatives_ranking`", found);
    }
    if settings.hard_negatives > 0 {
        return refuse("pairs.hard_negatives", "0", settings.hard_negatives.to_string());
    }
    if !settings.instruction.trim().is_empty() {
        return refuse("pairs.instruction", "none", "one".into());
    }
    Ok(())
}

fn record(learnt: &Tuned) -> PairsFit {
    let mut figures = BTreeMap::from([
        ("steps".to_string(), learnt.steps as f64),
        ("values".to_string(), learnt.learnt as f64),
    ]);
    figures.extend(learnt.losses.last().map(|loss| ("loss".to_string(), *loss)));
    let epochs = learnt.losses.iter().zip(1..).map(|(&train_loss, epoch)| EpochPoint {
        epoch,
        train_loss,
        val_loss: None,
        score: None,
    });
    let curve = Curve::Training {
        best_epoch: learnt.losses.len(),
        monitor: "its place, the last".into(),
        epochs: epochs.collect(),
    };
    let (key, rows, seconds) = (learnt.run.clone(), learnt.pairs, learnt.seconds);
    PairsFit { key, rows, mined: 0, seconds, figures, curve }
}

/// Which sides what learnt is for: an encoder that learnt encodes both.
pub(super) fn sides(experiment: &Experiment) -> &'static str {
    match experiment.train.encoder {
        Learning::Frozen => experiment.pairs.clone().unwrap_or_default().adapt.as_str(),
        _ => Sides::Both.as_str(),
    }
}

/// What a report calls what learnt: the shape of an adapter, or `encoder` and how much of it.
pub(super) fn shape(experiment: &Experiment) -> String {
    match experiment.train.encoder {
        Learning::Frozen => experiment.pairs.clone().unwrap_or_default().shape.as_str().into(),
        learning => format!("encoder, {}", learning.as_str()),
    }
}
