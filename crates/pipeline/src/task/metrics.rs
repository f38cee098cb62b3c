//! `metrics.json` and `scores.json`: one form for every task.

use super::Task;
use crate::run::{METRICS, VariantDir};
use crate::{Error, Result};
use manyview_core::Estimate;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Metrics with the name of their task.
#[derive(Serialize)]
#[serde(bound = "")]
pub struct Tagged<'a, T: Task> {
    task: &'static str,
    #[serde(flatten)]
    metrics: &'a T::Metrics,
}

impl<'a, T: Task> Tagged<'a, T> {
    /// The metrics of a task.
    pub fn of(metrics: &'a T::Metrics) -> Self {
        Self { task: T::NAME, metrics }
    }
}

/// The scores to compare runs by: no times, so the same settings give the same.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedScores {
    /// The measure that decides, such as `v_measure`.
    pub measure: &'static str,
    /// Of what was there before: stored vectors, the mean.
    pub base: f64,
    /// Of what was fitted.
    pub adapter: f64,
    /// Of other views, by name.
    pub others: Vec<(&'static str, Option<f64>)>,
    /// What is gained over the base, with its interval; none where it could not be measured.
    pub gain: Option<Estimate>,
    /// Further figures, by name.
    pub more: Vec<(&'static str, f64)>,
    /// What was measured, for people: label or filter, corpus, encoder.
    pub of: String,
}

impl ComparedScores {
    /// A measure of what was there before and of what was fitted; `of` says what was measured.
    pub fn new(measure: &'static str, [base, adapter]: [f64; 2], of: impl Into<String>) -> Self {
        Self { measure, base, adapter, others: Vec::new(), gain: None, more: Vec::new(), of: of.into() }
    }

    /// As `scores.json` has them.
    pub(crate) fn flat(&self, task: &str) -> Map<String, Value> {
        let views = [("base", Some(self.base)), ("adapter", Some(self.adapter))];
        let views = views.iter().chain(&self.others).filter_map(|(name, value)| Some((*name, (*value)?)));
        let views: BTreeMap<&str, f64> = views.collect();
        let mut all = Map::from_iter([
            ("task".to_string(), Value::from(task)),
            (self.measure.into(), Value::from_iter(views)),
        ]);
        if let Some(gain) = self.gain {
            let named = [("gain", gain.value), ("gain_low", gain.low), ("gain_high", gain.high)];
            all.extend(named.map(|(name, value)| (name.to_string(), value.into())));
        }
        all.extend(self.more.iter().map(|(name, value)| ((*name).to_string(), (*value).into())));
        all
    }
}

/// The metrics in the directory of a variant.
///
/// # Errors
/// [`Error::Missing`] when there are none; [`Error::File`] for a file of another task or of an earlier version.
pub(crate) fn metrics<T: Task>(dir: &VariantDir) -> Result<T::Metrics> {
    let found = dir.read::<Value>(METRICS)?.ok_or_else(|| Error::Missing {
        path: dir.path().into(),
        missing: format!("{METRICS} of the {} there, found none", T::MODEL),
        cure: "evaluate".into(),
    })?;
    let (task, metrics) = untagged(dir, found)?;
    match task == T::NAME {
        true => dir.parsed(METRICS, serde_json::from_value(metrics)),
        false => Err(Error::File {
            path: dir.path().join(METRICS),
            problem: format!(
                "expected metrics of {}, found those of {task}; run `manyview evaluate`",
                T::NAME
            ),
        }),
    }
}

/// The task and the metrics of what `metrics.json` in `dir` holds.
///
/// # Errors
/// [`Error::File`] where no task is named: an earlier version wrote it.
pub(crate) fn untagged(dir: &VariantDir, mut found: Value) -> Result<(String, Value)> {
    let task = found.as_object_mut().and_then(|all| all.remove("task"));
    match task.as_ref().and_then(Value::as_str) {
        Some(task) => Ok((task.into(), found)),
        None => Err(Error::File {
            path: dir.path().join(METRICS),
            problem: "expected metrics with the name of their `task`, found none: an earlier version wrote them; run \
                      `manyview run` again"
                .into(),
        }),
    }
}
