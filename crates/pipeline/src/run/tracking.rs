//! Records of a run for a tracking server: settings, hashes, curves, scores, files.

use super::directory::{CURVE, METRICS, SCORES, VariantDir};
use super::driver::Variant;
use super::fine_tuning;
use super::fit_cache::FitRecord;
use crate::config::Tracking;
use crate::task::Task;
use crate::{Environment, Error, Result};
use manyview_artifact::ENCODER;
use manyview_core::{Fingerprint, Kind};
use manyview_encoder::finetune::FineTuned;
use manyview_report::CurveRows;
use manyview_track::{RunInfo, Server, Status, Synced, Tracker};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Below a run directory, the records of what was tracked: one directory for each set of settings.
const RECORDS: &str = "tracking";
/// The file of a record.
const LOG: &str = "tracking.jsonl";
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

/// Begins or continues the record of one variant, with the settings of the fit under `key`. Returns whether it is
/// new.
///
/// # Errors
/// A record that cannot be written, or an address of a server that is none.
pub(super) fn open<T: Task>(
    variant: &Variant<'_, T>,
    dir: &VariantDir,
    (key, encoder): (&Fingerprint, &Fingerprint),
    environment: &Environment,
) -> Result<(Tracker, bool)> {
    let (experiment, title) = (variant.experiment, variant.title);
    let settings =
        serde_json::to_value(experiment).map_err(|e| Error::setting("experiment", e.to_string()))?;
    let params = flat(&settings).into_iter().map(|(key, value)| (key, text(&value))).collect();
    let tags = [
        ("manyview.version", env!("CARGO_PKG_VERSION").to_string()),
        ("manyview.task", T::NAME.into()),
        ("fit.key", key.to_string()),
        ("encoder.fingerprint", encoder.to_string()),
        ("mlflow.source.name", "manyview".into()),
        ("mlflow.note.content", T::note(&variant.spec)),
    ];
    let info = RunInfo {
        name: if title == experiment.name { title.into() } else { format!("{}/{title}", experiment.name) },
        experiment: experiment.tracking.experiment.clone().unwrap_or_else(|| experiment.name.clone()),
        params,
        tags: tags.into_iter().map(|(key, value)| (key.to_string(), value)).collect(),
    };
    let record = dir.path().join(RECORDS).join(key.short());
    let new = !record.join(LOG).is_file();
    Ok((Tracker::open(&record, server(&experiment.tracking, &environment.tracking)?, info)?, new))
}

/// Records the curve of a fit and the files of its artifact.
///
/// # Errors
/// A record that cannot be written, a directory that cannot be read.
pub(super) fn fitted<T: Task>(
    tracker: &Tracker,
    dir: &VariantDir,
    record: &FitRecord,
    tuned: Option<&FineTuned>,
) -> Result<()> {
    for (row, point) in record.curve.points().enumerate() {
        let (step, skipped) = match record.curve.rows {
            CurveRows::Penalties => (row as u64, 0),
            CurveRows::Epochs => (point.first().map_or(0, |(_, epoch)| *epoch as u64), 1),
        };
        let metrics = point.iter().skip(skipped).map(|(name, value)| (key(name), *value));
        tracker.metrics(&metrics.collect(), step)?;
    }
    tracker.artifact(&dir.path().join(CURVE), CURVE)?;
    let (fitted, name) = (dir.artifact(&record.artifact), &record.artifact);
    match fitted.is_dir() {
        _ if record.artifact == ENCODER => {}
        true => artifacts(tracker, &fitted, name)?,
        false => tracker.artifact(&fitted, name)?,
    }
    let Some(tuned) = tuned else {
        let written = T::FIT_FILES.iter().map(|name| (dir.path().join(name), name));
        return Ok(written
            .filter(|(path, _)| path.is_file())
            .try_for_each(|(path, name)| tracker.artifact(&path, name))?);
    };
    for (loss, epoch) in tuned.losses.iter().zip(1..) {
        tracker.metrics(&BTreeMap::from([("encoder_loss".to_string(), *loss)]), epoch)?;
    }
    let (encoder, name) = fine_tuning::artifacts(dir);
    artifacts(tracker, &encoder, name)?;
    Ok(tracker.artifact(&dir.path().join(fine_tuning::METRICS), "training_metrics.jsonl")?)
}

/// Records every file below `dir`, which is called `name`.
fn artifacts(tracker: &Tracker, dir: &Path, name: &str) -> Result<()> {
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

/// Records metrics and their files.
///
/// # Errors
/// A record that cannot be written.
pub(super) fn measured<T: Task>(tracker: &Tracker, dir: &VariantDir, metrics: &T::Metrics) -> Result<()> {
    let all = serde_json::to_value(metrics).map_err(|e| Error::setting("metrics", e.to_string()))?;
    let wanted = |name: &String| T::TRACKED.iter().any(|prefix| name.starts_with(prefix));
    let numbers = flat(&all).into_iter().filter(|(name, _)| wanted(name));
    let numbers = numbers.filter_map(|(name, value)| Some((key(&name), value.as_f64()?)));
    tracker.metrics(&numbers.collect(), 0)?;
    for (name, value) in T::tags(metrics) {
        tracker.tag(name, &value)?;
    }
    for file in [METRICS, SCORES].iter().chain(T::FILES) {
        tracker.artifact(&dir.path().join(file), file)?;
    }
    Ok(())
}

/// A key that servers accept: dimensions and tiers may have any name.
fn key(name: &str) -> String {
    const LONGEST: usize = 250;
    let taken = |c: char| if c.is_alphanumeric() || "_-. ".contains(c) { c } else { '_' };
    name.replace('@', "_at_").chars().map(taken).take(LONGEST).collect()
}

/// A record, and what was sent of it and is left, or why the server refused it.
pub type SyncedRecord = (PathBuf, Result<Synced, manyview_track::Error>);

/// Sends what a server has not had yet, of every record below `dir`. A record that the server refuses, because its
/// experiment or its run was deleted, is given back with the refusal, and keeps no other from being sent.
///
/// # Errors
/// No server named, records that cannot be read, a server that cannot be reached or does not let in.
pub fn sync_tracking(
    dir: &Path,
    tracking: &Tracking,
    environment: &Environment,
    progress: &dyn manyview_core::Progress,
) -> Result<Vec<SyncedRecord>> {
    let Some(server) = server(tracking, &environment.tracking)? else {
        let problem = "expected the address of a server, here or in MLFLOW_TRACKING_URI; found none";
        return Err(Error::setting("tracking.uri", problem));
    };
    let records = records(dir)?;
    let send = |dir: PathBuf| match manyview_track::sync(&dir, &server, progress) {
        Ok(synced) => Ok((dir, Ok(synced))),
        Err(e @ manyview_track::Error::Refused { status, .. }) if status != 401 && status != 403 => {
            Ok((dir, Err(e)))
        }
        Err(e) => Err(e.into()),
    };
    records.into_iter().map(send).collect()
}

/// Ends every record with the status of the run; returns the number of unsent events.
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

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

/// The leaves of `value`, by dotted key; what is in a list by its `name`.
pub(crate) fn flat(value: &Value) -> BTreeMap<String, Value> {
    fn name(value: &Value) -> Option<&str> {
        value.get("name")?.as_str()
    }
    fn walk(value: &Value, at: &str, into: &mut BTreeMap<String, Value>) {
        let below = |key: &str| if at.is_empty() { key.to_string() } else { format!("{at}.{key}") };
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(key, value)| walk(value, &below(key), into));
            }
            Value::Array(listed) if listed.iter().any(|value| name(value).is_some()) => {
                listed.iter().filter_map(|value| Some((name(value)?, value))).for_each(|(name, value)| {
                    let at = below(name);
                    walk(value, &at, into);
                    into.remove(&format!("{at}.name"));
                });
            }
            leaf => drop(into.insert(at.into(), leaf.clone())),
        }
    }
    let mut leaves = BTreeMap::new();
    walk(value, "", &mut leaves);
    leaves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_list_is_flat_by_its_name() {
        let value = serde_json::json!({ "a": [{ "name": "x", "b": 1 }, { "name": "y", "b": 2 }], "c": [3] });
        let found = flat(&value);
        let expected = [("a.x.b", 1.into()), ("a.y.b", 2.into()), ("c", serde_json::json!([3]))];
        assert_eq!(found, expected.map(|(key, value)| (key.to_string(), value)).into());
    }

    #[test]
    fn a_key_that_a_server_takes_keeps_what_it_can() {
        assert_eq!(key("views.ndcg@10"), "views.ndcg_at_10");
        assert_eq!(key("val_mae.how wet/dry?"), "val_mae.how wet_dry_");
    }
}
