//! Finished runs, read back: what each was, and how two differ.

use crate::config::Suite;
use crate::run::{METRICS, VariantDir, flat};
use crate::task::{self, ComparedScores, untagged};
use crate::{Error, Result};
use manyview_artifact::FIT;
use manyview_core::Fingerprint;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A run directory, read back.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// The directory.
    pub path: PathBuf,
    /// Its experiment, by dotted key.
    pub config: BTreeMap<String, Value>,
    /// Its views: one without a name, or one for each variant.
    pub views: Vec<PastView>,
}

/// One view of a run, as far as it got.
#[derive(Clone, Debug)]
pub struct PastView {
    /// The variant's name; empty for a lone experiment.
    pub name: String,
    /// Identity of what fitting depended on.
    pub fit: Option<Fingerprint>,
    /// What was measured: `metrics.json`.
    pub metrics: Option<Value>,
    /// The scores to compare runs by.
    pub scores: Option<ComparedScores>,
}

/// The part of `fit.json` that every task writes.
#[derive(Deserialize)]
struct Fitted {
    key: Fingerprint,
}

/// Where two runs differ: a key of the experiment or a metric, and its value in each run.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Dotted key.
    pub key: String,
    /// In the first run.
    pub a: Option<Value>,
    /// In the second.
    pub b: Option<Value>,
}

/// Prefixes of the metrics that are compared: those that are the same when a run is repeated.
const COMPARED: &[&str] = &[
    "dataset",
    "encoder",
    "n_",
    "classes",
    "counts.",
    "views.",
    "gain",
    "over_bm25",
    "leaks.",
    "dimensions.",
    "overall.",
    "weighted.",
    "tiers.",
    "fidelity.",
    "fit.metrics.",
];

/// The runs below `dir`, by name.
///
/// # Errors
/// A directory that cannot be read, or a run in it that holds something else.
pub fn past_runs(dir: &Path) -> Result<Vec<PastRun>> {
    let entries = std::fs::read_dir(dir).map_err(Error::io(dir))?.flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.join("experiment.toml").is_file()).collect();
    paths.sort();
    paths.iter().map(|path| past_run(path)).collect()
}

/// The run in `path`, or the one variant of a run whose directory it is.
///
/// # Errors
/// [`Error::File`] when there is no run, or something else than a run writes.
pub fn past_run(path: &Path) -> Result<PastRun> {
    let file = path.join("experiment.toml");
    let above = path.parent().map(|run| run.join("experiment.toml"));
    if let Some(above) = above.filter(|above| above.is_file() && !file.is_file()) {
        return past_variant(path, &above);
    }
    let problem = |problem: String| Error::File { path: file.clone(), problem };
    let text = std::fs::read_to_string(&file)
        .map_err(|e| problem(format!("{e}; expected a run directory, see `manyview runs ls`")))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| problem(e.to_string()))?;
    let names: Vec<String> = match table.get("variants") {
        Some(toml::Value::Table(variants)) => variants.keys().cloned().collect(),
        _ => vec![String::new()],
    };
    let views = names.into_iter().map(|name| view(path.join(&name), name)).collect::<Result<_>>()?;
    let config = serde_json::to_value(table).map_err(|e| problem(e.to_string()))?;
    Ok(PastRun { path: path.into(), config: flat(&config), views })
}

/// The variant in `path` of the run whose experiment is `file`.
fn past_variant(path: &Path, file: &Path) -> Result<PastRun> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let suite = Suite::load(file, &[])?;
    let names: Vec<&str> = suite.variants.iter().map(|variant| variant.name.as_str()).collect();
    let found = suite.variants.iter().find(|variant| variant.name == name).ok_or_else(|| Error::File {
        path: path.into(),
        problem: format!("no variant of this run; there are {}", names.join(", ")),
    })?;
    let config = serde_json::to_value(&found.experiment)
        .map_err(|e| Error::File { path: file.into(), problem: e.to_string() })?;
    Ok(PastRun { path: path.into(), config: flat(&config), views: vec![view(path.into(), String::new())?] })
}

/// What is in the directory of a variant: its fit, and what was measured.
fn view(path: PathBuf, name: String) -> Result<PastView> {
    let dir = VariantDir::at(path);
    let fit = dir.read::<Fitted>(FIT)?.map(|fit| fit.key);
    let metrics = dir.read::<Value>(METRICS)?;
    let scores = metrics.clone().map(|metrics| {
        let (task, _) = untagged(&dir, metrics.clone())?;
        task::of_name(&task)?.scores(&dir, metrics)
    });
    Ok(PastView { fit, scores: scores.transpose()?, metrics, name })
}

/// The keys of the experiments and the metrics in which two runs differ.
pub fn difference(a: &PastRun, b: &PastRun) -> Vec<Difference> {
    let (mut left, mut right) = (a.config.clone(), b.config.clone());
    left.extend(a.metrics());
    right.extend(b.metrics());
    let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let of =
        |key: &String| Difference { key: key.clone(), a: left.get(key).cloned(), b: right.get(key).cloned() };
    keys.into_iter().map(of).filter(|d| d.a != d.b).collect()
}

impl PastRun {
    /// The metrics of its views that are compared, by dotted key, the variant's name first.
    pub fn metrics(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        for view in &self.views {
            let at = |key: &str| {
                if view.name.is_empty() { key.to_string() } else { format!("{}.{key}", view.name) }
            };
            if let Some(fit) = &view.fit {
                all.insert(at("fit.key"), Value::from(fit.short()));
            }
            let found = view.metrics.as_ref().map(flat).unwrap_or_default();
            let wanted =
                found.into_iter().filter(|(key, _)| COMPARED.iter().any(|prefix| key.starts_with(prefix)));
            all.extend(wanted.map(|(key, value)| (at(&key), value)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(dir: &Path, name: &str, seed: u64) -> PastRun {
        let path = dir.join(name);
        std::fs::create_dir_all(&path).unwrap();
        let text = format!("name = '{name}'\n[data]\nseed = {seed}\nlabel = 'x'\n");
        std::fs::write(path.join("experiment.toml"), text).unwrap();
        past_run(&path).unwrap()
    }

    #[test]
    fn two_runs_differ_in_the_keys_that_differ() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (run(dir.path(), "a", 1), run(dir.path(), "b", 2));
        let keys: Vec<_> = difference(&a, &b).into_iter().map(|d| d.key).collect();
        assert_eq!(keys, ["data.seed", "name"]);
        assert_eq!(difference(&a, &a), []);
    }

    #[test]
    fn directories_without_an_experiment_are_no_runs() {
        let dir = tempfile::tempdir().unwrap();
        run(dir.path(), "b", 1);
        run(dir.path(), "a", 1);
        std::fs::create_dir(dir.path().join("notes")).unwrap();
        let names: Vec<_> = past_runs(dir.path()).unwrap().into_iter().map(|run| run.path).collect();
        assert_eq!(names, [dir.path().join("a"), dir.path().join("b")]);
        let e = past_run(&dir.path().join("notes")).unwrap_err().to_string();
        assert!(e.contains("runs ls"), "{e}");
    }
}
