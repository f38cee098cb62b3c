//! The tasks there are, by name: the only list of them.

use super::metrics::ComparedScores;
use super::{Retrieval, Scores, Task, Views, untagged};
use crate::config::{Experiment, Suite};
use crate::run::{self, FitRecord, Outcome, Stage, Stages, Tally, VariantDir};
use crate::{Environment, Error, Result};
use manyview_core::Progress;
use serde_json::Value;
use std::marker::PhantomData;
use std::path::PathBuf;

/// Every task.
const TASKS: [&dyn AnyTask; 3] =
    [&Erased::<Views>(PhantomData), &Erased::<Scores>(PhantomData), &Erased::<Retrieval>(PhantomData)];

/// What a run of any task left behind.
#[derive(Debug)]
pub struct RunSummary {
    /// The run directory.
    pub dir: PathBuf,
    /// What encoding took, all variants together.
    pub tally: Tally,
    /// Texts whose end was cut.
    pub truncated: usize,
    /// The smallest share of a corpus's tokens that an encoder read; none where no text was truncated.
    pub share_read: Option<f64>,
    /// The fits, by variant.
    pub fits: Vec<(String, FitRecord)>,
    /// The table of the report, once it is drawn.
    pub table: Option<String>,
    /// Tracked events that the server has not had yet.
    pub untracked: u64,
}

/// Runs the experiments of `suite`, one stage or all of them, whatever their task.
///
/// # Errors
/// Whatever a stage reports; the stages before it are kept.
pub fn run(
    suite: &Suite,
    stages: Stages,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<RunSummary> {
    of_name(suite.task()?)?.run(suite, stages, environment, progress)
}

/// The task of this name.
///
/// # Errors
/// [`Error::Setting`] for a name there is not.
pub(crate) fn of_name(name: &str) -> Result<&'static dyn AnyTask> {
    let found = TASKS.iter().find(|task| task.name() == name).copied();
    found.ok_or_else(|| {
        let known: Vec<&str> = TASKS.iter().map(|task| task.name()).collect();
        Error::setting("task", format!("expected one of {}, found `{name}`", known.join(", ")))
    })
}

/// The task of an experiment.
///
/// # Errors
/// An experiment that asks for none, or for several.
pub(crate) fn of_experiment(experiment: &Experiment) -> Result<&'static dyn AnyTask> {
    of_name(experiment.task()?)
}

/// What can be done with a task of which only the name is known.
pub(crate) trait AnyTask: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Runs a suite.
    fn run(
        &self,
        suite: &Suite,
        stages: Stages,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Result<RunSummary>;

    /// What an experiment needs before it starts.
    fn checks(
        &self,
        experiment: &Experiment,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Vec<(&'static str, Result<String>)>;

    /// Reads every file that a run left in the directory of a variant; gives what was fitted there.
    fn check_fit(&self, dir: &VariantDir) -> Result<String>;

    /// The scores to compare runs by, of what `metrics.json` in `dir` holds.
    fn scores(&self, dir: &VariantDir, metrics: Value) -> Result<ComparedScores>;
}

struct Erased<T>(PhantomData<fn() -> T>);

impl<T: Task> AnyTask for Erased<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn run(
        &self,
        suite: &Suite,
        stages: Stages,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Result<RunSummary> {
        let Outcome { dir, tally, truncated, share_read, fits, report, untracked, .. } =
            run::run::<T>(suite, stages, environment, progress)?;
        let table = report.map(|report| report.table());
        Ok(RunSummary { dir, tally, truncated, share_read, fits, table, untracked })
    }

    fn checks(
        &self,
        experiment: &Experiment,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Vec<(&'static str, Result<String>)> {
        match T::spec(experiment, Stage::Encode) {
            Ok(spec) => T::checks(&spec, environment, progress),
            Err(e) => vec![("settings", Err(e))],
        }
    }

    fn check_fit(&self, dir: &VariantDir) -> Result<String> {
        run::check_fit::<T>(dir)
    }

    fn scores(&self, dir: &VariantDir, metrics: Value) -> Result<ComparedScores> {
        let (_, metrics) = untagged(dir, metrics)?;
        dir.parsed(run::METRICS, serde_json::from_value::<T::Metrics>(metrics)).map(|m| T::scores(&m))
    }
}
