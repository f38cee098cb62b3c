//! Texts of a file, some rows at a time.
use super::batch::{Batch, Rows};
use super::metadata::Dropped;
use crate::{Error, Result};
use manyview_data::Table;
use std::collections::HashSet;
use std::path::PathBuf;

/// A file of texts.
#[derive(Clone, Debug)]
pub(crate) struct TextFile {
    /// `.csv`, `.tsv`, `.jsonl`, `.ndjson` or `.parquet`.
    pub(crate) input: PathBuf,
    pub(crate) text_column: String,
    /// A column of titles, put before the text.
    pub(crate) title_column: Option<String>,
    pub(crate) id_column: Option<String>,
    pub(crate) missing: Missing,
    /// Whether a row with the text of an earlier one is left out.
    pub(crate) dedup: bool,
    pub(crate) limit: Option<usize>,
}

/// What becomes of a row that lacks a text, or a name where one is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Refuse,
    Drop,
    /// It stays, without a result; its number is its name.
    Keep,
}

/// The rows of a file, batch by batch.
pub(crate) struct Batches<'a> {
    from: &'a TextFile,
    rows: manyview_data::Rows,
    read: usize,
    /// Texts that were there, by 16 bytes of their hashes; none where rows with the same text stay.
    seen: Option<HashSet<[u8; 16]>>,
}

impl TextFile {
    pub(crate) fn batches(&self, rows: usize) -> Result<Batches<'_>> {
        let mut columns = vec![self.text_column.as_str()];
        for column in [&self.title_column, &self.id_column].into_iter().flatten() {
            if !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        let rows = manyview_data::Rows::open(&self.input, &columns, rows)?;
        Ok(Batches { from: self, rows, read: 0, seen: self.dedup.then(HashSet::new) })
    }

    /// Goes through the file once, so that what is wrong with it is told before anything is encoded; gives the number of
    /// rows to read.
    pub(crate) fn look(&self) -> Result<usize> {
        const ROWS: usize = 8192;
        let mut total = 0;
        for batch in (Self { dedup: false, ..self.clone() }).batches(ROWS)? {
            total = batch?.end;
        }
        Ok(total)
    }
}

type Cells = [Option<String>];

/// The value of row `i`, unless it is blank.
fn value(cells: &Cells, i: usize) -> Option<&str> {
    cells.get(i)?.as_deref().filter(|value| !value.trim().is_empty())
}

impl Batches<'_> {
    fn take(&mut self, table: &Table) -> Result<Batch> {
        let from = self.from;
        let cells = |name: &Option<String>| name.as_deref().map(|name| table.column(name)).transpose();
        let (titles, ids) = (cells(&from.title_column)?, cells(&from.id_column)?);
        let texts = table.column(&from.text_column)?;
        let n = table.n().min(from.limit.unwrap_or(usize::MAX) - self.read);
        let (mut kept, mut numbers, mut names) = (Vec::new(), Vec::new(), Vec::new());
        let mut dropped = Dropped::default();
        for i in 0..n {
            let row = self.read + i;
            let title = titles.and_then(|titles| value(titles, i)).map(str::trim);
            let text = match (title, value(texts, i)) {
                (Some(title), Some(text)) => Some(format!("{title}\n\n{text}")),
                (title, text) => text.or(title).map(String::from),
            };
            let name = ids.map_or(Some(""), |ids| value(ids, i));
            let lacks = match (&text, name) {
                (None, _) => Some(&from.text_column),
                (_, None) => from.id_column.as_ref(),
                _ => None,
            };
            match (lacks, from.missing) {
                (Some(column), Missing::Refuse) => {
                    let cure = "repair the row, or leave such rows out with --drop-missing";
                    let problem =
                        format!("column `{column}`, row {row}: expected a value, found none; {cure}");
                    return Err(Error::setting(&from.input.display().to_string(), problem));
                }
                (Some(_), Missing::Drop) => {
                    dropped.missing += 1;
                    continue;
                }
                (None, _) | (_, Missing::Keep) => {}
            }
            let is_new = |text: &String| self.seen.as_mut().is_none_or(|seen| seen.insert(short(text)));
            if !text.as_ref().is_none_or(is_new) {
                dropped.duplicates += 1;
                continue;
            }
            kept.push(text);
            numbers.push(row as u64);
            let id = ids.and_then(|ids| ids.get(i)?.clone());
            names.push(id.unwrap_or_else(|| row.to_string()));
        }
        self.read += n;
        let (rows, ids) = (Rows::Texts(kept), ids.map(|_| names));
        Ok(Batch { rows, numbers, ids, dropped, normalized: 0, end: self.read })
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        if self.from.limit.is_some_and(|limit| self.read >= limit) {
            return None;
        }
        let table = self.rows.next()?;
        Some(table.map_err(Error::from).and_then(|table| self.take(&table)))
    }
}

fn short(text: &str) -> [u8; 16] {
    let mut short = [0; 16];
    short.iter_mut().zip(blake3::hash(text.as_bytes()).as_bytes()).for_each(|(to, from)| *to = *from);
    short
}
