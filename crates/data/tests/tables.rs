//! Files of every format, whole and damaged.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_core::Kind;
use manyview_data::{Error, Table};
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn written(name: &str, bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn read(name: &str, bytes: impl AsRef<[u8]>, columns: &[&str]) -> Result<Table, Error> {
    let (_dir, path) = written(name, bytes);
    Table::read_all(&[path], columns)
}

fn some(values: [&str; 3]) -> Vec<Option<String>> {
    values.iter().map(|v| (*v != "-").then(|| v.to_string())).collect()
}

#[test]
fn every_parquet_type_of_strings_and_scalars_is_read() {
    let columns = ["string", "large", "view", "dictionary", "int", "float", "bool"];
    let table = Table::read_all(&[golden("types.parquet")], &columns).unwrap();
    assert_eq!((table.n(), table.columns()), (3, columns.to_vec()));
    for column in ["string", "large", "view", "dictionary"] {
        assert_eq!(table.column(column).unwrap(), some(["b", "-", "é"]), "{column}");
    }
    assert_eq!(table.column("int").unwrap(), some(["3", "-", "-1"]));
    assert_eq!(table.column("float").unwrap(), some(["1", "-", "0.25"]));
    assert_eq!(table.column("bool").unwrap(), some(["true", "-", "false"]));
}

#[test]
fn without_names_the_columns_of_strings_are_kept() {
    let table = Table::read_all(&[golden("types.parquet")], &[]).unwrap();
    assert_eq!(table.columns(), ["string", "large", "view", "dictionary"]);
}

#[test]
fn a_damaged_parquet_file_is_an_error_wherever_it_ends_or_flips() {
    let whole = std::fs::read(golden("types.parquet")).unwrap();
    let columns = ["string", "dictionary", "int"];
    for end in (1..whole.len()).step_by(97) {
        let e = read("a.parquet", &whole[..end], &columns).unwrap_err();
        assert!(e.to_string().contains("a.parquet") && e.kind() == Kind::Input, "{e}");
    }
    for at in (4..whole.len()).step_by(41) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0xff;
        if let Err(e) = read("a.parquet", &flipped, &columns) {
            assert!(e.to_string().contains("a.parquet"), "{e}");
        }
    }
}

#[test]
fn csv_tsv_and_jsonl_give_the_same_table() {
    let csv = "\u{feff}text,label\r\n\"a, b\",x\nc,\n\"d\ne\",1\n";
    let tsv = "text\tlabel\na, b\tx\nc\t\n\"d\ne\"\t1\n";
    let jsonl = "\u{feff}{\"text\": \"a, b\", \"label\": \"x\"}\n\n{\"text\":\"c\"}\n{\"label\": 1, \"text\": \"d\\ne\"}\n";
    for (name, bytes) in [("a.csv", csv), ("a.tsv", tsv), ("a.jsonl", jsonl), ("a.NDJSON", jsonl)] {
        let table = read(name, bytes, &["text", "label"]).unwrap();
        assert_eq!(table.column("text").unwrap(), some(["a, b", "c", "d\ne"]), "{name}");
        assert_eq!(table.column("label").unwrap(), some(["x", "-", "1"]), "{name}");
    }
}

#[test]
fn a_ragged_csv_row_is_refused_with_its_line() {
    let e = read("a.csv", "text,label\na,x\nb, c,y\n", &["text"]).unwrap_err();
    assert!(matches!(e, Error::Line { line: 3, .. }), "{e}");
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_with_their_line() {
    let e = read("a.csv", b"text\na\n\xff\n", &["text"]).unwrap_err();
    assert!(matches!(e, Error::Line { line: 3, .. }), "{e}");
    let e = read("a.jsonl", b"{\"text\": \"a\"}\n{\"text\": \"\xff\"}\n", &["text"]).unwrap_err();
    assert!(matches!(e, Error::Line { line: 2, .. }), "{e}");
}

#[test]
fn a_bad_json_line_is_refused_with_its_number() {
    for bad in ["{\"text\": ", "[1]", "\"a\"", "{\"text\": [\"a\"]}"] {
        let e = read("a.jsonl", format!("{{\"text\": \"a\"}}\n\n{bad}\n"), &["text"]).unwrap_err();
        assert!(matches!(e, Error::Line { line: 3, .. }), "{bad}: {e}");
    }
}

#[test]
fn an_empty_file_is_refused() {
    for name in ["a.parquet", "a.csv", "a.jsonl"] {
        assert!(read(name, "", &["text"]).unwrap_err().to_string().contains("empty"), "{name}");
    }
}

#[test]
fn a_missing_column_is_answered_with_file_columns_and_nearest_name() {
    for (name, bytes) in
        [("a.csv", "text,topic\na,x\n"), ("a.jsonl", "{\"text\": \"a\", \"topic\": \"x\"}\n")]
    {
        let e = read(name, bytes, &["topics"]).unwrap_err().to_string();
        assert!(e.contains(name) && e.contains("perhaps `topic`") && e.contains("`text`"), "{e}");
        let table = read(name, bytes, &["text"]).unwrap();
        assert!(table.column("txt").unwrap_err().to_string().contains("perhaps `text`"));
    }
}

#[test]
fn a_column_that_comes_twice_is_refused_when_it_is_wanted() {
    let csv = "text,a,a\nx,1,2\n";
    assert!(read("a.csv", csv, &["text"]).is_ok());
    assert!(read("a.csv", csv, &["a"]).unwrap_err().to_string().contains("two columns are called `a`"));
}

#[test]
fn files_follow_one_another() {
    let (_a, first) = written("a.csv", "text,label\na,x\n");
    let (_b, second) =
        written("b.jsonl", "{\"text\": \"b\", \"label\": \"y\"}\n{\"text\": \"c\", \"label\": null}\n");
    let table = Table::read_all(&[first.clone(), second], &["label", "text"]).unwrap();
    assert_eq!(table.n(), 3);
    assert_eq!(table.column("label").unwrap(), some(["x", "y", "-"]));
    let (_c, other) = written("c.csv", "text\na\n");
    let e = Table::read_all(&[first, other], &["text", "label"]).unwrap_err().to_string();
    assert!(e.contains("c.csv") && e.contains("`label`"), "{e}");
}

#[test]
fn an_unknown_format_is_answered_with_the_known_ones() {
    let e = read("a.xlsx", "x", &[]).unwrap_err().to_string();
    assert!([".parquet", ".csv", ".tsv", ".jsonl", ".ndjson"].iter().all(|x| e.contains(x)), "{e}");
}

#[test]
fn a_file_that_is_not_there_is_an_io_error() {
    let e = Table::read_all(&["nowhere/a.csv".into()], &[]).unwrap_err();
    assert!(e.kind() == Kind::Io && e.to_string().contains("nowhere/a.csv"), "{e}");
}
