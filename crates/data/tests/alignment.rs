//! A million rows of every format, each of which says which it is: what is read, left out and kept belongs to its row.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use manyview_data::{Corpus, CorpusConfig, Rows};
use parquet::arrow::ArrowWriter;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// The text of a row, with what a format must put in quotes; none in some rows, the text of an earlier row in others.
fn text(i: usize) -> Option<String> {
    match i % 17 {
        3 => None,
        9 if i > 17 => text(i - 17),
        5 => Some(format!("\"quoted\", broken\r\nand {i}")),
        7 => Some(format!("{}{i}", "long ".repeat(40))),
        _ => Some(format!("text {i}")),
    }
}

fn written(path: &Path, rows: usize) {
    let mut out = String::new();
    match path.extension().and_then(|e| e.to_str()).unwrap() {
        "jsonl" => {
            for i in 0..rows {
                writeln!(out, "{}", serde_json::json!({"label": format!("l{i}"), "text": text(i)})).unwrap();
            }
        }
        "parquet" => {
            let columns: [(&str, ArrayRef); 2] = [
                ("text", Arc::new(StringArray::from_iter((0..rows).map(text)))),
                ("label", Arc::new(StringArray::from_iter_values((0..rows).map(|i| format!("l{i}"))))),
            ];
            let batch = RecordBatch::try_from_iter(columns).unwrap();
            let file = std::fs::File::create(path).unwrap();
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
            return;
        }
        _ => {
            out += "text,label\n";
            for i in 0..rows {
                let text = text(i).map_or_else(String::new, |t| format!("\"{}\"", t.replace('"', "\"\"")));
                writeln!(out, "{text},l{i}").unwrap();
            }
        }
    }
    std::fs::write(path, out).unwrap();
}

#[test]
fn a2_every_one_of_a_million_rows_stays_in_its_place() {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    for (name, rows) in [("a.csv", 400_000), ("a.jsonl", 200_000), ("a.parquet", 400_000)] {
        let path = dir.path().join(name);
        written(&path, rows);
        let mut n = 0;
        for table in Rows::open(&path, &["label", "text"], 9973).unwrap().map(Result::unwrap) {
            let (labels, texts) = (table.column("label").unwrap(), table.column("text").unwrap());
            for (label, found) in labels.iter().zip(texts) {
                assert!(*label == Some(format!("l{n}")) && *found == text(n), "{name}: row {n}");
                n += 1;
            }
        }
        assert_eq!(n, rows, "{name}");
        let config = |dedup, limit| CorpusConfig {
            text: "text".into(),
            label: Some("label".into()),
            answers: None,
            split: None,
            id: None,
            beside: Vec::new(),
            limit,
            seed: 1,
            dedup,
            drop_missing: true,
        };
        for (dedup, limit) in [(true, None), (false, Some(60_000))] {
            let corpus = Corpus::read(std::slice::from_ref(&path), &config(dedup, limit)).unwrap();
            let labels = corpus.label.unwrap();
            for (k, &row) in corpus.rows.iter().enumerate() {
                let right = Some(&corpus.texts[k]) == text(row).as_ref() && labels[k] == format!("l{row}");
                assert!(right && corpus.ids[k] == row.to_string(), "{name}: kept row {row}");
            }
            let dropped = corpus.dropped;
            assert_eq!(
                corpus.rows.len() + dropped.missing + dropped.duplicates + dropped.limited,
                rows,
                "{name}"
            );
            assert!(corpus.rows.is_sorted_by(|a, b| a < b), "{name}");
        }
        println!("reliability: A2 tried={n} rows of {name}");
    }
}
