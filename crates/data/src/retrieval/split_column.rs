use super::TextPairs;
use crate::{Error, Fractions, Result};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

const PARTS: [&str; 3] = ["train", "val", "test"];

/// Adds to each pair of `path`, one JSON object a line, the part of a split by document that it is in; gives the lines of
/// each part. Pairs are `{query, passage, document}`, and the split is that of [`TextPairs::split`].
///
/// # Errors
/// [`Error::Split`] for fewer documents than parts; a file that cannot be read or written.
pub(super) fn add(path: &Path, fractions: Fractions, seed: u64) -> Result<[usize; 3]> {
    let mut lines = read(path)?;
    let column = |key: &str| -> Vec<Option<String>> { lines.iter().map(|line| text(line, key)).collect() };
    let pairs = TextPairs::of_columns(column("query"), column("passage"), Some(column("document")), None);
    let split = pairs.split(fractions, seed)?;
    let mut part = HashMap::new();
    for (rows, name) in [&split.train, &split.val, &split.test].into_iter().zip(PARTS) {
        let pair =
            |row: &usize| (pairs.queries[*row].as_str(), pairs.passages[pairs.positive[*row]].as_str());
        part.extend(rows.iter().map(|row| (pair(row), name)));
    }
    let mut counts = [0; 3];
    for line in &mut lines {
        let pair = (text(line, "query").unwrap_or_default(), text(line, "passage").unwrap_or_default());
        let Some(name) = part.get(&(pair.0.as_str(), pair.1.as_str())) else { continue };
        line.insert("split".into(), (*name).into());
        PARTS.iter().zip(&mut counts).filter(|(part, _)| *part == name).for_each(|(_, count)| *count += 1);
    }
    let mut out = BufWriter::new(File::create(path).map_err(Error::io(path))?);
    for line in lines {
        writeln!(out, "{}", Value::Object(line)).map_err(Error::io(path))?;
    }
    out.flush().map_err(Error::io(path))?;
    Ok(counts)
}

fn read(path: &Path) -> Result<Vec<Map<String, Value>>> {
    let lines = BufReader::new(File::open(path).map_err(Error::io(path))?).lines();
    let parsed = lines.zip(1..).map(|(line, number)| {
        let line = line.map_err(Error::io(path))?;
        serde_json::from_str(&line).map_err(|e| Error::line(path, number, e.to_string()))
    });
    parsed.collect()
}

fn text(line: &Map<String, Value>, key: &str) -> Option<String> {
    line.get(key).and_then(Value::as_str).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PairColumns, Split};

    #[test]
    fn the_parts_are_those_that_a_run_draws_and_a_run_takes_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pairs.jsonl");
        // Documents share queries, in other case, and passages; one pair comes twice.
        let line = |i: usize| {
            let (query, passage) =
                (["q", "Q"][i % 2].to_string() + &(i / 2).to_string(), format!("p{}", i % 50));
            format!("{{\"query\": \"{query}\", \"passage\": \"{passage}\", \"document\": \"d{}\"}}\n", i / 3)
        };
        let text: String = (0..60).chain([7]).map(line).collect();
        std::fs::write(&path, &text).unwrap();
        let drawn = |columns: &PairColumns| -> (TextPairs, Split) {
            let pairs = TextPairs::read(std::slice::from_ref(&path), columns).unwrap();
            let split = pairs.split(Fractions::new(0.5, 0.2, 0.3).unwrap(), 7).unwrap();
            (pairs, split)
        };
        let (_, expected) = drawn(&PairColumns::default());
        let counts = add(&path, Fractions::new(0.5, 0.2, 0.3).unwrap(), 7).unwrap();
        let (pairs, found) = drawn(&PairColumns { split: Some("split".into()), ..PairColumns::default() });
        assert_eq!(found, expected);
        assert_eq!(pairs.dropped.repeated, 1);
        assert_eq!(counts.iter().sum::<usize>(), 61, "{counts:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 61);
    }
}
