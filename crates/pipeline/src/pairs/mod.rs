//! Adapters for retrieval, learnt from pairs of texts that belong together.
//!
//! Queries and passages are encoded once, into the store; training sees vectors alone.

mod corpus;
mod evaluate;
mod fit;
mod journal;
mod mine;
mod report;
mod tuning;
mod vectors;

pub use fit::PairsFit;
pub(crate) use fit::TEACHER;
pub(crate) use tuning::tuned_encoder;

use crate::bench::Bench;
use crate::config::{Experiment, Learning, Suite};
use crate::encode::Tally;
use crate::run_dir::{METRICS, Member, RunDir};
use crate::{Environment, Error, Result, Stage, tracking, tuned};
use corpus::SplitPairs;
use manyview_core::{Embeddings, Fingerprint, Progress};
use manyview_report::{RetrievalMetrics, RetrievalReport, RetrievalView};
use manyview_track::Tracker;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vectors::PairVectors;

/// The file of scores of each test query.
const QUERIES: &str = "queries.csv";

/// What a run over pairs left behind.
#[derive(Debug)]
pub struct PairsOutcome {
    /// The run directory.
    pub dir: PathBuf,
    /// What encoding took, all experiments together.
    pub tally: Tally,
    /// Texts whose end was cut.
    pub truncated: usize,
    /// The fits, by experiment.
    pub fits: Vec<(String, PairsFit)>,
    /// The report, once it is drawn.
    pub report: Option<RetrievalReport>,
    /// Tracked events that the server has not had yet.
    pub untracked: u64,
}

/// Runs the experiments of `suite`: one stage, or all of them.
///
/// What an earlier run finished is kept: vectors in the store, adapters and encoders whose inputs are the same, training
/// from its last checkpoint.
///
/// # Errors
/// Whatever a stage reports; the stages before it are kept.
pub fn run(
    suite: &Suite,
    stage: Option<Stage>,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<PairsOutcome> {
    for (_, experiment) in suite.members() {
        tracking::server(&experiment.tracking, &environment.tracking)?; // an address that is none, before anything long
    }
    let dir = RunDir::open(&suite.base)?;
    let outcome = PairsOutcome {
        dir: dir.path().into(),
        tally: Tally::default(),
        truncated: 0,
        fits: Vec::new(),
        report: None,
        untracked: 0,
    };
    let bench = Bench::new(environment, progress);
    let mut run = Run { suite, dir, bench, corpora: Vec::new(), trackers: Vec::new(), outcome };
    let done = run.stages(stage);
    run.end(done)
}

/// Reads and splits the pairs of an experiment; gives what there is.
pub(crate) fn corpus_loads(
    experiment: &Experiment,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<String> {
    let corpus = SplitPairs::load(experiment, environment, progress)?;
    let split = &corpus.split;
    let [train, val, test] = [split.train.len(), split.val.len(), split.test.len()];
    let (documents, passages) = (corpus.documents(), corpus.pairs.passages.len());
    let parts = format!("{train} train, {val} validation, {test} test pairs");
    Ok(format!("{}: {parts}, {passages} passages of {documents} documents", corpus.name))
}

struct Run<'a> {
    suite: &'a Suite,
    dir: RunDir,
    bench: Bench<'a>,
    /// Those read so far, with the settings they were read by.
    corpora: Vec<(Experiment, SplitPairs)>,
    trackers: Vec<Tracker>,
    outcome: PairsOutcome,
}

/// One experiment of a suite.
struct Part<'a> {
    title: &'a str,
    experiment: &'a Experiment,
    member: Member,
    corpus: SplitPairs,
    vectors: PairVectors,
}

/// What was learnt makes of all queries and passages.
struct Learnt {
    queries: Embeddings,
    passages: Embeddings,
    record: PairsFit,
}

impl Run<'_> {
    /// One stage, or all of them.
    fn stages(&mut self, only: Option<Stage>) -> Result<()> {
        let does = |stage| only.is_none_or(|only| only == stage);
        let suite = self.suite;
        let mut views = Vec::new();
        for (name, experiment) in suite.members() {
            let (member, title) = (self.dir.member(name)?, name.unwrap_or(&experiment.name));
            let frozen = experiment.train.encoder == Learning::Frozen;
            match frozen {
                true if only.is_some_and(|only| only > Stage::Train) => drop(fit::load(&member)?),
                true => {}
                false => tuning::check(experiment)?,
            } // before anything long
            let corpus = self.corpus(experiment)?;
            let vectors = PairVectors::encode(&mut self.bench, experiment, &corpus)?;
            self.dir.save_config(suite)?;
            self.outcome.tally.add(vectors.tally);
            self.outcome.truncated = self.outcome.truncated.max(vectors.truncated);
            if only == Some(Stage::Encode) {
                continue;
            }
            let part = Part { title, experiment, member, corpus, vectors };
            let learnt = match frozen {
                true => self.adapter(&part, does(Stage::Train))?,
                false => self.encoder(&part, does(Stage::Train))?,
            };
            if does(Stage::Evaluate) {
                self.measure(&part, &learnt)?;
            }
            if does(Stage::Report) {
                let (metrics, curve) = (metrics(&part.member)?, Some(learnt.record.curve.clone()));
                views.push(RetrievalView { name: title.into(), metrics, curve });
            }
            self.outcome.fits.push((title.into(), learnt.record));
        }
        if does(Stage::Evaluate) {
            self.write_metrics()?;
        }
        if does(Stage::Report) {
            let report = report::report(suite, self.corpora.first().map(|(_, corpus)| corpus), views);
            report::write(self.dir.path(), &report)?;
            self.outcome.report = Some(report);
            let page = self.dir.path().join("report.html");
            self.trackers.iter().try_for_each(|tracker| tracker.artifact(&page, "report.html"))?;
        }
        Ok(())
    }

    /// Fits an adapter, or takes the one there is.
    fn adapter(&mut self, part: &Part<'_>, may_train: bool) -> Result<Learnt> {
        let Part { experiment, member, corpus, vectors, .. } = part;
        let lesson = fit::Lesson::of(experiment, corpus, vectors)?;
        let known = fit::current(&lesson, member);
        let known = if may_train { known.ok() } else { Some(known?) };
        let new = track(&mut self.trackers, part, &lesson.key()?, self.bench.environment)?;
        let untold = new || known.is_none();
        let (maps, record) = match known {
            Some(found) => found,
            None => fit::fit(&lesson, member, self.bench.progress)?,
        };
        if untold {
            self.record(&record, &member.adapter(), "adapter", &member.path().join(journal::METRICS))?;
        }
        Ok(Learnt {
            queries: maps.queries(&vectors.queries)?,
            passages: maps.passages(&vectors.passages)?,
            record,
        })
    }

    /// Trains the encoder, or takes the one there is, and encodes all texts with it.
    fn encoder(&mut self, part: &Part<'_>, may_train: bool) -> Result<Learnt> {
        let (trackers, environment) = (&mut self.trackers, self.bench.environment);
        let mut untold = false;
        let mut begin = |key: &Fingerprint, known: bool| {
            untold = track(trackers, part, key, environment)? || !known;
            Ok(())
        };
        let (own, record) = tuning::fit(&mut self.bench, part, may_train, &mut begin)?;
        self.outcome.tally.add(own.tally);
        if untold {
            let (dir, name) = tuned::artifacts(part.experiment, &part.member);
            self.record(&record, &dir, name, &part.member.path().join(tuned::METRICS))?;
        }
        Ok(Learnt { queries: own.queries, passages: own.passages, record })
    }

    /// Records how training went, what it made, the files below `made`, called `name`, and its metrics.
    fn record(&self, record: &PairsFit, made: &Path, name: &str, metrics: &Path) -> Result<()> {
        let Some(tracker) = self.trackers.last() else { return Ok(()) };
        tracking::fitted(tracker, &record.curve, made, name)?;
        match metrics.is_file() {
            true => Ok(tracker.artifact(metrics, "training_metrics.jsonl")?),
            false => Ok(()),
        }
    }

    fn measure(&self, part: &Part<'_>, learnt: &Learnt) -> Result<()> {
        let subject = evaluate::Subject {
            experiment: part.experiment,
            corpus: &part.corpus,
            vectors: &part.vectors,
            view: (&learnt.queries, &learnt.passages),
            record: &learnt.record,
        };
        let (metrics, queries) = evaluate::measure(&subject)?;
        part.member.write_text(QUERIES, &queries)?;
        part.member.write(METRICS, &metrics)?;
        let Some(tracker) = self.trackers.last() else { return Ok(()) };
        tracking::measured(tracker, &metrics, tracking::OF_PAIRS)?;
        let file = |name: &str| tracker.artifact(&part.member.path().join(name), name);
        Ok(file(METRICS).and_then(|()| file(QUERIES))?)
    }

    fn corpus(&mut self, experiment: &Experiment) -> Result<SplitPairs> {
        let same = |e: &Experiment| {
            let columns = |e: &Experiment| e.pairs.clone().unwrap_or_default().columns(&e.data);
            e.data == experiment.data && columns(e) == columns(experiment)
        };
        if let Some((_, corpus)) = self.corpora.iter().find(|(e, _)| same(e)) {
            return Ok(corpus.clone());
        }
        let corpus = SplitPairs::load(experiment, self.bench.environment, self.bench.progress)?;
        self.corpora.push((experiment.clone(), corpus.clone()));
        Ok(corpus)
    }

    /// The metrics of all variants in one file, by name.
    fn write_metrics(&self) -> Result<()> {
        if self.suite.variants.is_empty() {
            return Ok(());
        }
        let mut all = BTreeMap::new();
        for (name, _) in self.suite.members() {
            all.insert(name.unwrap_or_default(), metrics(&self.dir.member(name)?)?);
        }
        self.dir.member(None)?.write(METRICS, &all)
    }

    /// Ends the records as the run ended.
    fn end(mut self, done: Result<()>) -> Result<PairsOutcome> {
        let untracked = tracking::finish(self.trackers, &done);
        done?;
        self.outcome.untracked = untracked?;
        Ok(self.outcome)
    }
}

/// Begins the record of one part, or goes on with it; gives whether it began.
fn track(
    trackers: &mut Vec<Tracker>,
    part: &Part<'_>,
    key: &Fingerprint,
    environment: &Environment,
) -> Result<bool> {
    let encoder = &part.vectors.fingerprint;
    let (tracker, new) =
        tracking::open(part.title, part.experiment, &part.member, key, encoder, environment)?;
    trackers.push(tracker);
    Ok(new)
}

fn metrics(member: &Member) -> Result<RetrievalMetrics> {
    member.read(METRICS)?.ok_or_else(|| Error::Missing {
        path: member.path().into(),
        missing: format!("{METRICS} of the adapter there, found none"),
        cure: "evaluate".into(),
    })
}
