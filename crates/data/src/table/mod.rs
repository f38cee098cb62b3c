mod arrow;
mod arrow_messages;
mod cells;
mod class_names;
mod csv;
mod csv_writer;
mod growing_file;
mod json_text;
mod jsonl;
mod packed;
mod parquet;
mod quoting;
mod rows;

pub use csv_writer::CsvWriter;
pub use growing_file::GrowingFile;
pub use rows::Rows;

pub(crate) use jsonl::Lines;
pub(crate) use packed::Packing;

use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Columns of strings, `[n]` each, with `None` where the source has no value.
///
/// Numbers and booleans are written out as strings, those of text files as they are written. An empty CSV field, and
/// NaN of a JSON or Parquet file, is no value. Numbers of a Hugging Face data set that stand for classes are their
/// names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    source: String,
    columns: Vec<NamedColumn>,
    n: usize,
}

/// A name and the values of a column.
type NamedColumn = (String, Vec<Option<String>>);

impl Table {
    /// Reads the files that [`Rows::open`] takes and puts their rows one after the other.
    ///
    /// Only the named columns are kept; without names, all columns of strings in the first file.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Line`] for a file that is empty, damaged or of another format, and
    /// [`Error::Column`] for a file without one of the columns.
    pub fn read_all(paths: &[PathBuf], columns: &[&str]) -> Result<Self> {
        let mut table: Option<Self> = None;
        for path in paths {
            table = Some(match table {
                None => Self::read(path, columns)?,
                Some(table) => {
                    let more = Self::read(path, &table.columns())?;
                    table.followed_by(more)
                }
            });
        }
        if let (Some(table), [first, _, ..]) = (&mut table, paths) {
            table.source = format!("{} and {} more", first.display(), paths.len() - 1);
        }
        table.ok_or_else(|| Error::Corpus { problem: "no file to read".into() })
    }

    /// Number of rows.
    pub fn n(&self) -> usize {
        self.n
    }

    /// The values of column `name`, `[n]`.
    ///
    /// # Errors
    /// [`Error::Column`] with the columns there are and the nearest name.
    pub fn column(&self, name: &str) -> Result<&[Option<String>]> {
        let found = self.columns.iter().find(|(n, _)| n == name);
        found.map(|(_, values)| values.as_slice()).ok_or_else(|| {
            Error::column(&self.source, name, self.columns().into_iter().map(String::from).collect())
        })
    }

    /// The values of column `name`, which is then empty.
    pub(crate) fn take_column(&mut self, name: &str) -> Result<Vec<Option<String>>> {
        self.column(name)?;
        let found = self.columns.iter_mut().find(|(n, _)| n == name);
        Ok(found.map(|(_, values)| std::mem::take(values)).unwrap_or_default())
    }

    /// The file or files it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names of the columns.
    pub fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn read(path: &Path, wanted: &[&str]) -> Result<Self> {
        Rows::open(path, wanted, usize::MAX)?.rest()
    }

    pub(crate) fn of_columns(source: &str, columns: Vec<NamedColumn>) -> Self {
        let n = columns.first().map_or(0, |(_, values)| values.len());
        Self { source: source.into(), columns, n }
    }

    /// The table with one more column, of which every value is `value`.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.columns.push((name.into(), vec![Some(value.into()); self.n]));
        self
    }

    fn followed_by(mut self, more: Self) -> Self {
        for ((_, values), (_, next)) in self.columns.iter_mut().zip(more.columns) {
            values.extend(next);
        }
        self.n += more.n;
        self
    }
}

/// The places of the `wanted` columns among `names`, or of all that are `textual` where none is wanted.
fn places(
    path: &Path,
    names: &[String],
    wanted: &[&str],
    textual: impl Fn(usize) -> bool,
) -> Result<Vec<usize>> {
    if wanted.is_empty() {
        return Ok((0..names.len()).filter(|&i| textual(i)).collect());
    }
    let place = |column: &&str| {
        let mut found = (0..names.len()).filter(|&i| names[i] == *column);
        match (found.next(), found.next()) {
            (Some(place), None) => Ok(place),
            (None, _) => Err(Error::column(path.display().to_string(), column, names.to_vec())),
            (Some(_), Some(_)) => {
                Err(Error::file(path, format!("two columns are called `{column}`; rename one")))
            }
        }
    };
    wanted.iter().map(place).collect()
}
