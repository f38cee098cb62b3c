use super::packed::{Packed, unread};
use super::quoting::{Quoting, look, without_quotes};
use super::rows::{BATCH, Source, Started};
use super::{NamedColumn, places};
use crate::{Error, Result};
use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use std::path::{Path, PathBuf};

pub(super) fn open_commas(path: &Path, wanted: &[&str]) -> Result<Started> {
    open(path, wanted, b',', Quoting::Fields)
}

pub(super) fn open_tabs(path: &Path, wanted: &[&str]) -> Result<Started> {
    open(path, wanted, b'\t', look(path)?)
}

/// Reads records of one length under a line of names; a byte order mark is skipped.
fn open(path: &Path, wanted: &[&str], delimiter: u8, quoting: Quoting) -> Result<Started> {
    let wrong = |e| explain(path, e);
    let text = quoting == Quoting::Text;
    let mut builder = ReaderBuilder::new();
    let mut reader = builder.delimiter(delimiter).quoting(!text).from_reader(Packed::open(path)?);
    let name = |name: &str| match without_quotes(name).filter(|_| text) {
        Some(name) => name.trim().to_string(),
        None => name.trim().to_string(),
    };
    let names: Vec<String> = reader.headers().map_err(wrong)?.iter().map(name).collect();
    let places = places(path, &names, wanted, |_| true)?;
    let kept = places.iter().map(|&i| names[i].clone()).collect();
    let records = Records { path: path.into(), reader, places, record: StringRecord::new(), text };
    Ok((kept, Box::new(records)))
}

struct Records {
    path: PathBuf,
    reader: Reader<Packed>,
    places: Vec<usize>,
    record: StringRecord,
    /// Whether quotes are characters of the text.
    text: bool,
}

impl Source for Records {
    fn more(&mut self, columns: &mut [NamedColumn]) -> Result<bool> {
        for _ in 0..BATCH {
            if !self.reader.read_record(&mut self.record).map_err(|e| explain(&self.path, e))? {
                return Ok(false);
            }
            for (&place, (_, values)) in self.places.iter().zip(&mut *columns) {
                let field = self.record.get(place).unwrap_or_default();
                let value = without_quotes(field).filter(|_| self.text).unwrap_or_else(|| field.into());
                values.push(Some(value).filter(|value| !value.is_empty()));
            }
        }
        Ok(true)
    }
}

fn explain(path: &Path, e: csv::Error) -> Error {
    let at = |position: &Option<csv::Position>| position.as_ref().map_or(1, csv::Position::line);
    match e.into_kind() {
        ErrorKind::Io(e) => unread(path)(e),
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
