use super::{NamedColumn, places};
use crate::{Error, Result};
use csv::{ErrorKind, ReaderBuilder};
use std::path::Path;

pub(super) fn read_commas(path: &Path, wanted: &[&str]) -> Result<Vec<NamedColumn>> {
    read(path, wanted, b',')
}

pub(super) fn read_tabs(path: &Path, wanted: &[&str]) -> Result<Vec<NamedColumn>> {
    read(path, wanted, b'\t')
}

/// Reads records of one length under a line of names; a byte order mark is skipped.
fn read(path: &Path, wanted: &[&str], delimiter: u8) -> Result<Vec<NamedColumn>> {
    let wrong = |e| explain(path, e);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_path(path).map_err(wrong)?;
    let names: Vec<String> = reader.headers().map_err(wrong)?.iter().map(|n| n.trim().to_string()).collect();
    let places = places(path, &names, wanted, |_| true)?;
    let mut columns: Vec<NamedColumn> = places.iter().map(|&i| (names[i].clone(), Vec::new())).collect();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        for (&place, (_, values)) in places.iter().zip(&mut columns) {
            values.push(record.get(place).filter(|v| !v.is_empty()).map(String::from));
        }
    }
    Ok(columns)
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
