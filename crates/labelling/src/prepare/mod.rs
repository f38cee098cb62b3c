//! From an oracle's labels to training files.

mod files;
mod rows;
mod table;

pub use files::{PreparedFile, PreparedFiles, PreparedInput};
pub use rows::Left;
pub use table::{TierRow, filter_fingerprint};

use crate::file::publish_json;
use crate::{Error, Result};
use manyview_core::Fingerprint;
use manyview_data::{Filter, Fractions, Split};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The record of a preparation in its directory: written last, so the files beside it are those it names.
pub const RECORD: &str = "prepare.json";

/// The field by which rows most likely should be grouped.
const SOURCE: &str = "source";

/// What to make training files from.
#[derive(Clone, Debug)]
pub struct Preparation {
    /// The filter: a file, or the directory of one version.
    pub filter: PathBuf,
    /// Labelled files, one after the other.
    pub inputs: Vec<PathBuf>,
    /// Directory for `train.jsonl`, `val.jsonl`, `test.jsonl` and the record.
    pub output: PathBuf,
    /// Shares of training, validation and test rows, which sum to 1.
    pub shares: [f64; 3],
    /// Seed of the split.
    pub seed: u64,
    /// The field that says where a row comes from; no value of it is in two parts.
    pub group: Option<String>,
    /// Whether rows that cannot be used are left out rather than refused.
    pub drop_bad: bool,
}

/// What was made: the record in the directory. The same rows, settings and seed give the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// Name of the filter.
    pub filter: String,
    /// Its version.
    pub version: String,
    /// Changes whenever its dimensions, weights, tiers or range do.
    pub fingerprint: Fingerprint,
    /// The labelled files, by name.
    pub inputs: Vec<PreparedInput>,
    /// Rows in those files.
    pub read: usize,
    /// Rows that were left out, by reason.
    pub left: Left,
    /// Shares of training, validation and test rows.
    pub shares: [f64; 3],
    /// Seed of the split.
    pub seed: u64,
    /// The field rows were grouped by.
    pub group: Option<String>,
    /// The number of groups; that of rows without a field.
    pub groups: usize,
    /// The rows of the largest group.
    pub largest_group: usize,
    /// The training files.
    pub files: PreparedFiles,
    /// Rows of each tier, highest first, and last those below all.
    pub tiers: Vec<TierRow>,
}

/// Reads labels, leaves out repetitions, splits the rest and writes it.
///
/// # Errors
/// Rows that cannot be used, each with its line, unless they are to be left out; too few rows or groups; files.
pub fn run(preparation: &Preparation) -> Result<Prepared> {
    let [train, val, test] = preparation.shares;
    let fractions = Fractions::new(train, val, test)?;
    let filter = Filter::load(&preparation.filter)?;
    let (rows, read, left) = rows::gather(preparation, &filter)?;
    let groups = rows::groups(&rows, preparation.group.as_deref());
    let tiers: Vec<usize> = rows.iter().map(|row| table::tier(&filter, row)).collect();
    let split = Split::grouped(&tiers, &groups, fractions, preparation.seed)?;
    let inputs = manyview_data::file_hashes(&preparation.inputs)?;
    let inputs = inputs.into_iter().map(|(file, blake3)| PreparedInput { file, blake3 }).collect();
    if preparation.group.is_none() && rows.iter().all(|row| row.article.field(SOURCE).is_some()) {
        tracing::warn!("every row has a `{SOURCE}`; with --group {SOURCE} no {SOURCE} is in two parts");
    }

    std::fs::create_dir_all(&preparation.output).map_err(Error::io(&preparation.output))?;
    let record = preparation.output.join(RECORD);
    forget(&record)?;
    let files = files::write(&preparation.output, &rows, &split, &filter)?;
    let (count, largest) = rows::extent(&groups);
    let prepared = Prepared {
        fingerprint: filter_fingerprint(&filter),
        inputs,
        read,
        left,
        shares: preparation.shares,
        seed: preparation.seed,
        group: preparation.group.clone(),
        groups: count,
        largest_group: largest,
        files,
        tiers: table::tiers(&filter, &tiers, &split),
        version: filter.version,
        filter: filter.name,
    };
    publish_json(&record, &prepared)?;
    Ok(prepared)
}

fn forget(record: &Path) -> Result<()> {
    match std::fs::remove_file(record) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(record)(e)),
        _ => Ok(()),
    }
}
