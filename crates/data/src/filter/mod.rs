mod check;
mod file;
mod layouts;

use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What an oracle scores texts in: named dimensions, their weights, and the tiers of the weighted mean.
///
/// ```
/// # use manyview_data::Filter;
/// # let path = std::env::temp_dir().join(format!("filter-{}.toml", std::process::id()));
/// # std::fs::write(&path, "name = 'news'\nversion = '1.0'\n[dimensions]\nscope.weight = 3\nproof.weight = 1\n\
/// #     [tiers]\nhigh = 7\nlow = 0").unwrap();
/// let filter = Filter::load(&path)?; // dimensions scope and proof, weights 3 and 1; tiers high from 7, low from 0
/// assert_eq!(filter.names(), ["scope", "proof"]);
/// assert_eq!(filter.weighted(&[8.0, 6.0]), 7.5);
/// assert_eq!(filter.tier_of(7.5).unwrap().name, "high");
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), manyview_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Name; labels of texts are found under `NAME_analysis`.
    pub name: String,
    /// Version, as it is written.
    pub version: String,
    /// The dimensions in the order of the file, `[d]`; the weights sum to 1.
    pub dimensions: Vec<Dimension>,
    /// The tiers, highest threshold first; none where texts are only scored.
    pub tiers: Vec<Tier>,
    /// The least and the greatest score.
    pub range: [f64; 2],
    /// The file it was read from.
    pub path: PathBuf,
    prompt: Option<PathBuf>,
    sections: BTreeMap<String, Value>,
}

/// One thing an oracle scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// Its name in labels.
    pub name: String,
    /// Its share of the weighted mean; all sum to 1.
    pub weight: f64,
    /// What it means, where the file says so.
    pub description: Option<String>,
    /// The column that holds it in tables, where that has another name.
    pub column: Option<String>,
}

/// A class of texts by their weighted mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Tier {
    /// Its name.
    pub name: String,
    /// The least weighted mean that belongs to it.
    pub threshold: f64,
}

impl Filter {
    /// Reads a `.toml`, `.yaml` or `.yml` file, or the one called `config` or `filter` in a directory.
    ///
    /// # Errors
    /// [`Error::File`] with the key, what was expected and the cure; a file that cannot be read.
    pub fn load(path: &Path) -> Result<Self> {
        let path = file::find(path)?;
        let written = file::read(&path)?;
        check::filter(written, &path)
    }

    /// The names of the dimensions, `[d]`.
    pub fn names(&self) -> Vec<&str> {
        self.dimensions.iter().map(|d| d.name.as_str()).collect()
    }

    /// The weighted mean of a text's `scores`, `[d]`.
    pub fn weighted(&self, scores: &[f64]) -> f64 {
        self.dimensions.iter().zip(scores).map(|(d, score)| d.weight * score).sum()
    }

    /// The tier of a weighted mean; none below the lowest threshold.
    pub fn tier_of(&self, weighted: f64) -> Option<&Tier> {
        self.tier_index(weighted).and_then(|index| self.tiers.get(index))
    }

    /// The place of that tier among `tiers`. A mean that misses a threshold by less than rounding has reached it.
    pub fn tier_index(&self, weighted: f64) -> Option<usize> {
        const ROUNDING: f64 = 1e-9;
        self.tiers.iter().position(|tier| weighted + ROUNDING >= tier.threshold)
    }

    /// Where the labels of a text stand: `NAME_analysis`.
    pub fn analysis(&self) -> String {
        format!("{}_analysis", self.name)
    }

    /// The directory of the file.
    pub fn dir(&self) -> &Path {
        self.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// The template of the oracle's prompt: the file that the key `prompt` names, `prompt.md` without it.
    ///
    /// # Errors
    /// A file that is not there, or not UTF-8.
    pub fn prompt(&self) -> Result<String> {
        let path = self.dir().join(self.prompt.as_deref().unwrap_or(Path::new("prompt.md")));
        if self.prompt.is_none() && !path.is_file() {
            let problem = "expected the oracle's prompt beside the filter, found none; write it, or name it in `prompt`";
            return Err(Error::file(&path, problem));
        }
        std::fs::read_to_string(&path).map_err(Error::io(&path))
    }

    /// A table of the file that belongs to another stage, such as `calibration`; none where it is not there.
    ///
    /// # Errors
    /// [`Error::File`] naming the key that `T` cannot be read from.
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(value) = self.sections.get(name) else { return Ok(None) };
        serde_path_to_error::deserialize(value).map(Some).map_err(|e| {
            let at = match e.path().to_string() {
                at if at == "." => name.into(),
                at => format!("{name}.{at}"),
            };
            Error::file(&self.path, format!("{at}: {}", e.into_inner()))
        })
    }
}
