//! Files read in chunks: the same rows as the whole file, and the same refusals.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_core::Embeddings;
use manyview_data::{Error, Rows, Table, VectorRows, read_vectors, write_npy};
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// A file of `n` rows: a number, a text, and a label that every third row lacks.
fn written(dir: &Path, name: &str, n: usize) -> PathBuf {
    let label = |i: usize| if i.is_multiple_of(3) { String::new() } else { format!("l{}", i % 5) };
    let rows = |delimiter: char| {
        let lines = (0..n).map(|i| format!("{i}{delimiter}\"text, {i}\"{delimiter}{}\n", label(i)));
        format!("number{delimiter}text{delimiter}label\n{}", lines.collect::<String>())
    };
    let objects = (0..n).map(|i| match label(i).as_str() {
        "" => format!("{{\"number\": {i}, \"text\": \"text, {i}\"}}\n\n"),
        label => format!("{{\"text\": \"text, {i}\", \"number\": {i}, \"label\": \"{label}\"}}\n"),
    });
    let text = match name.rsplit_once('.').unwrap().1 {
        "csv" => rows(','),
        "tsv" => rows('\t'),
        _ => objects.collect(),
    };
    std::fs::write(dir.join(name), text).unwrap();
    dir.join(name)
}

/// The values of each column, from chunks of `chunk` rows.
fn streamed(path: &Path, columns: &[&str], chunk: usize) -> Vec<Vec<Option<String>>> {
    let mut all = vec![Vec::new(); columns.len()];
    let chunks: Vec<Table> = Rows::open(path, columns, chunk).unwrap().map(Result::unwrap).collect();
    let before_last = chunks.len().saturating_sub(1);
    assert!(chunks.iter().take(before_last).all(|c| c.n() == chunk), "{}", path.display());
    for table in chunks {
        for (values, column) in all.iter_mut().zip(columns) {
            values.extend_from_slice(table.column(column).unwrap());
        }
    }
    all
}

#[test]
fn chunks_of_any_size_hold_the_rows_of_the_whole_file() {
    let dir = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data");
    let mut files: Vec<(PathBuf, Vec<&str>)> = ["a.csv", "a.tsv", "a.jsonl"]
        .map(|name| (written(dir.path(), name, 2500), vec!["label", "text", "number"]))
        .into();
    files.push((golden("types.parquet"), vec!["string", "int", "dictionary"]));
    files.push((data.join("medquad/medquad.parquet"), vec!["text"]));
    for (path, columns) in files {
        let whole = Table::read_all(std::slice::from_ref(&path), &columns).unwrap();
        let whole: Vec<_> = columns.iter().map(|c| whole.column(c).unwrap().to_vec()).collect();
        for chunk in [1, 7, 1024, usize::MAX] {
            assert_eq!(streamed(&path, &columns, chunk), whole, "{} by {chunk}", path.display());
        }
    }
}

#[test]
fn a_bad_line_is_told_when_it_is_reached_and_ends_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bad) in [("a.csv", "one,two\n"), ("a.jsonl", "{\"number\": 1, \"text\": [1]}\n")] {
        let path = written(dir.path(), name, 2000);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(bad.as_bytes());
        std::fs::write(&path, bytes).unwrap();
        let mut rows = Rows::open(&path, &["text"], 100).unwrap();
        let (whole, e) = rows.by_ref().partition::<Vec<_>, _>(Result::is_ok);
        assert!(whole.len() >= 9 && e.len() == 1, "{name}: {}", whole.len());
        assert!(matches!(e.first(), Some(Err(Error::Line { .. }))), "{name}");
        assert!(rows.next().is_none());
    }
}

#[test]
fn a_misspelt_column_is_refused_when_the_file_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.csv", "a.tsv", "a.jsonl"] {
        let e = Rows::open(&written(dir.path(), name, 9), &["txt"], 4).err().unwrap().to_string();
        assert!(e.contains("perhaps `text`"), "{name}: {e}");
    }
    let e = Rows::open(&golden("types.parquet"), &["strin"], 4).err().unwrap().to_string();
    assert!(e.contains("perhaps `string`"), "{e}");
}

#[test]
fn a_damaged_parquet_file_never_panics_in_chunks() {
    let dir = tempfile::tempdir().unwrap();
    let whole = std::fs::read(golden("types.parquet")).unwrap();
    for at in (4..whole.len()).step_by(41) {
        let path = dir.path().join("a.parquet");
        let mut flipped = whole.clone();
        flipped[at] ^= 0xff;
        std::fs::write(&path, flipped).unwrap();
        for column in ["string", "dictionary"] {
            if let Ok(rows) = Rows::open(&path, &[column], 1) {
                rows.filter_map(Result::err)
                    .for_each(|e| assert!(e.to_string().contains("a.parquet"), "{e}"));
            }
        }
        if let Ok(rows) = VectorRows::open(&path, "list", 1) {
            rows.filter_map(Result::err).for_each(|e| assert!(e.to_string().contains("a.parquet"), "{e}"));
        }
    }
}

#[test]
fn chunks_of_vectors_hold_the_rows_of_the_whole_matrix() {
    let dir = tempfile::tempdir().unwrap();
    let large = dir.path().join("x.npy");
    let x = Embeddings::from_rows((0..1000_u16).map(|i| [f32::from(i), 0.5, -1.0])).unwrap();
    write_npy(&large, &x).unwrap();
    let mut files = vec![(large, ""), (golden("types.parquet"), "list"), (golden("types.parquet"), "half")];
    files.extend(["c_f32.npy", "fortran_f32.npy", "c_f64.npy"].map(|name| (golden(name), "")));
    for (path, column) in files {
        let whole = read_vectors(&path, column).unwrap();
        for chunk in [1, 7, usize::MAX] {
            for first in [0, 1, whole.n() - 1, whole.n()] {
                let rows = VectorRows::open(&path, column, chunk).unwrap();
                assert_eq!(rows.n(), whole.n());
                let read: Vec<Embeddings> = rows.starting_at(first).unwrap().map(Result::unwrap).collect();
                let values: Vec<f32> = read.into_iter().flat_map(Embeddings::into_vec).collect();
                assert_eq!(values, whole.as_slice()[first * whole.dim()..], "{} by {chunk}", path.display());
            }
        }
    }
}

#[test]
fn a_nan_is_refused_with_its_row_in_the_file() {
    for chunk in [1, 2, 7] {
        let rows = VectorRows::open(&golden("types.parquet"), "nan", chunk).unwrap();
        let e = rows.filter_map(Result::err).next().unwrap();
        assert!(e.to_string().contains("row 2"), "{e}");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    write_npy(&path, &Embeddings::new(vec![0.5; 20], 2).unwrap()).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() - 4;
    bytes[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let rows = VectorRows::open(&path, "", 4).unwrap();
    let e = rows.filter_map(Result::err).next().unwrap();
    assert!(e.to_string().contains("x.npy") && e.to_string().contains("row 9"), "{e}");
}
