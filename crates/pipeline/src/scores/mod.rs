//! Heads over stored vectors that give an oracle's scores, and encoders that learn below them.

mod apply;
mod corpus;
mod decision;
mod evaluate;
mod fit;
mod report;
mod tracking;
mod tuning;
mod whole;

pub(crate) use apply::head_in;
pub use apply::{ScoredFile, Scoring, score};
pub use fit::HeadRecord;
pub(crate) use tuning::learnt_encoder;
pub(crate) use whole::check;

use crate::bench::Bench;
use crate::config::{Encoder, Experiment, Learning, Scores, Suite};
use crate::encode::{Tally, Vectors};
use crate::run_dir::{METRICS, Member, RunDir};
use crate::tracking::{finish, open, server};
use crate::{Environment, Error, Result, Stage, encoder, given};
use corpus::ScoredCorpus;
use evaluate::Predictions;
use fit::HeadLesson;
use manyview_core::{Embeddings, Error as CoreError, Fingerprint, Progress};
use manyview_report::{HeadMetrics, HeadReport, HeadView};
use manyview_track::Tracker;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    /// Tracked events that the server has not had yet.
    pub untracked: u64,
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
    for (_, experiment) in suite.members() {
        server(&experiment.tracking, &environment.tracking)?; // an address that is none, before anything long
    }
    let dir = RunDir::open(&suite.base)?;
    let outcome = ScoresOutcome {
        dir: dir.path().into(),
        tally: Tally::default(),
        truncated: 0,
        fits: Vec::new(),
        metrics: Vec::new(),
        report: None,
        untracked: 0,
    };
    let bench = Bench::new(environment, progress);
    let mut run = Run { suite, stage, dir, bench, outcome, views: Vec::new(), trackers: Vec::new() };
    let done = run.stages();
    let untracked = finish(run.trackers, &done);
    done?;
    run.outcome.untracked = untracked?;
    Ok(run.outcome)
}

struct Run<'a> {
    suite: &'a Suite,
    /// The only one; all without it.
    stage: Option<Stage>,
    dir: RunDir,
    bench: Bench<'a>,
    outcome: ScoresOutcome,
    views: Vec<HeadView>,
    trackers: Vec<Tracker>,
}

impl Run<'_> {
    fn stages(&mut self) -> Result<()> {
        for (name, experiment) in self.suite.members() {
            let (member, title) = (self.dir.member(name)?, name.unwrap_or(&experiment.name));
            if let Some(last) = self.stage {
                met(last, &member)?; // before anything long
            }
            let Some(scores) = &experiment.scores else { continue };
            let frozen = experiment.train.encoder == Learning::Frozen;
            if !frozen {
                tuning::check(experiment, scores)?;
            }
            let Prepared { corpus, vectors } = prepare(&mut self.bench, experiment, scores)?;
            self.dir.save_config(self.suite)?;
            self.outcome.tally.add(vectors.tally);
            self.outcome.truncated = self.outcome.truncated.max(vectors.truncated);
            if self.stage == Some(Stage::Encode) {
                continue;
            }
            let lesson = HeadLesson {
                experiment,
                scores,
                corpus: &corpus,
                base: &vectors.base,
                encoder: vectors.fingerprint,
                learnt: None,
            };
            match frozen {
                true => self.head(title, &lesson, &member)?,
                false => self.encoder_and_head(title, &lesson, &member)?,
            }
        }
        self.finish()
    }

    /// Trains the encoder below a head, or takes the one that is there, and goes on with the head over its vectors.
    fn encoder_and_head(&mut self, title: &str, lesson: &HeadLesson<'_>, member: &Member) -> Result<()> {
        let may_train = matches!(self.stage, None | Some(Stage::Train));
        let learnt = tuning::learn(&mut self.bench, lesson, member, may_train)?;
        let store = &lesson.experiment.output.store;
        let vectors = encode(&mut self.bench, &learnt.encoder, store, lesson.corpus)?;
        self.outcome.tally.add(vectors.tally);
        let own =
            HeadLesson { base: &vectors.base, encoder: vectors.fingerprint, learnt: Some(learnt), ..*lesson };
        self.head(title, &own, member)
    }

    /// Fits one head, or takes the one that is there, and measures it.
    fn head(&mut self, title: &str, lesson: &HeadLesson<'_>, member: &Member) -> Result<()> {
        if self.bench.progress.stopped() {
            return Err(CoreError::Interrupted.into());
        }
        let known = fit::current(lesson, member);
        let known = match self.stage {
            None | Some(Stage::Train) => known.ok(),
            _ => Some(known?),
        };
        let (experiment, environment) = (lesson.experiment, self.bench.environment);
        let (tracker, new) = open(title, experiment, member, &lesson.key()?, &lesson.encoder, environment)?;
        self.trackers.push(tracker);
        let fitted = known.is_none();
        let (head, mut record) = match known {
            Some(known) => known,
            None => fit::fit(lesson, member, self.bench.progress)?,
        };
        let mae = lesson.validation_mae(&head)?;
        record.figures.extend(mae.map(|mae| ("validation MAE".to_string(), mae)));
        if let Some(tracker) = self.trackers.last().filter(|_| new || fitted) {
            tracking::fitted(tracker, lesson, &record, member)?;
        }
        self.outcome.fits.push((title.into(), record.clone()));
        if self.stage == Some(Stage::Train) {
            return Ok(());
        }
        let predictions = Predictions::of(lesson, &head)?;
        let metrics = match self.stage {
            Some(Stage::Report) => metrics(member)?,
            _ => {
                let metrics = evaluate::measure(lesson, &record, &predictions)?;
                report::keep(lesson, member, &metrics, &record, &predictions)?;
                if let Some(tracker) = self.trackers.last() {
                    tracking::measured(tracker, &metrics, member)?;
                }
                metrics
            }
        };
        self.outcome.metrics.push((title.into(), metrics.clone()));
        self.views.push(report::view(title, lesson, metrics, record.curve, &predictions));
        Ok(())
    }

    /// Writes what is of all experiments: their metrics in one file, and the report.
    fn finish(&mut self) -> Result<()> {
        if matches!(self.stage, None | Some(Stage::Evaluate)) && !self.suite.variants.is_empty() {
            let all: BTreeMap<&str, &HeadMetrics> =
                self.outcome.metrics.iter().map(|(name, metrics)| (name.as_str(), metrics)).collect();
            self.dir.member(None)?.write(METRICS, &all)?;
        }
        if matches!(self.stage, None | Some(Stage::Report)) {
            let report = report::report(self.suite, std::mem::take(&mut self.views));
            report::write(self.dir.path(), &report)?;
            tracking::reported(&self.trackers, self.dir.path())?;
            self.outcome.report = Some(report);
        }
        Ok(())
    }
}

/// Texts with their scores, and their vectors.
struct Prepared {
    corpus: ScoredCorpus,
    vectors: Encoded,
}

/// The vectors of all texts, and what they took.
struct Encoded {
    fingerprint: Fingerprint,
    /// `[n, dim]`.
    base: Embeddings,
    tally: Tally,
    truncated: usize,
}

fn prepare(bench: &mut Bench<'_>, experiment: &Experiment, scores: &Scores) -> Result<Prepared> {
    let mut corpus = ScoredCorpus::load(experiment, scores, bench.environment, bench.progress)?;
    let vectors = match corpus.vectors.take() {
        Some(base) => {
            let fingerprint = given::fingerprint(&experiment.encoder, base.dim());
            Encoded { fingerprint, base, tally: Tally::default(), truncated: 0 }
        }
        None => encode(bench, &experiment.encoder, &experiment.output.store, &corpus)?,
    };
    Ok(Prepared { corpus, vectors })
}

/// Encodes what the store does not have.
fn encode(bench: &mut Bench<'_>, config: &Encoder, store: &Path, corpus: &ScoredCorpus) -> Result<Encoded> {
    let encoder = bench.encoder(config)?;
    let mut vectors = Vectors::new(encoder::remembered(config, encoder, store)?);
    let base = vectors.encode(&corpus.all_texts(), None, bench.progress)?;
    let (fingerprint, tally, truncated) = (vectors.fingerprint(), vectors.tally, vectors.truncated.len());
    Ok(Encoded { fingerprint, base, tally, truncated })
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
