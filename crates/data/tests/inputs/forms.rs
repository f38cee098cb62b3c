//! Files of other forms than their names say, paths of other systems, and what Parquet and Arrow files hold.

use crate::counted::{Expected, Refused, Right, counted};
use crate::scene::{Scene, rows, rows_of};
use arrow_array::types::Int32Type;
use arrow_array::*;
use arrow_schema::{Field, Schema};
use manyview_data::{Table, data_files};
use parquet::arrow::ArrowWriter;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32\nsize 12345\n";

#[test]
fn files_that_are_something_else_are_named() {
    let pointer = Refused("a pointer of Git LFS, not the file itself: run `git lfs pull`");
    let of = |name: &str, bytes: &str| format!("{name}\n{bytes}");
    let names = ["a.parquet", "a.csv", "a.tsv", "a.jsonl", "a.json", "a.arrow", "a.csv.gz", "a.feather"];
    let mut inputs: Vec<(String, Expected)> = names.iter().map(|name| (of(name, POINTER), pointer)).collect();
    inputs.extend([
        (of("a.parquet", "<!DOCTYPE html><html>"), Refused("a page for people")),
        (of("a.csv", "\n<html><body>"), Refused("a page for people")),
        (of("a.csv", "PK\u{3}\u{4}x"), Refused("a zip archive, as those of Excel")),
        (
            of("a.csv", "PAR1xxxxPAR1"),
            Refused("a Parquet file under another name; let its name end in .parquet"),
        ),
        (of("a.parquet", "ARROW1xx"), Refused("an Arrow file under another name")),
        (of("a.feather", "FEA1xx"), Refused("the first version of Feather")),
        (of("a.jsonl", "SQLite format 3"), Refused("a database of SQLite")),
        (of("a.csv", ""), Refused("the file is empty")),
        (of("a.xlsx", "PK\u{3}\u{4}x"), Refused("expected a name that ends in .parquet")),
        (of("a", "text,label\n"), Refused("expected a name that ends in .parquet")),
        (of("a.csv", "version,text,label\n1,a,x\n"), Right("a:x")),
    ]);
    let cases: Vec<(&str, Expected)> =
        inputs.iter().map(|(input, expected)| (input.as_str(), *expected)).collect();
    counted("files that are something else", &cases, rows_of);
}

#[test]
fn paths_of_other_systems_are_named() {
    let cases = [
        ("C:\\data\\a.csv", Refused("a path of Windows; under WSL, C:\\ is /mnt/c/")),
        ("C:/data/a.csv", Refused("a path of Windows")),
        ("\\\\server\\share\\a.csv", Refused("a path of Windows")),
        ("data\\a.csv", Refused("`\\` separates no directories here")),
        ("~/a.csv", Refused("home directory in place of `~`")),
        ("~", Refused("home directory in place of `~`")),
        ("file:///a.csv", Refused("leave file:// out")),
        ("https://example.org/a.csv", Refused("fetch it first")),
        ("-", Refused("standard input, which cannot be read")),
        ("no-such.csv", Refused("no such file or directory")),
    ];
    counted("paths of other systems", &cases, |path| {
        let whole = Table::read_all(&[path.into()], &["text"]).map_err(|e| e.to_string());
        let found = data_files(Path::new(path)).map_err(|e| e.to_string());
        if path != "no-such.csv" {
            assert_eq!(whole.err(), found.clone().err());
        }
        found.map(|_| String::new())
    });
}

type Column = (&'static str, ArrayRef);

fn batch(columns: Vec<Column>, metadata: Option<&str>) -> RecordBatch {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let metadata: HashMap<String, String> =
        metadata.map(|text| ("huggingface".to_string(), text.to_string())).into_iter().collect();
    let fields: Vec<Field> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    let schema = Arc::new(Schema::new(fields).with_metadata(metadata));
    RecordBatch::try_new(schema, batch.columns().to_vec()).unwrap()
}

/// The batch as Parquet, as an Arrow file and as an Arrow stream, which are read the same.
fn every_way(batch: &RecordBatch) -> Result<String, String> {
    let scene = Scene::new();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    let found = rows(&scene.file("a.parquet", writer.into_inner().unwrap()));
    let mut file = arrow_ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(batch).unwrap();
    let options = arrow_ipc::writer::IpcWriteOptions::default();
    let options = options.try_with_compression(Some(arrow_ipc::CompressionType::LZ4_FRAME)).unwrap();
    let mut packed =
        arrow_ipc::writer::FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    packed.write(batch).unwrap();
    let mut stream = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    stream.write(batch).unwrap();
    for (name, bytes) in [
        ("a.arrow", file.into_inner().unwrap()),
        ("a.feather", packed.into_inner().unwrap()),
        ("stream.arrow", stream.into_inner().unwrap()),
    ] {
        let other = rows(&scene.file(name, &bytes));
        assert_eq!(other.is_ok(), found.is_ok(), "{name}: {other:?}");
        if found.is_ok() {
            assert_eq!(other, found, "{name}");
            let cut = rows(&scene.file(name, &bytes[..bytes.len() / 2])).unwrap_err();
            assert!(cut.contains("not a whole Arrow file"), "{cut}");
        }
    }
    found
}

fn texts() -> Column {
    ("text", Arc::new(StringArray::from(vec!["a", "b"])))
}

#[test]
fn columns_of_every_type_are_read_or_refused() {
    let binary = |values: Vec<Option<&[u8]>>| -> ArrayRef { Arc::new(BinaryArray::from(values)) };
    let decimal = |scale: i8| -> ArrayRef {
        let values = Decimal128Array::from(vec![Some(110), None]);
        Arc::new(values.with_precision_and_scale(30, scale).unwrap())
    };
    let lists = |lengths: &[usize]| -> ArrayRef {
        let rows = lengths.iter().map(|&n| Some((0..n as i32).map(Some)));
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(rows.collect::<Vec<_>>()))
    };
    let words = |rows: &[&[&str]]| -> ArrayRef {
        let mut builder = arrow_array::builder::ListBuilder::new(arrow_array::builder::StringBuilder::new());
        for row in rows {
            row.iter().for_each(|word| builder.values().append_value(word));
            builder.append(true);
        }
        Arc::new(builder.finish())
    };
    let kinds: Vec<(&str, Vec<Column>)> = vec![
        ("binary", vec![texts(), ("label", binary(vec![Some("é".as_bytes()), None]))]),
        (
            "large binary",
            vec![texts(), ("label", Arc::new(LargeBinaryArray::from(vec![Some(&b"x"[..]), None])))],
        ),
        (
            "binary view",
            vec![texts(), ("label", Arc::new(BinaryViewArray::from(vec![Some(&b"x"[..]), None])))],
        ),
        ("bytes", vec![texts(), ("label", binary(vec![Some(b"\xff"), None]))]),
        ("decimal", vec![texts(), ("label", decimal(2))]),
        ("whole decimal", vec![texts(), ("label", decimal(0))]),
        ("date", vec![texts(), ("label", Arc::new(Date32Array::from(vec![Some(19_782), None])))]),
        ("long date", vec![texts(), ("label", Arc::new(Date64Array::from(vec![Some(86_400_000), None])))]),
        ("seconds", vec![texts(), ("label", Arc::new(TimestampSecondArray::from(vec![Some(0), None])))]),
        (
            "zone",
            vec![
                texts(),
                (
                    "label",
                    Arc::new(TimestampMicrosecondArray::from(vec![Some(-1), None]).with_timezone("UTC")),
                ),
            ],
        ),
        ("floats", vec![texts(), ("label", Arc::new(Float64Array::from(vec![Some(1.0), Some(f64::NAN)])))]),
        ("long integers", vec![texts(), ("label", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None])))]),
        ("lists", vec![("text", words(&[&["a", "b"], &["c"]])), ("label", lists(&[2, 1]))]),
        ("empty lists", vec![("text", words(&[&[], &["c"]])), ("label", lists(&[0, 1]))]),
        ("uneven lists", vec![("text", words(&[&["a", "b"], &["c"]])), ("label", lists(&[1, 2]))]),
        ("one list", vec![texts(), ("label", lists(&[1, 1]))]),
        (
            "structure",
            vec![texts(), ("label", Arc::new(StructArray::try_from(vec![("x", texts().1)]).unwrap()))],
        ),
        ("duration", vec![texts(), ("label", Arc::new(DurationSecondArray::from(vec![1, 2])))]),
    ];
    let cases = [
        ("binary", Right("a:é|b:-")),
        ("large binary", Right("a:x|b:-")),
        ("binary view", Right("a:x|b:-")),
        ("bytes", Refused("column `label`, row 0: bytes that are not UTF-8")),
        ("decimal", Right("a:1.10|b:-")),
        ("whole decimal", Right("a:110|b:-")),
        ("date", Right("a:2024-02-29|b:-")),
        ("long date", Right("a:1970-01-02|b:-")),
        ("seconds", Right("a:1970-01-01T00:00:00|b:-")),
        ("zone", Right("a:1969-12-31T23:59:59.999999Z|b:-")),
        ("floats", Right("a:1|b:-")),
        ("long integers", Right("a:18446744073709551615|b:-")),
        ("lists", Right("a:0|b:1|c:0")),
        ("empty lists", Right("c:0")),
        ("uneven lists", Refused("row 0: `text` and `label` hold lists of different lengths")),
        ("one list", Refused("only one of them holds lists")),
        ("structure", Refused("expected strings, numbers, booleans or dates, found Struct")),
        ("duration", Refused("expected strings, numbers, booleans or dates, found Duration")),
    ];
    counted("types of columns", &cases, |name| {
        let columns = kinds.iter().find(|(kind, _)| *kind == name).unwrap().1.clone();
        every_way(&batch(columns, None))
    });
}

#[test]
fn classes_of_a_hugging_face_data_set_are_their_names() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/class_labels.parquet");
    let table = Table::read_all(&[golden], &["label"]).unwrap();
    let names: std::collections::BTreeSet<_> = table.column("label").unwrap().iter().flatten().collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["economy", "sport", "weather"]);

    let of = |label: &str| format!("{{\"info\": {{\"features\": {{\"label\": {label}}}}}}}");
    let class = r#"{"names": ["rain", "fog"], "_type": "ClassLabel"}"#;
    let numbers = |values: Vec<Option<i64>>| -> ArrayRef { Arc::new(Int64Array::from(values)) };
    let kinds: Vec<(&str, ArrayRef, String)> = vec![
        ("names", numbers(vec![Some(1), Some(0)]), of(class)),
        ("null", numbers(vec![Some(1), None]), of(class)),
        ("hidden", numbers(vec![Some(-1), Some(1)]), of(class)),
        ("beyond", numbers(vec![Some(2), Some(1)]), of(class)),
        ("twice", numbers(vec![Some(0), Some(1)]), of(r#"{"names": ["a", "a"], "_type": "ClassLabel"}"#)),
        ("value", numbers(vec![Some(0), Some(1)]), of(r#"{"dtype": "int64", "_type": "Value"}"#)),
        ("broken", numbers(vec![Some(0), Some(1)]), "{".into()),
        ("other", numbers(vec![Some(0), Some(1)]), r#"{"info": {"features": {"l": 1}}}"#.into()),
    ];
    let cases = [
        ("names", Right("a:fog|b:rain")),
        ("null", Right("a:fog|b:-")),
        ("hidden", Right("a:-|b:fog")),
        ("beyond", Refused("column `label`, row 0: expected a class from 0 to 1, found 2")),
        ("twice", Right("a:a (0)|b:a (1)")),
        ("value", Right("a:0|b:1")),
        ("broken", Right("a:0|b:1")),
        ("other", Right("a:0|b:1")),
    ];
    counted("classes of a data set", &cases, |name| {
        let (_, labels, metadata) = kinds.iter().find(|(kind, ..)| *kind == name).unwrap();
        every_way(&batch(vec![texts(), ("label", labels.clone())], Some(metadata)))
    });
}
