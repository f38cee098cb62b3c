//! The input, some rows at a time.
use super::metadata::Dropped;
use super::texts::Texts;
use crate::{Error, Result};
use manyview_data::{Rows, Table};
use std::collections::HashSet;

/// Rows of the input that stay.
pub(super) struct Chunk {
    pub(super) rows: Vec<u64>,
    pub(super) texts: Vec<String>,
    pub(super) ids: Vec<String>,
    pub(super) dropped: Dropped,
    /// The number of rows of the input up to here.
    pub(super) end: usize,
}

/// The input, chunk by chunk.
pub(super) struct Chunks<'a> {
    from: &'a Texts,
    rows: Rows,
    read: usize,
    limit: usize,
    /// Texts that were there, by 16 bytes of their hashes; none where rows with the same text stay.
    seen: Option<HashSet<[u8; 16]>>,
}

impl Texts {
    fn columns(&self) -> Vec<&str> {
        let id = self.id_column.as_deref().filter(|id| *id != self.text_column);
        [self.text_column.as_str()].into_iter().chain(id).collect()
    }

    pub(super) fn chunks(&self, chunk: usize, limit: Option<usize>, dedup: bool) -> Result<Chunks<'_>> {
        let rows = Rows::open(&self.input, &self.columns(), chunk)?;
        let seen = dedup.then(HashSet::new);
        Ok(Chunks { from: self, rows, read: 0, limit: limit.unwrap_or(usize::MAX), seen })
    }

    /// Goes through the file once, so that what is wrong with it is told before anything is encoded; gives the number of
    /// rows to read.
    pub(super) fn look(&self, limit: Option<usize>) -> Result<usize> {
        const CHUNK: usize = 8192;
        let mut total = 0;
        for chunk in self.chunks(CHUNK, limit, false)? {
            total = chunk?.end;
        }
        Ok(total)
    }

    /// The values of a row, or the column that lacks one.
    fn values<'t>(
        &self,
        text: &'t Cells,
        id: Option<&'t Cells>,
        i: usize,
    ) -> Result<(&'t str, &'t str), &str> {
        let value = |cells: &'t Cells| cells.get(i)?.as_deref().filter(|value| !value.trim().is_empty());
        let text = value(text).ok_or(self.text_column.as_str())?;
        let id = id.map_or(Some(""), value).ok_or(self.id_column.as_deref().unwrap_or_default())?;
        Ok((text, id))
    }
}

type Cells = [Option<String>];

impl Chunks<'_> {
    fn take(&mut self, table: &Table) -> Result<Chunk> {
        let from = self.from;
        let text = table.column(&from.text_column)?;
        let id = from.id_column.as_deref().map(|name| table.column(name)).transpose()?;
        let n = table.n().min(self.limit - self.read);
        let (mut rows, mut texts, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        let mut dropped = Dropped::default();
        for i in 0..n {
            let row = self.read + i;
            match from.values(text, id, i) {
                Ok((text, id)) if self.seen.as_mut().is_none_or(|seen| seen.insert(short(text))) => {
                    rows.push(row as u64);
                    texts.push(text.to_string());
                    ids.push(id.to_string());
                }
                Ok(_) => dropped.duplicates += 1,
                Err(_) if from.drop_missing => dropped.missing += 1,
                Err(column) => {
                    let cure = "repair the row, or leave such rows out with --drop-missing";
                    let problem =
                        format!("column `{column}`, row {row}: expected a value, found none; {cure}");
                    return Err(Error::setting(&from.input.display().to_string(), problem));
                }
            }
        }
        self.read += n;
        Ok(Chunk { rows, texts, ids, dropped, end: self.read })
    }
}

impl Iterator for Chunks<'_> {
    type Item = Result<Chunk>;

    fn next(&mut self) -> Option<Result<Chunk>> {
        if self.read >= self.limit {
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
