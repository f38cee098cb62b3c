//! Tables of text.

use crate::counted::{Expected, Refused, Right, counted};
use crate::scene::{Scene, config, labels, rows, rows_of};
use flate2::Compression;
use manyview_data::{Corpus, data_files};
use std::io::Write;

#[test]
fn quotes_of_tab_separated_files_lose_no_row() {
    let cases = [
        ("a.tsv\ntext\tlabel\na\tx\n\"b c\ty\nd\" e\tz\nf\tx\n", Right("a:x|\"b c:y|d\" e:z|f:x")),
        ("a.tsv\ntext\tlabel\n\"b, c\ty\nd \"e\tz\n\"f\" g\tx\n", Right("\"b, c:y|d \"e:z|\"f\" g:x")),
        ("a.tsv\ntext\tlabel\na\tx\n\"b\ty\nc\tz\n", Right("a:x|\"b:y|c:z")),
        ("a.tsv\ntext\tlabel\n\"b\ty\nc\tz\n\"d\tz\n", Right("\"b:y|c:z|\"d:z")),
        ("a.tsv\ntext\tlabel\n\"b\ty\nc\tz\nd\"\tz\n", Right("\"b:y|c:z|d\":z")),
        ("a.tsv\nlabel\ttext\nx\t\"b\ny\tc\nz\td\"\n", Right("\"b:x|c:y|d\":z")),
        ("a.tsv\r\ntext\tlabel\r\n\"b\ty\r\nc\tz\r\n", Right("\"b:y|c:z")),
        ("a.tsv\ntext\tlabel\n\"b\"\ty\n\"say \"\"c\"\"\"\tz\n", Right("b:y|say \"c\":z")),
        ("a.tsv\ntext\tlabel\n\"b\tc\"\ty\nd\tz\n", Right("b\tc:y|d:z")),
        ("a.tsv\ntext\tlabel\n\"b\nc\"\ty\nd\tz\n", Right("b\nc:y|d:z")),
        ("a.tsv\nlabel\ttext\ny\t\"b\nc\"\nz\td\n", Right("b\nc:y|d:z")),
        ("a.tsv\n\"text\"\t\"label\"\n\"b\"\t\"y\"\n", Right("b:y")),
        ("a.tsv\n\u{feff}\"text\"\t\"label\"\n\"b\ty\n", Right("\"b:y")),
        ("a.tsv\ntext\tlabel\n\"\ty\nb\tz\n", Right("\":y|b:z")),
        ("a.tsv\ntext\tlabel\n\"\"\ty\nb\tz\n", Right("-:y|b:z")),
        ("a.tsv\ntext\tlabel\na 12\" disc\ty\n", Right("a 12\" disc:y")),
        ("a.tab\ntext\tlabel\n\"b\ty\nc\tz\n", Right("\"b:y|c:z")),
        ("a.tsv\ntext\tlabel\n\"b\ty\nc\n", Refused("line 2: a quote begins a field")),
        ("a.tsv\ntext\tlabel\n\"b\" c\ty\n\"d\ne\"\tz\n", Refused("line 2: a quote begins a field")),
    ];
    let cases = cases.map(|(input, expected)| match input.strip_prefix("a.tsv\r\n") {
        Some(text) => (format!("a.tsv\n{text}"), expected),
        None => (input.to_string(), expected),
    });
    let cases: Vec<(&str, Expected)> =
        cases.iter().map(|(input, expected)| (input.as_str(), *expected)).collect();
    counted("quotes in tab-separated files", &cases, rows_of);
}

#[test]
fn numbers_of_text_files_stay_as_they_are_written() {
    let cases = [
        (
            "a.jsonl\n{\"text\": 1000000000000000000000011, \"label\": 1.10}",
            Right("1000000000000000000000011:1.10"),
        ),
        ("a.jsonl\n{\"text\": 12345678901234567890, \"label\": 1e3}", Right("12345678901234567890:1e3")),
        ("a.jsonl\n{\"text\": 0.1000, \"label\": 1E+2}", Right("0.1000:1E+2")),
        ("a.jsonl\n{\"text\": -0, \"label\": 3.0}", Right("-0:3.0")),
        ("a.jsonl\n{\"text\": 1e999, \"label\": true}", Right("1e999:true")),
        (
            "a.json\n[{\"text\": 12345678901234567890123, \"label\": 1.20}]",
            Right("12345678901234567890123:1.20"),
        ),
        ("a.csv\ntext,label\n1000000000000000000000011,1.10\n", Right("1000000000000000000000011:1.10")),
        ("a.csv\ntext,label\n007,1e3\n", Right("007:1e3")),
        ("a.tsv\ntext\tlabel\n12345678901234567890\t1.10\n", Right("12345678901234567890:1.10")),
        (
            "a.jsonl\n{\"text\": 01, \"label\": 1}",
            Refused("line 1: expected one JSON object a line: column 10: expected a value"),
        ),
        ("a.jsonl\n{\"text\": 1., \"label\": 1}", Refused("expected a value")),
        (
            "a.jsonl\n{\"text\": [1], \"label\": 1}",
            Refused("`text`: expected a string, a number or a boolean"),
        ),
    ];
    counted("numbers as they are written", &cases, rows_of);
}

#[test]
fn what_python_writes_as_json_is_read() {
    let cases = [
        ("a.jsonl\n{\"text\": \"a\", \"label\": \"x\", \"score\": NaN}", Right("a:x")),
        ("a.jsonl\n{\"text\": \"a\", \"label\": \"x\", \"w\": Infinity}", Right("a:x")),
        ("a.jsonl\n{\"text\": \"a\", \"label\": \"x\", \"w\": [-Infinity, {\"n\": NaN}]}", Right("a:x")),
        ("a.jsonl\n{\"text\": \"a\", \"label\": NaN}", Right("a:-")),
        ("a.jsonl\n{\"text\": \"a\", \"label\": null}", Right("a:-")),
        ("a.jsonl\n{\"text\": \"a\"}\n{\"text\": \"b\", \"label\": \"x\"}", Right("a:-|b:x")),
        ("a.jsonl\n{\"text\": \"a\", \"label\": Infinity}", Right("a:Infinity")),
        ("a.jsonl\n{\"text\": \"Hail \\ud83d ruins\", \"label\": \"x\"}", Right("Hail \u{fffd} ruins:x")),
        (
            "a.jsonl\n{\"text\": \"\\udce2\\udc80\\udc99\", \"label\": \"x\"}",
            Right("\u{fffd}\u{fffd}\u{fffd}:x"),
        ),
        ("a.jsonl\n{\"text\": \"\\ud83d\\ude00\", \"label\": \"x\", \"more\": \"\\udc00\"}", Right("😀:x")),
        ("a.jsonl\n{\"text\": \"a\", \"label\": \"x\", \"\\ud800\": 1}", Right("a:x")),
        ("a.jsonl\n{\"text\": \"a\", \"text\": \"b\", \"label\": \"x\"}", Right("b:x")),
        (
            "a.jsonl\n\u{feff}{\"text\": \"a\", \"label\": \"x\"}\r\n\r\n{\"text\": \"b\", \"label\": \"y\"}\r\n",
            Right("a:x|b:y"),
        ),
        (
            "a.json\n[{\"text\": \"a\", \"label\": NaN}, {\"text\": \"b\", \"label\": \"x\"}]",
            Right("a:-|b:x"),
        ),
        (
            "a.json\n{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \"b\", \"label\": \"y\"}\n",
            Right("a:x|b:y"),
        ),
        ("a.json\n[]", Refused("no column `text`")),
        ("a.json\n{\n\"text\": {\"0\": \"a\"}, \"label\": {\"0\": \"x\"}}", Refused("orient=\"records\"")),
        (
            "a.json\n[{\"text\": \"a\", \"label\": \"x\"}",
            Refused("expected an array of objects: column 29: expected `,` or `]`"),
        ),
        ("a.json\n[1]", Refused("row 0: column 1: expected `{`")),
        ("a.jsonl\n[{\"text\": \"a\"}]", Refused("name a file that is one array .json")),
        (
            "a.jsonl\n{'text': 'a'}",
            Refused("line 1: expected one JSON object a line: column 2: expected a name in double quotes"),
        ),
        ("a.jsonl\n{\"text\": \"a\", \"label\": nan}", Refused("column 24: expected a value, found 'n'")),
        ("a.jsonl\n{\"text\": \"a\", \"label\": \"x\",}", Refused("expected a name in double quotes")),
        ("a.jsonl\n{\"text\": \"a\"} {\"text\": \"b\"}", Refused("expected the end of the line")),
    ];
    counted("JSON as Python writes it", &cases, rows_of);
}

#[test]
fn a_label_that_is_no_number_is_no_label() {
    let cases = [
        ("a.csv\ntext,label\na,x\nb,y\n", Right("x|y")),
        ("a.csv\ntext,label\nnan,x\nNaN,y\n", Right("x|y")),
        ("a.csv\ntext,label\na,nan\nb,y\n", Refused("column `label`, row 0: expected a value, found none")),
        ("a.csv\ntext,label\na,NaN\n", Refused("row 0: expected a value")),
        ("a.tsv\ntext\tlabel\na\tx\nb\tNaN\n", Refused("row 1: expected a value")),
        ("a.jsonl\n{\"text\": \"a\", \"label\": NaN}", Refused("row 0: expected a value")),
        ("a.jsonl\n{\"text\": \"a\", \"label\": \"nan\"}", Refused("row 0: expected a value")),
    ];
    counted("NaN as a label", &cases, labels);
}

#[test]
fn packed_files_are_read_and_damaged_ones_refused() {
    let table = "text,label\na,x\nb,y\n";
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 3).unwrap();
    let lines = b"{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \"b\", \"label\": \"y\"}\n";
    let array = [b"[", &lines[..lines.len() / 2], b",", &lines[lines.len() / 2..], b"]"].concat();
    let members = [gzip(&table.as_bytes()[..13]), gzip(&table.as_bytes()[13..])].concat();
    let long = format!("text,label\n{}", "some words,x\n".repeat(5000));
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let right = Right("a:x|b:y");
    let files: Vec<(&str, Vec<u8>, Expected)> = vec![
        ("a.csv.gz", gzip(table.as_bytes()), right),
        ("a.CSV.GZ", gzip(table.as_bytes()), right),
        ("a.csv.zst", zstd(table.as_bytes()), right),
        ("members.csv.gz", members, right),
        ("a.tsv.gz", gzip(table.replace(',', "\t").as_bytes()), right),
        ("a.jsonl.gz", gzip(lines), right),
        ("a.ndjson.zst", zstd(lines), right),
        ("a.json.gz", gzip(&array), right),
        ("half.csv.gz", half(gzip(long.as_bytes())), Refused("not a whole packed file")),
        ("half.csv.zst", half(zstd(long.as_bytes())), Refused("not a whole packed file")),
        ("not.csv.gz", table.into(), Refused("is packed, and it is not")),
        ("other.csv.gz", zstd(table.as_bytes()), Refused("packed with zstd")),
        ("a.parquet.gz", gzip(b"PAR1"), Refused("unpack it")),
        ("a.csv", gzip(table.as_bytes()), Refused("packed with gzip, which its name does not say: put .gz")),
        ("b.csv", zstd(table.as_bytes()), Refused("packed with zstd")),
        ("a.csv.bz2", b"BZh91AY".to_vec(), Refused("expected a name that ends in .parquet")),
    ];
    let scene = Scene::new();
    files.iter().for_each(|(name, bytes, _)| drop(scene.file(name, bytes)));
    let cases: Vec<(&str, Expected)> = files.iter().map(|(name, _, expected)| (*name, *expected)).collect();
    counted("packed files", &cases, |name| rows(&scene.0.path().join(name)));
}

#[test]
fn files_of_a_data_set_keep_their_parts() {
    const ROWS: &str = "text,label\na-NAME,x\nb-NAME,y\n";
    let split = |names: &str| -> Result<String, String> {
        let scene = Scene::new();
        let (place, names) = names.split_once(": ").unwrap();
        for name in names.split(' ') {
            scene.file(
                name,
                ROWS.replace("NAME", name).replace(',', if name.ends_with(".tsv") { "\t" } else { "," }),
            );
        }
        let paths = data_files(&scene.0.path().join(place)).map_err(|e| e.to_string())?;
        let corpus = Corpus::read(&paths, &config()).map_err(|e| e.to_string())?;
        Ok(corpus.split.map_or_else(|| format!("{} rows", corpus.rows.len()), |words| words.join(" ")))
    };
    let cases = [
        (": train.csv test.csv", Right("test test train train")),
        (": train.csv validation.csv test.csv", Right("test test train train val val")),
        (": data/train-00000-of-00001.csv data/test-00000-of-00001.csv", Right("test test train train")),
        (
            ": train/0.csv dev/0.csv test/0.csv dataset_info.json README.md",
            Right("val val test test train train"),
        ),
        ("*.csv: x_train.csv x_test.csv other.tsv", Right("test test train train")),
        ("d?/*.csv: d1/train.csv d2/test.csv e1/test.csv", Right("train train test test")),
        (": part-0.csv part-1.csv", Right("4 rows")),
        (": train.csv validation.csv", Right("4 rows")),
        ("train.csv: train.csv test.csv", Right("2 rows")),
        (": train.csv test.tsv", Refused("files of several formats, `csv`, `tsv`")),
        (": README.md", Refused("expected files of rows, found none")),
        ("*.csv: a.tsv", Refused("expected files of rows, found none")),
        ("none: a.csv", Refused("no such file or directory")),
    ];
    counted("files of a data set", &cases, split);
}
