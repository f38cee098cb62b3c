use super::rows::{BATCH, Source, Started};
use super::{NamedColumn, places};
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Reads one JSON object a line; blank lines and a byte order mark are skipped.
pub(super) fn open(path: &Path, wanted: &[&str]) -> Result<Started> {
    let keys = keys(path, wanted)?;
    let names: Vec<String> = keys.keys().cloned().collect();
    let places = places(path, &names, wanted, |i| keys.get(&names[i]) == Some(&true))?;
    let kept = places.iter().map(|&i| names[i].clone()).collect();
    Ok((kept, Box::new(Lines::open(path)?)))
}

/// The keys of the objects, and whether each has only strings for values: from as many lines as it takes to meet the
/// `wanted` ones, from all where none is wanted.
fn keys(path: &Path, wanted: &[&str]) -> Result<BTreeMap<String, bool>> {
    let (mut lines, mut keys) = (Lines::open(path)?, BTreeMap::new());
    while let Some(object) = lines.object()? {
        for (name, value) in object {
            let textual = value.is_string() || value.is_null();
            *keys.entry(name).or_insert(true) &= textual;
        }
        if !wanted.is_empty() && wanted.iter().all(|name| keys.contains_key(*name)) {
            break;
        }
    }
    Ok(keys)
}

/// The objects of a file, one after the other.
pub(crate) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    bytes: Vec<u8>,
    line: u64,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let reader = BufReader::new(File::open(path).map_err(Error::io(path))?);
        Ok(Self { path: path.into(), reader, bytes: Vec::new(), line: 0 })
    }

    /// The line last read, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The next object, none at the end.
    pub(crate) fn object(&mut self) -> Result<Option<Map<String, Value>>> {
        loop {
            self.bytes.clear();
            if self.reader.read_until(b'\n', &mut self.bytes).map_err(Error::io(&self.path))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let text = std::str::from_utf8(&self.bytes)
                .map_err(|_| Error::line(&self.path, self.line, "not UTF-8; save the file as UTF-8"))?
                .trim_start_matches('\u{feff}')
                .trim();
            if !text.is_empty() {
                let object = serde_json::from_str(text);
                return object.map(Some).map_err(|e| {
                    Error::line(&self.path, self.line, format!("expected one JSON object a line: {e}"))
                });
            }
        }
    }
}

impl Source for Lines {
    fn more(&mut self, columns: &mut [NamedColumn]) -> Result<bool> {
        for _ in 0..BATCH {
            let Some(mut object) = self.object()? else { return Ok(false) };
            for (name, values) in &mut *columns {
                let value = object.remove(name.as_str());
                values.push(written(&self.path, self.line, name, value)?);
            }
        }
        Ok(true)
    }
}

fn written(path: &Path, line: u64, name: &str, value: Option<Value>) -> Result<Option<String>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => Ok(Some(value.to_string())),
        Some(Value::Array(_) | Value::Object(_)) => Err(Error::line(
            path,
            line,
            format!("`{name}`: expected a string, a number or a boolean, found a list or object"),
        )),
    }
}
