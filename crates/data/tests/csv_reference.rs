//! Delimited files, whole and damaged, against what Python's csv module reads in them.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use manyview_core::Kind;
use manyview_data::{Error, Rows, Table};
use std::path::Path;

/// The rows a reader found, or why it found none.
type Found = Result<Vec<[Option<String>; 2]>, Error>;

fn pairs(table: &Table) -> Vec<[Option<String>; 2]> {
    let (texts, labels) = (table.column("text").unwrap(), table.column("label").unwrap());
    texts.iter().zip(labels).map(|(text, label)| [text.clone(), label.clone()]).collect()
}

fn whole(path: &Path) -> Found {
    Ok(pairs(&Table::read_all(&[path.into()], &["text", "label"])?))
}

fn in_chunks(path: &Path) -> Found {
    let mut found = Vec::new();
    for table in Rows::open(path, &["text", "label"], 2)? {
        found.extend(pairs(&table?));
    }
    Ok(found)
}

#[test]
fn a1_two_thousand_files_hold_what_python_reads_in_them_or_are_refused() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/csv_reference.parquet");
    let table = Table::read_all(&[golden], &["name", "file", "rows"]).unwrap();
    let column = |name: &str| table.column(name).unwrap();
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let (mut refused, mut rows, mut wrong) = (0, 0, Vec::new());
    for (i, expected) in column("rows").iter().enumerate() {
        let path = dir.path().join(column("name")[i].as_ref().unwrap());
        let bytes = STANDARD.decode(column("file")[i].as_ref().unwrap()).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        for found in [whole(&path), in_chunks(&path)] {
            let expected =
                expected.as_ref().map(|rows| serde_json::from_str::<Vec<[Option<String>; 2]>>(rows).unwrap());
            match (expected, found) {
                (Some(expected), Ok(found)) if expected == found => rows += found.len(),
                (None, Err(e)) => {
                    let text = e.to_string();
                    assert!(e.kind() == Kind::Input && text.contains(path.to_str().unwrap()), "{text}");
                    refused += 1;
                }
                (expected, found) => wrong.push(format!(
                    "file {i}: expected {expected:?}, found {found:?} in {:?}",
                    String::from_utf8_lossy(&bytes)
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
    println!("reliability: A1 tried={} files, {} refused, {} rows read", table.n(), refused / 2, rows / 2);
}

#[test]
fn a1_a_field_of_ten_megabytes_is_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let long = "word, \"quoted\" and\nbroken ".repeat(400_000);
    let path = dir.path().join("a.csv");
    std::fs::write(&path, format!("text,label\n\"{}\",x\nb,y\n", long.replace('"', "\"\""))).unwrap();
    let found = whole(&path).unwrap();
    assert!(long.len() >= 10_000_000 && found[0][0].as_ref() == Some(&long));
    assert_eq!(found[1], [Some("b".into()), Some("y".into())]);
}

#[test]
fn a1_what_is_refused_is_told_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let utf16: Vec<u8> = "\u{feff}text,label\na,x\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&[u8], &str); 6] = [
        (b"text,label\na,x\nb\n", "line 3: expected 2 fields, found 1"),
        (b"text,label\n\"a\nb\",x\nc,y,z\n", "line 4: expected 2 fields, found 3"),
        (b"text,label\na,caf\xe9\n", "line 2: field 2 is not UTF-8"),
        (&utf16, "is not UTF-8; save the file as UTF-8"),
        (b"text,text,label\na,b,x\n", "two columns are called `text`"),
        (b"a,x\nb,y\n", "no column `text`"),
    ];
    for (bytes, words) in cases {
        let path = dir.path().join("a.csv");
        std::fs::write(&path, bytes).unwrap();
        let e = whole(&path).unwrap_err().to_string();
        assert!(e.contains("a.csv") && e.contains(words), "{words}: {e}");
    }
}
