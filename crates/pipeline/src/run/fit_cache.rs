//! Cached fits, under a key of everything they depend on.

use super::directory::{CURVE, METRICS, VariantDir};
use crate::task::{Closeness, Task, metrics};
use crate::{Error, Result};
use manyview_artifact::FIT;
use manyview_core::Fingerprint;
use manyview_data::Table;
use manyview_report::Curve;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The record of a fit beside the artifact: `fit.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitRecord {
    /// `views`, `scores` or `retrieval`.
    pub task: String,
    /// Identity of everything the fit depends on: the same key, the same fit.
    pub key: Fingerprint,
    /// The method, such as `ridge`.
    pub method: String,
    /// The directory of the artifact beside this file: `adapter`, `head` or `encoder`.
    pub artifact: String,
    /// Number of training rows.
    pub rows: usize,
    /// Wall time in seconds, including fine-tuning of the encoder.
    pub seconds: f64,
    /// Metrics and selected settings, by name.
    pub metrics: BTreeMap<String, f64>,
    /// The scores of the penalties, or the epochs of training.
    pub curve: Curve,
    /// Whether validation rows selected anything.
    pub used_validation: bool,
    /// How close the view of training rows is to the teacher, if the teacher sees no test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closeness: Option<Closeness>,
    /// Identity of the fine-tuning of the encoder, if it was fine-tuned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tuning: Option<Fingerprint>,
}

impl FitRecord {
    /// The record of a fit under `key` by `method` on `rows` rows. The driver fills in the task, the time and, if it
    /// is empty, the artifact.
    pub fn new(key: &Fingerprint, method: &str, rows: usize, curve: Curve) -> Self {
        Self {
            task: String::new(),
            key: key.clone(),
            method: method.into(),
            artifact: String::new(),
            rows,
            seconds: 0.0,
            metrics: BTreeMap::new(),
            curve,
            used_validation: false,
            closeness: None,
            fine_tuning: None,
        }
    }
}

/// Saves a fit.
///
/// # Errors
/// Files that cannot be written.
pub(super) fn store<T: Task>(
    spec: &T::Spec,
    data: &T::Data,
    model: &T::Model,
    record: &FitRecord,
    dir: &VariantDir,
) -> Result<()> {
    dir.forget_metrics()?;
    T::save(spec, data, model, record, dir)?;
    dir.write_text(CURVE, &record.curve.csv())?;
    dir.write(FIT, record)
}

/// The saved fit, if it has these settings and texts.
///
/// # Errors
/// [`Error::Missing`] if there is none, or one with other settings: its training texts may be test texts here.
pub(super) fn current<T: Task>(dir: &VariantDir, key: &Fingerprint) -> Result<(T::Model, FitRecord)> {
    let found = load::<T>(dir)?;
    if found.1.key == *key {
        return Ok(found);
    }
    let (article, model) = (article(T::MODEL), T::MODEL);
    let missing = format!("{article} {model} fitted with these settings, found one of other settings");
    Err(Error::Missing { path: dir.path().into(), missing, cure: "train".into() })
}

/// The fit in `dir`, with any settings.
///
/// # Errors
/// [`Error::Missing`] when there is none.
pub(crate) fn load<T: Task>(dir: &VariantDir) -> Result<(T::Model, FitRecord)> {
    let missing = |missing: &str| Error::Missing {
        path: dir.path().into(),
        missing: format!("a fitted {}{missing}", T::MODEL),
        cure: "train".into(),
    };
    let record = dir.read::<FitRecord>(FIT)?.ok_or_else(|| missing(", found none"))?;
    if record.task != T::NAME {
        return Err(missing(&format!(" of {}, found a fit of {}", T::NAME, record.task)));
    }
    let (model, key) = T::open(dir, &record)?;
    match key.as_ref() == Some(&record.key) {
        true => Ok((model, record)),
        false => Err(missing(" and its record, found a record of another fit")),
    }
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// Reads every file of the fit in `dir`, and its metrics if there are any; returns the directory of the artifact.
///
/// # Errors
/// The first file that is damaged or belongs to another fit, with the cure.
pub(crate) fn check<T: Task>(dir: &VariantDir) -> Result<String> {
    let (_, record) = load::<T>(dir)?;
    check_curve(dir, &record)?;
    if dir.path().join(METRICS).is_file() {
        T::check_files(dir, &metrics::<T>(dir)?)?;
    }
    Ok(record.artifact)
}

/// Checks that the curve in `dir` is that of `record`.
///
/// # Errors
/// A curve that is damaged or of another fit.
pub(super) fn check_curve(dir: &VariantDir, record: &FitRecord) -> Result<()> {
    let path = dir.path().join(CURVE);
    let wrong = |found: String| {
        let problem =
            format!("expected the curve of the fit in {FIT}, found {found}; run `manyview run` again");
        Error::File { path: path.clone(), problem }
    };
    let table = Table::read_all(std::slice::from_ref(&path), &[]).map_err(|e| wrong(e.to_string()))?;
    for column in &record.curve.columns {
        let cells = table.column(&column.name).map_err(|e| wrong(e.to_string()))?;
        let found = cells.iter().map(|cell| cell.as_ref().and_then(|cell| cell.parse::<f64>().ok()));
        let same = |(a, b): (Option<f64>, &Option<f64>)| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs(), // JSON may be off by the last bit
            (a, b) => a == *b,
        };
        if cells.len() != column.values.len() || !found.zip(&column.values).all(same) {
            return Err(wrong(format!("other values of `{}`", column.name)));
        }
    }
    Ok(())
}
