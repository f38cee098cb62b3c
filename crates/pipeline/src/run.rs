use crate::bench::{Bench, Prepared};
use crate::config::{Experiment, Suite};
use crate::encode::Tally;
use crate::evaluate::{self, Sight, Subject};
use crate::fit::{self, FitRecord, Supervision};
use crate::plain::{PlainScores, SCORES};
use crate::run_dir::{METRICS, Member, RunDir};
use crate::teacher::{self, Lesson};
use crate::{Environment, Error, Result, report, tracking};
use manyview_adapter::Linear;
use manyview_core::{Fingerprint, Progress};
use manyview_report::{Metrics, Report, ViewReport};
use manyview_track::Tracker;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Encodes the corpus into the store.
    Encode,
    /// Asks the teacher and fits the adapter.
    Train,
    /// Scores the views.
    Evaluate,
    /// Draws the report.
    Report,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Outcome {
    /// The run directory.
    pub dir: PathBuf,
    /// What encoding took, all experiments together.
    pub tally: Tally,
    /// Texts of the corpora whose end was cut.
    pub truncated: usize,
    /// The fits, by experiment.
    pub fits: Vec<(String, FitRecord)>,
    /// The report, once it is drawn.
    pub report: Option<Report>,
    /// Tracked events that the server has not had yet.
    pub untracked: u64,
}

/// Runs the experiments of `suite` through every stage, from encoding to the report.
///
/// What an earlier run finished is kept: vectors in the store, adapters whose inputs are the same, training from its
/// last checkpoint.
///
/// # Errors
/// Whatever a stage reports; the stages before it are kept.
pub fn run(suite: &Suite, environment: &Environment, progress: &dyn Progress) -> Result<Outcome> {
    let mut run = Run::open(suite, Stage::Report, environment, progress)?;
    let done = run.through();
    run.end(done)
}

/// Runs one stage of the experiments of `suite`.
///
/// # Errors
/// Whatever the stage reports; [`Error::Missing`] when the stage it builds on was not run.
pub fn run_stage(
    suite: &Suite,
    stage: Stage,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let mut run = Run::open(suite, stage, environment, progress)?;
    let done = run.only(stage);
    run.end(done)
}

struct Run<'a> {
    suite: &'a Suite,
    dir: RunDir,
    bench: Bench<'a>,
    outcome: Outcome,
    views: Vec<ViewReport>,
    trackers: Vec<Tracker>,
}

impl<'a> Run<'a> {
    fn open(
        suite: &'a Suite,
        last: Stage,
        environment: &'a Environment,
        progress: &'a dyn Progress,
    ) -> Result<Self> {
        let unlabelled = suite.members().iter().any(|(_, e)| e.data.source.is_empty());
        if unlabelled && last > Stage::Train {
            let problem = "expected a corpus with a column of labels to score the views against, found vectors alone; \
                           `manyview train` fits without";
            return Err(Error::setting("data.source", problem));
        }
        for (_, experiment) in suite.members() {
            tracking::server(&experiment.tracking, &environment.tracking)?; // an address that is none, before anything long
        }
        let dir = RunDir::open(&suite.base)?;
        let outcome = Outcome {
            dir: dir.path().into(),
            tally: Tally::default(),
            truncated: 0,
            fits: Vec::new(),
            report: None,
            untracked: 0,
        };
        Ok(Self {
            suite,
            dir,
            bench: Bench::new(environment, progress),
            outcome,
            views: Vec::new(),
            trackers: Vec::new(),
        })
    }

    fn through(&mut self) -> Result<()> {
        for (name, experiment) in self.suite.members() {
            let (member, title) = (self.dir.member(name)?, name.unwrap_or(&experiment.name));
            let mut prepared = self.bench.prepare(experiment)?;
            let lesson = self.teach(experiment, &mut prepared)?;
            let (linear, record) = self.fit(title, experiment, &prepared, &lesson, &member)?;
            self.dir.save_config(self.suite)?;
            let (metrics, sight) = self.measure(experiment, &mut prepared, &lesson, &linear, &record)?;
            self.keep(&member, &metrics)?;
            self.draw(title, experiment, &prepared, &sight, metrics, &record)?;
            self.finish(title, prepared, Some(record));
        }
        self.write_metrics()?;
        self.report(Stage::Report)
    }

    fn only(&mut self, stage: Stage) -> Result<()> {
        for (name, experiment) in self.suite.members() {
            let (member, title) = (self.dir.member(name)?, name.unwrap_or(&experiment.name));
            if stage > Stage::Train {
                fit::load(&member)?; // before anything long
            }
            if stage == Stage::Report {
                metrics(&member)?;
            }
            let mut prepared = self.bench.prepare(experiment)?;
            if stage == Stage::Encode {
                self.dir.save_config(self.suite)?;
                self.finish(title, prepared, None);
                continue;
            }
            let lesson = self.teach(experiment, &mut prepared)?;
            if stage == Stage::Train {
                let (_, record) = self.fit(title, experiment, &prepared, &lesson, &member)?;
                self.dir.save_config(self.suite)?;
                self.finish(title, prepared, Some(record));
                continue;
            }
            let (linear, record) = fit::current(&supervision(experiment, &prepared, &lesson), &member)?;
            self.dir.save_config(self.suite)?;
            self.track(title, experiment, &prepared, &member, &record.key)?;
            if stage == Stage::Evaluate {
                let (metrics, _) = self.measure(experiment, &mut prepared, &lesson, &linear, &record)?;
                self.keep(&member, &metrics)?;
            } else {
                let metrics = metrics(&member)?;
                let teacher = lesson.test.clone();
                let sight =
                    Sight::of(prepared.corpus.split.test.clone(), &prepared.base, &lesson, &linear, teacher)?;
                self.draw(title, experiment, &prepared, &sight, metrics, &record)?;
            }
            self.finish(title, prepared, Some(record));
        }
        if stage == Stage::Evaluate {
            self.write_metrics()?;
        }
        self.report(stage)
    }

    fn teach(&self, experiment: &Experiment, prepared: &mut Prepared) -> Result<Lesson> {
        teacher::teach(experiment, &prepared.corpus, prepared.vectors.as_mut(), self.bench.progress)
    }

    fn fit(
        &mut self,
        title: &str,
        experiment: &Experiment,
        prepared: &Prepared,
        lesson: &Lesson,
        member: &Member,
    ) -> Result<(Linear, FitRecord)> {
        if self.bench.progress.stopped() {
            return Err(Error::Core(manyview_core::Error::Interrupted));
        }
        let supervision = supervision(experiment, prepared, lesson);
        let new = self.track(title, experiment, prepared, member, &supervision.key()?)?;
        let known = fit::current(&supervision, member).is_ok();
        let (linear, record) = fit::fit(&supervision, member, self.bench.progress)?;
        if let Some(tracker) = self.trackers.last().filter(|_| new || !known) {
            tracking::fitted(tracker, &record.curve, &member.adapter(), "adapter")?;
        }
        Ok((linear, record))
    }

    /// Begins the record of one view, or goes on with it; gives whether it began.
    fn track(
        &mut self,
        title: &str,
        experiment: &Experiment,
        prepared: &Prepared,
        member: &Member,
        key: &Fingerprint,
    ) -> Result<bool> {
        let (encoder, environment) = (&prepared.fingerprint, self.bench.environment);
        let (tracker, new) = tracking::open(title, experiment, member, key, encoder, environment)?;
        self.trackers.push(tracker);
        Ok(new)
    }

    /// Writes what was measured, and records it.
    fn keep(&self, member: &Member, metrics: &Metrics) -> Result<()> {
        member.write(METRICS, metrics)?;
        member.write(SCORES, &PlainScores::of(metrics))?;
        let Some(tracker) = self.trackers.last() else { return Ok(()) };
        tracking::measured(tracker, metrics, tracking::OF_VIEWS)?;
        Ok(tracker.artifact(&member.path().join(METRICS), METRICS)?)
    }

    fn measure(
        &mut self,
        experiment: &Experiment,
        prepared: &mut Prepared,
        lesson: &Lesson,
        linear: &Linear,
        record: &FitRecord,
    ) -> Result<(Metrics, Sight)> {
        let timings = self.bench.timings(experiment, prepared, linear)?;
        let subject = Subject {
            experiment,
            corpus: &prepared.corpus,
            base: &prepared.base,
            lesson,
            linear,
            record,
            encoder: prepared.fingerprint.clone(),
            tally: prepared.tally(),
            truncated: prepared.truncated,
            progress: self.bench.progress,
        };
        evaluate::measure(&subject, &timings)
    }

    fn draw(
        &mut self,
        title: &str,
        experiment: &Experiment,
        prepared: &Prepared,
        sight: &Sight,
        metrics: Metrics,
        record: &FitRecord,
    ) -> Result<()> {
        let maps = report::maps(experiment, &prepared.corpus, sight)?;
        self.views.push(ViewReport { name: title.into(), metrics, maps, curve: Some(record.curve.clone()) });
        Ok(())
    }

    fn finish(&mut self, title: &str, prepared: Prepared, record: Option<FitRecord>) {
        self.outcome.tally.add(prepared.tally());
        self.outcome.truncated = self.outcome.truncated.max(prepared.truncated);
        self.outcome.fits.extend(record.map(|record| (title.to_string(), record)));
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

    fn report(&mut self, stage: Stage) -> Result<()> {
        if stage == Stage::Report {
            let corpus =
                self.bench.corpus(&self.suite.members().first().map_or(&self.suite.base, |m| m.1).data)?;
            let report = report::report(self.suite, &corpus, std::mem::take(&mut self.views));
            report::write(self.dir.path(), &report)?;
            self.outcome.report = Some(report);
            let page = self.dir.path().join("report.html");
            self.trackers.iter().try_for_each(|tracker| tracker.artifact(&page, "report.html"))?;
        }
        Ok(())
    }

    /// Ends the records as the run ended.
    fn end(mut self, done: Result<()>) -> Result<Outcome> {
        let untracked = tracking::finish(self.trackers, &done);
        done?;
        self.outcome.untracked = untracked?;
        Ok(self.outcome)
    }
}

fn metrics(member: &Member) -> Result<Metrics> {
    member.read(METRICS)?.ok_or_else(|| Error::Missing {
        path: member.path().into(),
        missing: format!("{METRICS} of the adapter there, found none"),
        cure: "evaluate".into(),
    })
}

fn supervision<'a>(
    experiment: &'a Experiment,
    prepared: &'a Prepared,
    lesson: &'a Lesson,
) -> Supervision<'a> {
    let encoder = prepared.fingerprint.clone();
    Supervision { experiment, corpus: &prepared.corpus, base: &prepared.base, lesson, encoder }
}
