use super::{NamedColumn, Table, arrow, csv, jsonl, parquet};
use crate::Result;
use crate::kind::Form;
use std::path::Path;

/// The most rows a source adds at once, but for Parquet, whose pages decide.
pub(super) const BATCH: usize = 1024;

/// Rows that come in order.
pub(super) trait Source: Send {
    /// Adds the next rows to `columns`; `false` when these were the last.
    fn more(&mut self, columns: &mut [NamedColumn]) -> Result<bool>;
}

/// The names of the columns that are kept, and what gives their values.
pub(super) type Started = (Vec<String>, Box<dyn Source>);

/// The rows of a file, a [`Table`] of `chunk` rows at a time, so that memory does not grow with the file.
///
/// The tables put together are what [`Table::read_all`] reads. After an error there is nothing more.
///
/// ```
/// # use manyview_data::Rows;
/// # let path = std::env::temp_dir().join(format!("rows-{}.csv", std::process::id()));
/// std::fs::write(&path, "text,label\na,x\nb,y\nc,z\n").unwrap();
/// let chunks: Vec<_> = Rows::open(&path, &["text"], 2)?.collect::<Result<_, _>>()?;
/// assert_eq!([chunks[0].n(), chunks[1].n()], [2, 1]);
/// assert_eq!(chunks[1].column("text")?, [Some("c".to_string())]);
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), manyview_data::Error>(())
/// ```
pub struct Rows {
    name: String,
    source: Option<Box<dyn Source>>,
    columns: Vec<NamedColumn>,
    chunk: usize,
}

impl Rows {
    /// Opens a `.parquet`, `.arrow`, `.feather`, `.csv`, `.tsv`, `.jsonl`, `.ndjson` or `.json` file; those of text may be
    /// packed, `.gz` or `.zst`. Only the named columns are kept; without names, all columns of strings. A `chunk` of 0 is
    /// one of 1.
    ///
    /// # Errors
    /// As [`Table::read_all`]; what is wrong further down is told when it is reached.
    pub fn open(path: &Path, columns: &[&str], chunk: usize) -> Result<Self> {
        let open = match Form::of(path)? {
            Form::Parquet => parquet::open,
            Form::Arrow => arrow::open,
            Form::Commas => csv::open_commas,
            Form::Tabs => csv::open_tabs,
            Form::Lines => jsonl::open,
            Form::Array => jsonl::open_array,
        };
        let (names, source) = open(path, columns)?;
        Ok(Self {
            name: path.display().to_string(),
            source: Some(source),
            columns: names.into_iter().map(|name| (name, Vec::new())).collect(),
            chunk: chunk.max(1),
        })
    }

    /// The names of the columns that are kept.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    /// All rows that are left, perhaps none.
    pub(super) fn rest(mut self) -> Result<Table> {
        self.chunk = usize::MAX;
        self.fill()?;
        Ok(Table::of_columns(&self.name, self.columns))
    }

    fn waiting(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    /// Reads until a chunk waits, or until the end.
    fn fill(&mut self) -> Result<()> {
        while self.waiting() < self.chunk {
            let Some(source) = &mut self.source else { break };
            match source.more(&mut self.columns) {
                Ok(true) => {}
                Ok(false) => self.source = None,
                Err(e) => {
                    self.source = None;
                    self.columns.iter_mut().for_each(|(_, values)| values.clear());
                    return Err(e);
                }
            }
        }
        Ok(())
    }
}

impl Iterator for Rows {
    type Item = Result<Table>;

    fn next(&mut self) -> Option<Result<Table>> {
        if let Err(e) = self.fill() {
            return Some(Err(e));
        }
        let n = self.waiting().min(self.chunk);
        let columns = self.columns.iter_mut().map(|(name, values)| {
            let rest = values.split_off(n);
            (name.clone(), std::mem::replace(values, rest))
        });
        (n > 0).then(|| Ok(Table::of_columns(&self.name, columns.collect())))
    }
}
