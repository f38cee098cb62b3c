//! Heads over stored vectors that give an oracle's scores.

mod apply;
mod corpus;
mod decision;
mod evaluate;
mod fit;
mod report;

pub use apply::{ScoredFile, Scoring, score};
pub use fit::HeadRecord;

use crate::bench::Bench;
use crate::config::{Experiment, Scores, Suite};
use crate::encode::{Tally, Vectors};
use crate::run_dir::{METRICS, Member, RunDir};
use crate::{Environment, Error, Result, Stage, given};
use corpus::ScoredCorpus;
use evaluate::Predictions;
use fit::HeadLesson;
use manyview_core::{Embeddings, Error as CoreError, Fingerprint, Progress};
use manyview_report::{HeadMetrics, HeadReport, HeadView};
use manyview_store::{Store, Stored};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a run left behind.
#[derive(Debug)]
pub struct ScoresOutcome {
    /// The run directory.
    pub dir: PathBuf,
    /// What encoding took, all experiments together.
    pub tally: Tally,
    /// Texts whose end was cut.
    pub truncated: usize,
    /// The fits, by experiment.
    pub fits: Vec<(String, HeadRecord)>,
    /// The measures, by experiment, once they are taken.
    pub metrics: Vec<(String, HeadMetrics)>,
    /// The report, once it is drawn.
    pub report: Option<HeadReport>,
}

/// Runs the experiments of `suite`: one stage, or all of them.
///
/// What an earlier run finished is kept: vectors in the store, heads whose inputs are the same, training from its last
/// checkpoint.
///
/// # Errors
/// Whatever a stage reports; [`Error::Missing`] when the stage it builds on was not run. The stages before it are kept.
pub fn run(
    suite: &Suite,
    stage: Option<Stage>,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<ScoresOutcome> {
    let dir = RunDir::open(&suite.base)?;
    let mut bench = Bench::new(environment, progress);
    let mut outcome = ScoresOutcome {
        dir: dir.path().into(),
        tally: Tally::default(),
        truncated: 0,
        fits: Vec::new(),
        metrics: Vec::new(),
        report: None,
    };
    let mut views = Vec::new();
    for (name, experiment) in suite.members() {
        let (member, title) = (dir.member(name)?, name.unwrap_or(&experiment.name));
        if let Some(last) = stage {
            met(last, &member)?; // before anything long
        }
        let Some(scores) = &experiment.scores else { continue };
        let prepared = prepare(&mut bench, experiment, scores)?;
        dir.save_config(suite)?;
        outcome.tally.add(prepared.tally);
        outcome.truncated = outcome.truncated.max(prepared.truncated);
        if stage == Some(Stage::Encode) {
            continue;
        }
        let lesson = HeadLesson {
            experiment,
            scores,
            corpus: &prepared.corpus,
            base: &prepared.base,
            encoder: prepared.fingerprint.clone(),
        };
        if progress.stopped() {
            return Err(CoreError::Interrupted.into());
        }
        let (head, record) = match stage {
            None | Some(Stage::Train) => fit::fit(&lesson, &member, progress)?,
            _ => fit::current(&lesson, &member)?,
        };
        outcome.fits.push((title.into(), record.clone()));
        if stage == Some(Stage::Train) {
            continue;
        }
        let predictions = Predictions::of(&lesson, &head)?;
        let metrics = match stage {
            Some(Stage::Report) => metrics(&member)?,
            _ => {
                let metrics = evaluate::measure(&lesson, &record, &predictions)?;
                report::keep(&lesson, &member, &metrics, &record, &predictions)?;
                metrics
            }
        };
        outcome.metrics.push((title.into(), metrics.clone()));
        views.push(report::view(title, &lesson, metrics, record.curve, &predictions));
    }
    finish(suite, stage, &dir, &mut outcome, views)?;
    Ok(outcome)
}

/// Texts with their scores, and their vectors.
struct Prepared {
    corpus: ScoredCorpus,
    fingerprint: Fingerprint,
    /// `[n, dim]`.
    base: Embeddings,
    tally: Tally,
    truncated: usize,
}

fn prepare(bench: &mut Bench<'_>, experiment: &Experiment, scores: &Scores) -> Result<Prepared> {
    let mut corpus = ScoredCorpus::load(experiment, scores, bench.environment, bench.progress)?;
    if let Some(base) = corpus.vectors.take() {
        let fingerprint = given::fingerprint(&experiment.encoder, base.dim());
        return Ok(Prepared { corpus, fingerprint, base, tally: Tally::default(), truncated: 0 });
    }
    let encoder = bench.encoder(&experiment.encoder)?;
    let store = Store::open(&experiment.output.store)?;
    let mut vectors = Vectors::new(Stored::new(encoder, store, experiment.encoder.model.clone()));
    let base = vectors.encode(&corpus.all_texts(), None, bench.progress)?;
    let (fingerprint, tally, truncated) = (vectors.fingerprint(), vectors.tally, vectors.truncated.len());
    Ok(Prepared { corpus, fingerprint, base, tally, truncated })
}

/// Reads the texts and their scores; gives what there is.
pub(crate) fn corpus_loads(
    experiment: &Experiment,
    scores: &Scores,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<String> {
    let corpus = ScoredCorpus::load(experiment, scores, environment, progress)?;
    let (split, names) = (&corpus.split, corpus.filter.names().join(", "));
    let [train, val, test] = [split.train.len(), split.val.len(), split.test.len()];
    Ok(format!("{}: {train} train, {val} validation, {test} test, scored in {names}", corpus.name))
}

/// That the stage before `stage` was run.
fn met(stage: Stage, member: &Member) -> Result<()> {
    if stage > Stage::Train {
        fit::load(member)?;
    }
    if stage == Stage::Report {
        metrics(member)?;
    }
    Ok(())
}

fn metrics(member: &Member) -> Result<HeadMetrics> {
    member.read(METRICS)?.ok_or_else(|| Error::Missing {
        path: member.path().into(),
        missing: format!("{METRICS} of the head there, found none"),
        cure: "evaluate".into(),
    })
}

/// Writes what is of all experiments: their metrics in one file, and the report.
fn finish(
    suite: &Suite,
    stage: Option<Stage>,
    dir: &RunDir,
    outcome: &mut ScoresOutcome,
    views: Vec<HeadView>,
) -> Result<()> {
    if matches!(stage, None | Some(Stage::Evaluate)) && !suite.variants.is_empty() {
        let all: BTreeMap<&str, &HeadMetrics> =
            outcome.metrics.iter().map(|(name, metrics)| (name.as_str(), metrics)).collect();
        dir.member(None)?.write(METRICS, &all)?;
    }
    if matches!(stage, None | Some(Stage::Report)) {
        let report = report::report(suite, views);
        report::write(dir.path(), &report)?;
        outcome.report = Some(report);
    }
    Ok(())
}
