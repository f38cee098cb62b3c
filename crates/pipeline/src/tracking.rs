//! What of a run is recorded for a tracking server: settings, hashes, curves, scores, files.

use crate::config::{Experiment, Tracking};
use crate::run_dir::Member;
use crate::runs::flat;
use crate::{Environment, Error, Result};
use manyview_core::{Fingerprint, Kind};
use manyview_report::Curve;
use manyview_track::{RunInfo, Server, Status, Synced, Tracker};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Below a run directory, the records of what was tracked: one directory for each set of settings.
const RECORDS: &str = "tracking";
/// The file of a record.
const LOG: &str = "tracking.jsonl";
/// Figures that every view of every run has, by their keys in `metrics.json`.
pub(crate) const OF_VIEWS: &[&str] =
    &["views.", "gain", "fidelity.", "latency_ms.", "speedup", "n_", "fit.seconds", "encoding."];
/// Those of what learnt from pairs.
pub(crate) const OF_PAIRS: &[&str] =
    &["views.", "gain", "over_bm25", "counts.", "leaks.", "fit.", "encoding."];

/// The credentials of a tracking server, and its address where the experiment names none.
#[derive(Clone, Debug, Default)]
pub struct TrackingAccess {
    /// `http://` or `https://`.
    pub uri: Option<String>,
    /// A bearer token.
    pub token: Option<Secret>,
    /// A user and a password.
    pub user: Option<(String, Secret)>,
}

/// A token or password, which `Debug` does not show.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The server of `tracking`, or of the environment; none when neither names one.
///
/// # Errors
/// An address that is none.
pub(crate) fn server(tracking: &Tracking, access: &TrackingAccess) -> Result<Option<Server>> {
    let Some(uri) = tracking.uri.as_ref().or(access.uri.as_ref()) else { return Ok(None) };
    let mut server = Server::new(uri)?;
    if let Some((user, Secret(password))) = &access.user {
        server = server.basic(user, password);
    }
    if let Some(Secret(token)) = &access.token {
        server = server.bearer(token);
    }
    Ok(Some(server))
}

/// Begins the record of one view, or goes on with it: the settings are those of the fit with this `key`. Gives whether
/// it began.
///
/// # Errors
/// A record that cannot be written, or an address of a server that is none.
pub(crate) fn open(
    title: &str,
    experiment: &Experiment,
    member: &Member,
    key: &Fingerprint,
    encoder: &Fingerprint,
    environment: &Environment,
) -> Result<(Tracker, bool)> {
    let settings =
        serde_json::to_value(experiment).map_err(|e| Error::setting("experiment", e.to_string()))?;
    let params = flat(&settings).into_iter().map(|(key, value)| (key, text(&value))).collect();
    let note = match (&experiment.scores, &experiment.pairs) {
        (Some(scores), _) => format!("Scores by {}", scores.filter.display()),
        (None, Some(pairs)) => pairs.instruction.clone(),
        (None, None) => experiment.teacher.instruction.clone(),
    };
    let tags = [
        ("manyview.version", env!("CARGO_PKG_VERSION").to_string()),
        ("fit.key", key.to_string()),
        ("encoder.fingerprint", encoder.to_string()),
        ("mlflow.source.name", "manyview".into()),
        ("mlflow.note.content", note),
    ];
    let info = RunInfo {
        name: if title == experiment.name { title.into() } else { format!("{}/{title}", experiment.name) },
        experiment: experiment.tracking.experiment.clone().unwrap_or_else(|| experiment.name.clone()),
        params,
        tags: tags.into_iter().map(|(key, value)| (key.to_string(), value)).collect(),
    };
    let dir = member.path().join(RECORDS).join(key.short());
    let new = !dir.join(LOG).is_file();
    Ok((Tracker::open(&dir, server(&experiment.tracking, &environment.tracking)?, info)?, new))
}

/// Records how a fit went, and every file below `dir`, which holds what was fitted and is called `name`.
///
/// # Errors
/// A record that cannot be written, a directory that cannot be read.
pub(crate) fn fitted(tracker: &Tracker, curve: &Curve, dir: &Path, name: &str) -> Result<()> {
    match curve {
        Curve::Penalty { points, .. } => {
            for (step, point) in points.iter().enumerate() {
                let scores = [
                    ("lambda", point.lambda),
                    ("leave_one_out_mse", point.mse),
                    ("leave_one_out_cosine", point.cosine),
                ];
                tracker.metrics(&named(scores), step as u64)?;
            }
        }
        Curve::Training { epochs, .. } => {
            for epoch in epochs {
                let known = [("val_loss", epoch.val_loss), ("val_score", epoch.score)];
                let known = known.into_iter().filter_map(|(key, value)| Some((key, value?)));
                tracker
                    .metrics(&named(known.chain([("train_loss", epoch.train_loss)])), epoch.epoch as u64)?;
            }
        }
    }
    artifacts(tracker, dir, name)
}

/// Records every file below `dir`, which is called `name`.
pub(crate) fn artifacts(tracker: &Tracker, dir: &Path, name: &str) -> Result<()> {
    let mut open = vec![(dir.to_path_buf(), name.to_string())];
    while let Some((dir, name)) = open.pop() {
        for entry in std::fs::read_dir(&dir).map_err(Error::io(&dir))? {
            let path = entry.map_err(Error::io(&dir))?.path();
            let name = format!("{name}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            match path.is_dir() {
                true => open.push((path, name)),
                false => tracker.artifact(&path, &name)?,
            }
        }
    }
    Ok(())
}

/// Records the figures of `metrics` whose keys begin with one of `wanted`. A server takes no `@` in a key.
///
/// # Errors
/// A record that cannot be written.
pub(crate) fn measured(tracker: &Tracker, metrics: &impl Serialize, wanted: &[&str]) -> Result<()> {
    let all = serde_json::to_value(metrics).map_err(|e| Error::setting("metrics", e.to_string()))?;
    let scores = flat(&all).into_iter().filter(|(key, _)| wanted.iter().any(|score| key.starts_with(score)));
    let scores =
        scores.filter_map(|(key, value)| Some((key.replace('@', "_at_"), value.as_f64()?))).collect();
    Ok(tracker.metrics(&scores, 0)?)
}

/// Sends what a server has not had yet, of every record below `dir`; gives the records with what was sent and is left.
///
/// # Errors
/// No server named, or records that cannot be read.
pub fn sync_tracking(
    dir: &Path,
    tracking: &Tracking,
    environment: &Environment,
    progress: &dyn manyview_core::Progress,
) -> Result<Vec<(PathBuf, Synced)>> {
    let Some(server) = server(tracking, &environment.tracking)? else {
        let problem = "expected the address of a server, here or in MLFLOW_TRACKING_URI; found none";
        return Err(Error::setting("tracking.uri", problem));
    };
    let records = records(dir)?;
    records.into_iter().map(|dir| Ok((dir.clone(), manyview_track::sync(&dir, &server, progress)?))).collect()
}

/// Ends every record as the run ended; gives the number of events that a server has not had.
pub(crate) fn finish(trackers: Vec<Tracker>, done: &Result<()>) -> Result<u64> {
    let status = match done {
        Ok(()) => Status::Finished,
        Err(e) if e.kind() == Kind::Interrupted => Status::Killed,
        Err(_) => Status::Failed,
    };
    let left = trackers.into_iter().map(|tracker| Ok(tracker.finish(status)?.left));
    left.sum::<Result<u64>>()
}

/// The directories with a record, below `dir`.
fn records(dir: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(dir) = open.pop() {
        if dir.join(LOG).is_file() {
            found.push(dir.clone());
        }
        let entries = std::fs::read_dir(&dir).map_err(Error::io(&dir))?.flatten().map(|entry| entry.path());
        open.extend(entries.filter(|path| path.is_dir() && !path.is_symlink()));
    }
    found.sort();
    Ok(found)
}

fn named<'a>(values: impl IntoIterator<Item = (&'a str, f64)>) -> BTreeMap<String, f64> {
    values.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}
