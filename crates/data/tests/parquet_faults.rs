//! Parquet files damaged some thousands of times, read in a process with little memory: an error or the rows the file
//! says it has, and never the end of the process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

use arrow_array::types::{Float32Type, Int32Type};
use arrow_array::{
    ArrayRef, DictionaryArray, Float32Array, ListArray, RecordBatch, StringArray, StructArray,
};
use manyview_core::Kind;
use manyview_data::{Error, Rows, Table, VectorRows};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROWS: usize = 300;

/// Texts with and without values, in a dictionary, in a struct, and vectors.
fn batch() -> RecordBatch {
    let text = |i: usize| (i % 7 != 3).then(|| format!("text {} of some length", i * i % 101));
    let texts = StringArray::from_iter((0..ROWS).map(text));
    let words: DictionaryArray<Int32Type> = (0..ROWS).map(|i| Some(["rain", "fog", "sun"][i % 3])).collect();
    let lists = (0..ROWS).map(|i| Some((0..4).map(move |j| Some((i * j) as f32))));
    let nested: ArrayRef = Arc::new(Float32Array::from_iter_values((0..ROWS).map(|i| i as f32)));
    let columns: [(&str, ArrayRef); 4] = [
        ("text", Arc::new(texts)),
        ("word", Arc::new(words)),
        ("vector", Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(lists))),
        ("nested", Arc::new(StructArray::try_from(vec![("inner", nested)]).unwrap())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn written(properties: WriterProperties) -> Vec<u8> {
    let batch = batch();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// The same rows by every codec, in both versions of pages, plain and in dictionaries, in several groups.
fn files() -> Vec<(String, Vec<u8>)> {
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(Default::default()),
    ];
    let lengths = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_column_encoding("text".into(), Encoding::DELTA_LENGTH_BYTE_ARRAY);
    let mut files = vec![("lists of lengths".to_string(), written(lengths.build()))];
    for codec in codecs {
        for (version, dictionary) in [(WriterVersion::PARQUET_1_0, true), (WriterVersion::PARQUET_2_0, false)]
        {
            let properties = WriterProperties::builder()
                .set_compression(codec)
                .set_writer_version(version)
                .set_dictionary_enabled(dictionary)
                .set_statistics_enabled(if dictionary {
                    EnabledStatistics::Page
                } else {
                    EnabledStatistics::None
                })
                .set_max_row_group_row_count(Some(128))
                .set_data_page_row_count_limit(50)
                .set_write_batch_size(50);
            files.push((format!("{codec:?}, {version:?}"), written(properties.build())));
        }
    }
    files
}

fn texts(path: &Path, column: &str) -> Result<usize, Error> {
    Ok(Table::read_all(&[path.into()], &[column])?.n())
}

fn in_chunks(path: &Path, column: &str) -> Result<usize, Error> {
    let mut n = 0;
    for table in Rows::open(path, &[column], 64)? {
        n += table?.n();
    }
    Ok(n)
}

fn vectors(path: &Path) -> Result<usize, Error> {
    let mut n = 0;
    for part in VectorRows::open(path, "vector", 64)? {
        n += part?.n();
    }
    Ok(n)
}

#[test]
fn a6_every_codec_and_page_is_read_and_the_nested_column_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    for (what, bytes) in files() {
        std::fs::write(&path, bytes).unwrap();
        let counts = [texts(&path, "text"), in_chunks(&path, "word"), vectors(&path)].map(Result::unwrap);
        assert_eq!(counts, [ROWS; 3], "{what}");
        let table = Table::read_all(std::slice::from_ref(&path), &["text", "word"]).unwrap();
        assert_eq!(table.column("text").unwrap()[3], None, "{what}");
        assert_eq!(table.column("text").unwrap()[151].as_deref(), Some("text 76 of some length"), "{what}");
        assert_eq!(table.column("word").unwrap()[299].as_deref(), Some("sun"), "{what}");
        let e = texts(&path, "nested").unwrap_err().to_string();
        assert!(e.contains("column `nested`: expected strings"), "{what}: {e}");
        assert!(texts(&path, "texts").unwrap_err().to_string().contains("perhaps `text`"));
    }
}

/// Numbers without a pattern, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// Flips bits, writes large numbers and cuts, in the footer as often as in the pages.
fn damaged(whole: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let end = bytes.len();
    let footer = end - 8 - u32::from_le_bytes(bytes[end - 8..end - 4].try_into().unwrap()) as usize;
    for _ in 0..1 + dice.below(3) {
        let at = if dice.below(2) == 0 { footer + dice.below(end - footer) } else { dice.below(end) };
        match dice.below(6) {
            0..3 => bytes[at] ^= 1 << dice.below(8),
            3 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][dice.below(5)],
            4 => bytes[at..(at + 5).min(end)]
                .copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f][..5.min(end - at)]),
            _ => bytes[at..(at + 4).min(end)].fill(0),
        }
    }
    match dice.below(12) {
        0 => bytes.truncate(dice.below(end)),
        1 => drop(bytes.drain(dice.below(footer)..footer)),
        _ => {}
    }
    bytes
}

fn seconds(longest: Duration) -> f64 {
    longest.as_secs_f64()
}

/// What is done with little memory.
fn read_damaged(count: usize) {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = dir.path().join("a.parquet");
    let files = files();
    let (mut dice, mut longest) = (Dice(6), Duration::ZERO);
    let (mut read, mut refused, mut wrong) = (0, 0, Vec::new());
    for mutant in 0..count {
        let (what, whole) = &files[mutant % files.len()];
        let bytes = damaged(whole, &mut dice);
        std::fs::write(&path, &bytes).unwrap();
        for reader in 0..4 {
            let start = Instant::now();
            let found = match reader {
                0 => texts(&path, "text"),
                1 => in_chunks(&path, "text"),
                2 => in_chunks(&path, "word"),
                _ => vectors(&path),
            };
            longest = longest.max(start.elapsed());
            match found {
                Ok(ROWS) => read += 1,
                Ok(n) => wrong.push(format!("mutant {mutant} of {what}, reader {reader}: {n} rows")),
                Err(e) => {
                    assert!(
                        [Kind::Input, Kind::Numeric].contains(&e.kind())
                            && e.to_string().contains("a.parquet"),
                        "{e}"
                    );
                    refused += 1;
                }
            }
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().to_string();
    println!(
        "reliability: A6 tried={count} damaged files, each read 4 ways: {refused} refused, {read} read, slowest {:.2} s, peak {peak}",
        seconds(longest)
    );
    assert!(wrong.is_empty(), "{}", wrong[..wrong.len().min(20)].join("\n"));
}

fn in_little_memory(mutants: usize) {
    let mut child = Command::new("sh");
    child.args([
        "-c",
        "ulimit -v 2097152; exec \"$1\" a6_damaged_files_are_refused_or_read_whole_in_two_gibibytes --exact --nocapture --test-threads 1",
        "sh",
    ]);
    let output =
        child.arg(std::env::current_exe().unwrap()).env("MUTANTS", mutants.to_string()).output().unwrap();
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {out}\n{errors}", output.status);
    println!("{}", &out[out.find("reliability: A6").unwrap()..].lines().next().unwrap());
    assert!(!errors.contains("panicked"), "a panic reached the terminal: {errors}");
}

#[test]
fn a6_damaged_files_are_refused_or_read_whole_in_two_gibibytes() {
    if let Ok(count) = std::env::var("MUTANTS") {
        return read_damaged(count.parse().unwrap()); // started by `in_little_memory`
    }
    in_little_memory(std::env::var("ROUNDS").map_or(10_000, |n| n.parse().unwrap()));
}
