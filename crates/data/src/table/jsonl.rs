use super::json_text::{self, Pairs};
use super::packed::{Packed, unread};
use super::rows::{BATCH, Source, Started};
use super::{NamedColumn, places};
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

/// Reads one JSON object a line; blank lines and a byte order mark are skipped.
pub(super) fn open(path: &Path, wanted: &[&str]) -> Result<Started> {
    let mut lines = Lines::open(path)?;
    let mut keys = BTreeMap::new();
    loop {
        let read = lines.pairs(|_, pairs| {
            note(&mut keys, &pairs);
            Ok(())
        })?;
        if read.is_none() || (!wanted.is_empty() && wanted.iter().all(|name| keys.contains_key(*name))) {
            break;
        }
    }
    let kept = kept(path, wanted, &keys)?;
    Ok((kept, Box::new(Lines::open(path)?)))
}

/// Reads a JSON array of objects, which memory holds whole.
pub(super) fn open_array(path: &Path, wanted: &[&str]) -> Result<Started> {
    let mut text = String::new();
    Packed::open(path)?.read_to_string(&mut text).map_err(|e| match e.kind() {
        std::io::ErrorKind::InvalidData => Error::file(path, "not UTF-8; save the file as UTF-8"),
        _ => unread(path)(e),
    })?;
    let whole = text.trim_start_matches('\u{feff}').trim();
    if whole.starts_with('{') {
        // Many data sets have JSON lines under this name.
        return match whole.lines().next().is_some_and(|line| json_text::object(line.trim()).is_ok()) {
            true => open(path, wanted),
            false => Err(Error::file(
                path,
                "expected an array of objects, found one object; of pandas, write it with \
                 to_json(orient=\"records\")",
            )),
        };
    }
    let wrong = |problem: String| Error::file(path, format!("expected an array of objects: {problem}"));
    let rows = json_text::array(whole).map_err(wrong)?;
    let mut keys = BTreeMap::new();
    for (row, object) in rows.iter().enumerate() {
        let pairs = json_text::object(object).map_err(|problem| wrong(format!("row {row}: {problem}")))?;
        note(&mut keys, &pairs);
    }
    let kept = kept(path, wanted, &keys)?;
    let rows = rows.into_iter().map(String::from).collect::<Vec<_>>().into_iter();
    Ok((kept, Box::new(Array { path: path.into(), rows, row: 0 })))
}

/// Adds the names of an object, and whether each has only strings for values.
fn note(keys: &mut BTreeMap<String, bool>, pairs: &Pairs<'_>) {
    for (name, value) in pairs {
        let textual = value.starts_with('"') || *value == "null";
        *keys.entry(name.clone()).or_insert(true) &= textual;
    }
}

fn kept(path: &Path, wanted: &[&str], keys: &BTreeMap<String, bool>) -> Result<Vec<String>> {
    let names: Vec<String> = keys.keys().cloned().collect();
    let places = places(path, &names, wanted, |i| keys.get(&names[i]) == Some(&true))?;
    Ok(places.iter().map(|&i| names[i].clone()).collect())
}

/// The objects of a file, one after the other.
pub(crate) struct Lines {
    path: PathBuf,
    reader: Packed,
    bytes: Vec<u8>,
    line: u64,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: path.into(), reader: Packed::open(path)?, bytes: Vec::new(), line: 0 })
    }

    /// The line last read, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// What `take` makes of the number of the next line and its object, none at the end.
    fn pairs<T>(&mut self, take: impl FnOnce(u64, Pairs<'_>) -> Result<T>) -> Result<Option<T>> {
        loop {
            self.bytes.clear();
            if self.reader.read_until(b'\n', &mut self.bytes).map_err(unread(&self.path))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let text = std::str::from_utf8(&self.bytes)
                .map_err(|_| Error::line(&self.path, self.line, "not UTF-8; save the file as UTF-8"))?
                .trim_start_matches('\u{feff}')
                .trim();
            if !text.is_empty() {
                let pairs = json_text::object(text).map_err(|problem| {
                    let array = self.line == 1 && text.starts_with('[');
                    let cure = if array { "; name a file that is one array .json" } else { "" };
                    Error::line(
                        &self.path,
                        self.line,
                        format!("expected one JSON object a line: {problem}{cure}"),
                    )
                })?;
                return take(self.line, pairs).map(Some);
            }
        }
    }

    /// The next object, none at the end. The values of `texts` are strings, numbers as they are written.
    pub(crate) fn object(&mut self, texts: &[&str]) -> Result<Option<Map<String, Value>>> {
        let number = |raw: &str| !raw.starts_with(['"', '[', '{', 't', 'f', 'n', 'N']);
        self.pairs(|_, pairs| {
            let read = |(name, raw): (String, &str)| match texts.contains(&name.as_str()) && number(raw) {
                true => (name, Value::String(raw.into())),
                false => (name, json_text::value(raw)),
            };
            Ok(pairs.into_iter().map(read).collect())
        })
    }
}

impl Source for Lines {
    fn more(&mut self, columns: &mut [NamedColumn]) -> Result<bool> {
        let path = self.path.clone();
        for _ in 0..BATCH {
            let read = self.pairs(|line, pairs| {
                add(&pairs, columns).map_err(|problem| Error::line(&path, line, problem))
            })?;
            if read.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The objects of an array.
struct Array {
    path: PathBuf,
    rows: std::vec::IntoIter<String>,
    row: usize,
}

impl Source for Array {
    fn more(&mut self, columns: &mut [NamedColumn]) -> Result<bool> {
        for object in self.rows.by_ref().take(BATCH) {
            let row = self.row;
            let wrong = |problem: String| Error::file(&self.path, format!("row {row}: {problem}"));
            add(&json_text::object(&object).map_err(wrong)?, columns).map_err(wrong)?;
            self.row += 1;
        }
        Ok(self.rows.len() > 0)
    }
}

/// Adds a row.
fn add(pairs: &Pairs<'_>, columns: &mut [NamedColumn]) -> Result<(), String> {
    for (name, values) in columns {
        let value = pairs.iter().find(|(other, _)| other == name);
        values.push(match value.map(|(_, value)| json_text::cell(value)) {
            None => None,
            Some(Some(cell)) => cell,
            Some(None) => {
                return Err(format!(
                    "`{name}`: expected a string, a number or a boolean, found a list or object"
                ));
            }
        });
    }
    Ok(())
}
