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

use crate::bench::Bench;
use crate::config::{Experiment, Learning, Suite};
use crate::encode::Tally;
use crate::run_dir::{METRICS, Member, RunDir};
use crate::{Environment, Error, Result, Stage};
use corpus::SplitPairs;
use manyview_adapter::Maps;
use manyview_core::Progress;
use manyview_report::{RetrievalMetrics, RetrievalReport, RetrievalView};
use std::collections::BTreeMap;
use std::path::PathBuf;
use vectors::PairVectors;

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
}

/// Runs the experiments of `suite`: one stage, or all of them.
///
/// What an earlier run finished is kept: vectors in the store, adapters whose inputs are the same, training from its
/// last checkpoint.
///
/// # Errors
/// Whatever a stage reports; the stages before it are kept.
pub fn run(
    suite: &Suite,
    stage: Option<Stage>,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<PairsOutcome> {
    let dir = RunDir::open(&suite.base)?;
    let outcome = PairsOutcome {
        dir: dir.path().into(),
        tally: Tally::default(),
        truncated: 0,
        fits: Vec::new(),
        report: None,
    };
    let mut run = Run { suite, dir, bench: Bench::new(environment, progress), corpora: Vec::new(), outcome };
    run.stages(stage)?;
    Ok(run.outcome)
}

struct Run<'a> {
    suite: &'a Suite,
    dir: RunDir,
    bench: Bench<'a>,
    /// Those read so far, with the settings they were read by.
    corpora: Vec<(Experiment, SplitPairs)>,
    outcome: PairsOutcome,
}

impl Run<'_> {
    /// One stage, or all of them.
    fn stages(&mut self, only: Option<Stage>) -> Result<()> {
        let does = |stage| only.is_none_or(|only| only == stage);
        let mut views = Vec::new();
        for (name, experiment) in self.suite.members() {
            let (member, title) = (self.dir.member(name)?, name.unwrap_or(&experiment.name));
            let frozen = experiment.train.encoder == Learning::Frozen;
            if frozen && only.is_some_and(|only| only > Stage::Train) {
                fit::load(&member)?; // before anything long
            }
            let corpus = self.corpus(experiment)?;
            let vectors = PairVectors::encode(&mut self.bench, experiment, &corpus)?;
            self.dir.save_config(self.suite)?;
            self.outcome.tally.add(vectors.tally);
            self.outcome.truncated = self.outcome.truncated.max(vectors.truncated);
            if only == Some(Stage::Encode) {
                continue;
            }
            let may_train = does(Stage::Train);
            let (queries, passages, record) = match frozen {
                true => {
                    let (maps, record) = self.fit(experiment, &corpus, &vectors, &member, may_train)?;
                    (maps.queries(&vectors.queries)?, maps.passages(&vectors.passages)?, record)
                }
                false => {
                    let (own, record) =
                        tuning::fit(&mut self.bench, experiment, &corpus, &member, may_train)?;
                    self.outcome.tally.add(own.tally);
                    (own.queries, own.passages, record)
                }
            };
            if does(Stage::Evaluate) {
                let subject = evaluate::Subject {
                    experiment,
                    corpus: &corpus,
                    vectors: &vectors,
                    view: (&queries, &passages),
                    record: &record,
                };
                member.write(METRICS, &evaluate::measure(&subject)?)?;
            }
            if does(Stage::Report) {
                let (metrics, curve) = (metrics(&member)?, Some(record.curve.clone()));
                views.push(RetrievalView { name: title.into(), metrics, curve });
            }
            self.outcome.fits.push((title.into(), record));
        }
        if does(Stage::Evaluate) {
            self.write_metrics()?;
        }
        if does(Stage::Report) {
            let report = report::report(self.suite, self.corpora.first().map(|(_, corpus)| corpus), views);
            report::write(self.dir.path(), &report)?;
            self.outcome.report = Some(report);
        }
        Ok(())
    }

    fn fit(
        &self,
        experiment: &Experiment,
        corpus: &SplitPairs,
        vectors: &PairVectors,
        member: &Member,
        may_train: bool,
    ) -> Result<(Maps, PairsFit)> {
        let lesson = fit::Lesson::of(experiment, corpus, vectors)?;
        match may_train {
            true => fit::fit(&lesson, member, self.bench.progress),
            false => fit::current(&lesson, member),
        }
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
}

fn metrics(member: &Member) -> Result<RetrievalMetrics> {
    member.read(METRICS)?.ok_or_else(|| Error::Missing {
        path: member.path().into(),
        missing: format!("{METRICS} of the adapter there, found none"),
        cure: "evaluate".into(),
    })
}
