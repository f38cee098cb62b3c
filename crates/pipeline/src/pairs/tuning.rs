//! An encoder that learns itself, in place of an adapter over its vectors.
use super::Part;
use super::fit::{PairsFit, RECORD, Watch};
use super::vectors::PairVectors;
use crate::bench::Bench;
use crate::config::{Experiment, Learning};
use crate::plain::{self, CURVE};
use crate::run_dir::Member;
use crate::{Result, tuned};
use manyview_adapter::{ContrastiveLoss, Sides};
use manyview_core::Fingerprint;
use manyview_encoder::tuning::{Lesson, Tuned, ranking};
use manyview_report::{Curve, EpochPoint};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The encoder that learnt itself in the directory of a member, where that is what was trained there last.
pub(crate) fn tuned_encoder(member: &Path) -> Option<PathBuf> {
    let record: PairsFit = Member::at(member.into()).read(RECORD).ok()??;
    tuned::encoder_of(member, &record.key)
}

/// Trains the encoder on the training pairs, or takes the one trained before where everything it depends on is the same,
/// and encodes all texts with it. `begin` is told what everything depends on, and whether that was trained before, ahead
/// of training.
///
/// # Errors
/// Settings that training does not take, [`crate::Error::Missing`] where it may not train and nothing did, an
/// interruption, or files that cannot be written.
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
        on_step: &tuned::tell,
    };
    let learnt = tuned::learn((experiment, member), &base, &lesson, may_train, begin)?;
    let mut record = record(&learnt);
    member.write_text(CURVE, &plain::csv(&record.curve))?;
    member.write(RECORD, &record)?; // so that it is known whose the directory is, whatever comes of encoding
    let mut own = (*experiment).clone();
    own.encoder = tuned::encoder(experiment, member);
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

/// That an encoder can learn as `experiment` says: by fewer things than an adapter.
pub(super) fn check(experiment: &Experiment) -> Result<()> {
    experiment.train.tuning().check()?;
    let settings = experiment.pairs.clone().unwrap_or_default();
    if settings.objective != ContrastiveLoss::MultipleNegativesRanking {
        let found = format!("`{}`", settings.objective.as_str());
        return tuned::refuse("pairs.objective", "`multiple_negatives_ranking`", found);
    }
    if settings.hard_negatives > 0 {
        return tuned::refuse("pairs.hard_negatives", "0", settings.hard_negatives.to_string());
    }
    if !settings.instruction.trim().is_empty() {
        return tuned::refuse("pairs.instruction", "none", "one".into());
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
