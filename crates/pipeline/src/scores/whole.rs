//! Whether the files of a run are what it wrote.

use super::fit::{self, HISTORY};
use super::report::{METADATA, PREDICTIONS};
use crate::run_dir::{METRICS, Member};
use crate::{Error, Result};
use manyview_data::Table;
use manyview_report::{HeadCurve, HeadMetrics};
use serde_json::Value;
use std::path::Path;

/// Reads every file of the head in `member`, as far as the run got.
///
/// # Errors
/// The first that is damaged or does not belong to the others, with the cure.
pub(crate) fn check(member: &Member) -> Result<()> {
    let (_, record) = fit::load(member)?;
    let wrong = |name: &str, found: String| {
        let problem = format!("expected what belongs to the head, found {found}; run `manyview run` again");
        Err(Error::File { path: member.path().join(name), problem })
    };
    match member.read::<HeadCurve>(HISTORY)? {
        Some(curve) if curve == record.curve => {}
        Some(_) => return wrong(HISTORY, "another training".into()),
        None => return wrong(HISTORY, "no file".into()),
    }
    let Some(metrics) = member.read::<HeadMetrics>(METRICS)? else { return Ok(()) };
    if member.read::<Value>(METADATA)?.is_none() {
        return wrong(METADATA, "no file".into());
    }
    match predictions(&member.path().join(PREDICTIONS), &metrics) {
        Ok(rows) if rows == metrics.n_test => Ok(()),
        Ok(rows) => wrong(PREDICTIONS, format!("figures of {rows} texts, not of {}", metrics.n_test)),
        Err(e) => wrong(PREDICTIONS, e.to_string()),
    }
}

/// The rows of a table of predictions up to the first that lacks a figure.
fn predictions(path: &Path, metrics: &HeadMetrics) -> Result<usize> {
    let table = Table::read_all(&[path.into()], &[])?;
    let mut whole = table.n();
    for dimension in &metrics.dimensions {
        for name in [dimension.name.clone(), format!("{}_predicted", dimension.name)] {
            let figure =
                |cell: &Option<String>| cell.as_ref().is_some_and(|cell| cell.parse::<f64>().is_ok());
            whole = whole.min(table.column(&name)?.iter().take_while(|cell| figure(cell)).count());
        }
    }
    Ok(whole)
}
