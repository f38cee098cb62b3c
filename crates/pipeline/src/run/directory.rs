use crate::config::{Experiment, Suite};
use crate::{Error, Result};
use manyview_artifact::{lock, to_json};
use manyview_core::publish::{clear, write_whole};
use serde::{Serialize, de::DeserializeOwned};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The penalties tried, or the epochs of training.
pub(crate) const CURVE: &str = "curve.csv";
/// All metrics.
pub(crate) const METRICS: &str = "metrics.json";
/// The scores to compare runs by, without times: the same settings give the same file.
pub(crate) const SCORES: &str = "scores.json";

/// How deep below a run directory anything is written beside its place: variants, and their checkpoints.
const DEPTH: usize = 2;

/// The directory of one run, locked by one process at a time.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    cleared: usize,
    _lock: File,
}

impl RunDir {
    /// Opens or creates `output.dir/name`, and locks it until dropped. Leftovers of killed processes are removed.
    ///
    /// # Errors
    /// [`manyview_artifact::Error::Busy`] while another process has the lock; files that cannot be created.
    pub fn open(experiment: &Experiment) -> Result<Self> {
        let path = Self::of(experiment);
        std::fs::create_dir_all(&path).map_err(Error::io(&path))?;
        let lock = lock(&path)?;
        let cleared = clear(&path, DEPTH)?;
        Ok(Self { path, cleared, _lock: lock })
    }

    /// The path of the run directory of `experiment`.
    pub fn of(experiment: &Experiment) -> PathBuf {
        experiment.output.dir.join(&experiment.name)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of leftovers of killed processes removed on opening.
    pub(crate) fn cleared(&self) -> usize {
        self.cleared
    }

    /// The directory of one variant; the run directory itself for a lone experiment.
    ///
    /// # Errors
    /// A directory that cannot be made.
    pub fn variant(&self, name: Option<&str>) -> Result<VariantDir> {
        let path = name.map_or_else(|| self.path.clone(), |name| self.path.join(name));
        std::fs::create_dir_all(&path).map_err(Error::io(&path))?;
        Ok(VariantDir { path })
    }

    /// Saves the experiment with every key filled in.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_config(&self, suite: &Suite) -> Result<()> {
        publish(&self.path.join("experiment.toml"), resolved(suite)?.as_bytes())
    }
}

/// The experiment of `suite` with every key filled in, as TOML that runs again; variants name what they change.
///
/// # Errors
/// A value TOML cannot hold.
pub fn resolved(suite: &Suite) -> Result<String> {
    let fail = |e: toml::ser::Error| Error::setting("experiment", e.to_string());
    let mut table = toml::Table::try_from(&suite.base).map_err(fail)?;
    let mut variants = toml::Table::new();
    for variant in &suite.variants {
        let whole = toml::Table::try_from(&variant.experiment).map_err(fail)?;
        variants.insert(variant.name.clone(), toml::Value::Table(difference(&whole, &table)));
    }
    if !variants.is_empty() {
        table.insert("variants".into(), toml::Value::Table(variants));
    }
    toml::to_string_pretty(&table).map_err(fail)
}

/// The keys of a table that differ; with another `method`, the whole table, since it replaces the other one.
fn difference(of: &toml::Table, from: &toml::Table) -> toml::Table {
    use toml::Value::Table;
    if of.get("method") != from.get("method") {
        return of.clone();
    }
    let changed = of.iter().filter_map(|(key, value)| match (value, from.get(key)) {
        (value, Some(old)) if value == old => None,
        (Table(value), Some(Table(old))) => Some((key.clone(), Table(difference(value, old)))),
        (value, _) => Some((key.clone(), value.clone())),
    });
    changed.collect()
}

/// The directory of one variant: what was fitted, the record of the fit, metrics.
#[derive(Clone, Debug)]
pub struct VariantDir {
    path: PathBuf,
}

impl VariantDir {
    /// The variant in `path`, which need not exist.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of an artifact by its name: `adapter`, `head`, `encoder`.
    pub fn artifact(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The directory of training checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Removes the metrics, because the artifact is about to be replaced.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn forget_metrics(&self) -> Result<()> {
        for path in [METRICS, SCORES].map(|name| self.path.join(name)) {
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(path)(e)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes `text` as `name`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_text(&self, name: &str, text: &str) -> Result<()> {
        publish(&self.path.join(name), text.as_bytes())
    }

    /// Writes `value` as `name`, readable JSON.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let path = self.path.join(name);
        publish(&path, &to_json(&path, value)?)
    }

    /// Reads `name`; none when it is not there.
    ///
    /// # Errors
    /// [`Error::File`] when it holds something else.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.path.join(name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io(path)(e)),
        };
        self.parsed(name, serde_json::from_slice(&bytes)).map(Some)
    }

    /// What was read in `name`.
    ///
    /// # Errors
    /// [`Error::File`] when it held something else.
    pub(crate) fn parsed<T>(&self, name: &str, found: serde_json::Result<T>) -> Result<T> {
        found.map_err(|e| Error::File {
            path: self.path.join(name),
            problem: format!("not what an earlier stage writes ({e}); delete it and run again"),
        })
    }
}

/// Writes a file whole or not at all.
pub(crate) fn publish(path: &Path, bytes: &[u8]) -> Result<()> {
    Ok(write_whole(path, bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(dir: &Path) -> Suite {
        let text = format!("name = 'x'\noutput.dir = {dir:?}\n[variants.a]\ndata.seed = 1\n[variants.b]");
        Suite::parse(&text, "test", &[]).unwrap()
    }

    #[test]
    fn a_run_directory_is_held_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let suite = suite(dir.path());
        let held = RunDir::open(&suite.base).unwrap();
        assert!(matches!(
            RunDir::open(&suite.base),
            Err(Error::Artifact(manyview_artifact::Error::Busy { .. }))
        ));
        drop(held);
        assert!(RunDir::open(&suite.base).is_ok());
    }

    #[test]
    fn the_saved_configuration_reads_back_as_the_same_experiments() {
        let dir = tempfile::tempdir().unwrap();
        let suite = suite(dir.path());
        let again = Suite::parse(&resolved(&suite).unwrap(), "saved", &[]).unwrap();
        assert_eq!(again.base, suite.base);
        let of = |s: &Suite| s.variants.iter().map(|v| v.experiment.clone()).collect::<Vec<_>>();
        assert_eq!(of(&again), of(&suite));
    }

    #[test]
    fn a_cut_record_is_named_and_not_misread() {
        let dir = tempfile::tempdir().unwrap();
        let variant = VariantDir { path: dir.path().into() };
        std::fs::write(dir.path().join("fit.json"), b"{\"key\": \"ab").unwrap();
        let e = variant.read::<serde_json::Value>("fit.json").unwrap_err().to_string();
        assert!(e.contains("fit.json") && e.contains("delete it"), "{e}");
    }
}
