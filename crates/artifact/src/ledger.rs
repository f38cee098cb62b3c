use super::metadata::{Dropped, Encoding, Seconds};
use crate::{Error, Result, to_json};
use manyview_core::publish::write_whole;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// How far the results of an input are written, up to the last batch that is on the disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Stands for everything the output depends on.
    pub(crate) key: String,
    /// Rows of the input that are done with.
    pub(crate) read: usize,
    /// Rows that were written.
    pub(crate) rows: usize,
    /// Rows among them that have no text, and so no result.
    pub(crate) blank: usize,
    pub(crate) dropped: Dropped,
    /// Rows whose text was cut.
    pub(crate) truncated: usize,
    /// Given vectors that had to be normalised.
    pub(crate) normalized: usize,
    pub(crate) base: Encoding,
    pub(crate) teacher: Encoding,
    pub(crate) seconds: Seconds,
    /// The lengths of each file to go on from, in bytes: of the chunks of a Parquet file, else of all of it.
    pub(crate) lengths: BTreeMap<String, Vec<u64>>,
    /// Whether the files are whole, and lack only their names.
    pub(crate) whole: bool,
}

impl Ledger {
    /// Its file.
    pub(crate) const FILE: &'static str = "progress.json";

    /// The ledger in `dir`, where it is one of `key`.
    pub(crate) fn read(dir: &Path, key: &str) -> Option<Self> {
        let bytes = std::fs::read(dir.join(Self::FILE)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|ledger: &Self| ledger.key == key)
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        let path = dir.join(Self::FILE);
        Ok(write_whole(&path, &to_json(&path, self)?)?)
    }

    /// That some row is left of those of `input`.
    pub(crate) fn some_rows(&self, input: &Path) -> Result<()> {
        let (read, missing) = (self.read, self.dropped.missing);
        let problem = match (self.rows, read) {
            (0, 0) => "expected rows, found none; add rows".to_string(),
            (0, _) => format!("no row is left of {read}: {missing} lack a value; repair the rows"),
            _ => return Ok(()),
        };
        Err(Error::setting(&input.display().to_string(), problem))
    }
}
