use super::rows::{BATCH, Source, Started};
use super::{NamedColumn, places};
use crate::{Error, Result};
use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use std::fs::File;
use std::path::{Path, PathBuf};

pub(super) fn open_commas(path: &Path, wanted: &[&str]) -> Result<Started> {
    open(path, wanted, b',')
}

pub(super) fn open_tabs(path: &Path, wanted: &[&str]) -> Result<Started> {
    open(path, wanted, b'\t')
}

/// Reads records of one length under a line of names; a byte order mark is skipped.
fn open(path: &Path, wanted: &[&str], delimiter: u8) -> Result<Started> {
    let wrong = |e| explain(path, e);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_path(path).map_err(wrong)?;
    let names: Vec<String> = reader.headers().map_err(wrong)?.iter().map(|n| n.trim().to_string()).collect();
    let places = places(path, &names, wanted, |_| true)?;
    let kept = places.iter().map(|&i| names[i].clone()).collect();
    let records = Records { path: path.into(), reader, places, record: StringRecord::new() };
    Ok((kept, Box::new(records)))
}

struct Records {
    path: PathBuf,
    reader: Reader<File>,
    places: Vec<usize>,
    record: StringRecord,
}

impl Source for Records {
    fn more(&mut self, columns: &mut [NamedColumn]) -> Result<bool> {
        for _ in 0..BATCH {
            if !self.reader.read_record(&mut self.record).map_err(|e| explain(&self.path, e))? {
                return Ok(false);
            }
            for (&place, (_, values)) in self.places.iter().zip(&mut *columns) {
                values.push(self.record.get(place).filter(|v| !v.is_empty()).map(String::from));
            }
        }
        Ok(true)
    }
}

fn explain(path: &Path, e: csv::Error) -> Error {
    let at = |position: &Option<csv::Position>| position.as_ref().map_or(1, csv::Position::line);
    match e.into_kind() {
        ErrorKind::Io(e) => Error::io(path)(e),
        ErrorKind::Utf8 { pos, err } => Error::line(
            path,
            at(&pos),
            format!("field {} is not UTF-8; save the file as UTF-8", err.field() + 1),
        ),
        ErrorKind::UnequalLengths { pos, expected_len, len } => Error::line(
            path,
            at(&pos),
            format!("expected {expected_len} fields, found {len}; put fields with a delimiter in quotes"),
        ),
        kind => Error::file(path, format!("not a table of delimited fields: {kind:?}")),
    }
}
