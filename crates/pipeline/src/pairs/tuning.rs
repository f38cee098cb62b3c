//! An encoder that learns itself, in place of an adapter over its vectors.
use super::corpus::SplitPairs;
use super::fit::{PairsFit, RECORD};
use super::vectors::PairVectors;
use crate::bench::Bench;
use crate::config::{Experiment, Learning, Pairs};
use crate::plain::{self, CURVE};
use crate::run_dir::Member;
use crate::{Error, Result};
use manyview_adapter::ContrastiveLoss;
use manyview_encoder::tuning::{Lesson, Tuned, ranking, tune, tuned};
use manyview_report::{Curve, EpochPoint};
use std::collections::BTreeMap;

/// Directory of the new encoder in a member's.
const ENCODER: &str = "encoder";
/// Directory of checkpoints and metrics of its training.
const WORK: &str = "tuning";

/// Trains the encoder on the training pairs, or takes the one trained before where everything it depends on is the same,
/// and encodes all texts with it.
///
/// # Errors
/// Settings that training does not take, [`Error::Missing`] where it may not train and nothing did, an interruption, or
/// files that cannot be written.
pub(super) fn fit(
    bench: &mut Bench<'_>,
    experiment: &Experiment,
    corpus: &SplitPairs,
    member: &Member,
    may_train: bool,
) -> Result<(PairVectors, PairsFit)> {
    let settings = experiment.pairs.clone().unwrap_or_default();
    check(&settings)?;
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
    let earlier = tuned(&base, &config, &lesson, &work, &to)?;
    let learnt = match earlier {
        Some(learnt) => learnt,
        None if may_train => {
            let learnt = tune(&base, &config, &lesson, &work, &to)?;
            member.forget_metrics()?;
            learnt
        }
        None => {
            return Err(Error::Missing {
                path: to,
                missing: "an encoder trained with these settings on these pairs, found none".into(),
                cure: "train".into(),
            });
        }
    };
    let record = record(&learnt);
    member.write_text(CURVE, &plain::csv(&record.curve))?;
    member.write(RECORD, &record)?;
    let mut own = experiment.clone();
    own.encoder.model = to.display().to_string();
    Ok((PairVectors::encode(bench, &own, corpus)?, record))
}

/// What the encoder learns by is fewer things than what an adapter can.
fn check(settings: &Pairs) -> Result<()> {
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

/// What a report calls what learnt: the shape of an adapter, or `encoder` and how much of it.
pub(super) fn shape(experiment: &Experiment) -> String {
    match experiment.train.encoder {
        Learning::Frozen => experiment.pairs.clone().unwrap_or_default().shape.as_str().into(),
        learning => format!("encoder, {}", learning.as_str()),
    }
}
