use super::metadata::{Dropped, Encoding, Seconds};
use crate::{Error, Result, run};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// How far the results of an input are written, up to the last batch that is on the disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// Stands for everything the output depends on.
    pub(super) key: String,
    /// Rows of the input that are done with.
    pub(super) read: usize,
    /// Rows that were written.
    pub(super) rows: usize,
    /// Rows among them that have no text, and so no result.
    pub(super) blank: usize,
    pub(super) dropped: Dropped,
    /// Rows whose text was cut.
    pub(super) truncated: usize,
    /// Given vectors that had to be normalised.
    pub(super) normalized: usize,
    pub(super) base: Encoding,
    pub(super) teacher: Encoding,
    pub(super) seconds: Seconds,
    /// The lengths of each file to go on from, in bytes: of the chunks of a Parquet file, else of all of it.
    pub(super) lengths: BTreeMap<String, Vec<u64>>,
    /// Whether the files are whole, and lack only their names.
    pub(super) whole: bool,
}

impl Ledger {
    /// Its file.
    pub(super) const FILE: &'static str = "progress.json";

    /// The ledger in `dir`, where it is one of `key`.
    pub(super) fn read(dir: &Path, key: &str) -> Option<Self> {
        let bytes = std::fs::read(dir.join(Self::FILE)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|ledger: &Self| ledger.key == key)
    }

    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        let path = dir.join(Self::FILE);
        run::publish(&path, &run::json(&path, self)?)
    }

    /// That some row is left of those of `input`.
    pub(super) fn some_rows(&self, input: &Path) -> Result<()> {
        let (read, missing) = (self.read, self.dropped.missing);
        let problem = match (self.rows, read) {
            (0, 0) => "expected rows, found none; add rows".to_string(),
            (0, _) => format!("no row is left of {read}: {missing} lack a value; repair the rows"),
            _ => return Ok(()),
        };
        Err(Error::setting(&input.display().to_string(), problem))
    }
}
