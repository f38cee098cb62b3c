//! What was measured of an artifact, for its model card.

use crate::{Error, Opened, Result};
use manyview_report::{RetrievalMetrics, ScoresMetrics, ViewsMetrics};
use serde_json::Value;
use std::io::ErrorKind;

/// The metrics of a run, beside what was fitted.
const METRICS: &str = "metrics.json";

/// What was measured of an artifact, by its task.
pub(super) enum Measured {
    Views(Box<ViewsMetrics>),
    Scores(Box<ScoresMetrics>),
    Retrieval(Box<RetrievalMetrics>),
}

/// What was measured of the artifact in its run, where it was.
///
/// # Errors
/// Metrics that cannot be read.
pub(super) fn measured(opened: &Opened) -> Result<Option<Measured>> {
    let is_in_run = opened.dir.ends_with("adapter") || opened.dir.ends_with("head");
    let parent = opened.dir.parent().filter(|_| is_in_run);
    let path = parent.unwrap_or(&opened.dir).join(METRICS);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path)(e)),
    };
    parse(&bytes, opened).map_err(|e| Error::File {
        path,
        problem: format!("expected metrics, found {e}; run `manyview evaluate` again, or delete it"),
    })
}

fn parse(bytes: &[u8], opened: &Opened) -> serde_json::Result<Option<Measured>> {
    let mut found: Value = serde_json::from_slice(bytes)?;
    let encoder = found.get("encoder_fingerprint").and_then(Value::as_str);
    if encoder != Some(opened.card.encoder_fingerprint.as_str()) {
        return Ok(None);
    }
    let task = found.as_object_mut().and_then(|all| all.remove("task"));
    match task.as_ref().and_then(Value::as_str) {
        Some("views") => serde_json::from_value(found).map(Measured::Views).map(Some),
        Some("scores") => serde_json::from_value(found).map(Measured::Scores).map(Some),
        Some("retrieval") => serde_json::from_value(found).map(Measured::Retrieval).map(Some),
        _ => Ok(None),
    }
}
