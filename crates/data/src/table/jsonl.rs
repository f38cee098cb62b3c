use super::{NamedColumn, places};
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Reads one JSON object a line; blank lines and a byte order mark are skipped.
pub(super) fn read(path: &Path, wanted: &[&str]) -> Result<Vec<NamedColumn>> {
    let (names, objects) = objects(path, wanted)?;
    let textual = |i: usize| {
        let values = objects.iter().filter_map(|(_, object)| object.get(&names[i]));
        values.into_iter().all(|v| v.is_string() || v.is_null())
    };
    let places = places(path, &names, wanted, textual)?;
    let column = |place: usize| {
        let name = &names[place];
        let values = objects.iter().map(|(line, object)| written(path, *line, name, object.get(name)));
        Ok((name.clone(), values.collect::<Result<_>>()?))
    };
    places.into_iter().map(column).collect()
}

/// An object and the line it stands on, from 1.
type Line = (u64, Map<String, Value>);

/// All keys, sorted, and the objects with those of them that are wanted.
fn objects(path: &Path, wanted: &[&str]) -> Result<(Vec<String>, Vec<Line>)> {
    let mut reader = BufReader::new(File::open(path).map_err(Error::io(path))?);
    let (mut names, mut objects) = (BTreeSet::new(), Vec::new());
    let (mut bytes, mut line) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut bytes).map_err(Error::io(path))? > 0 {
        line += 1;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::line(path, line, "not UTF-8; save the file as UTF-8"))?
            .trim_start_matches('\u{feff}')
            .trim();
        if !text.is_empty() {
            let mut object: Map<String, Value> = serde_json::from_str(text)
                .map_err(|e| Error::line(path, line, format!("expected one JSON object a line: {e}")))?;
            for name in object.keys().filter(|name| !names.contains(*name)).cloned().collect::<Vec<_>>() {
                names.insert(name);
            }
            object.retain(|name, _| wanted.is_empty() || wanted.contains(&name.as_str()));
            objects.push((line, object));
        }
        bytes.clear();
    }
    Ok((names.into_iter().collect(), objects))
}

fn written(path: &Path, line: u64, name: &str, value: Option<&Value>) -> Result<Option<String>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => Ok(Some(value.to_string())),
        Some(Value::Array(_) | Value::Object(_)) => Err(Error::line(
            path,
            line,
            format!("`{name}`: expected a string, a number or a boolean, found a list or object"),
        )),
    }
}
