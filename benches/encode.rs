//! Speed of the encoder: many texts and one, MiniLM in `data/minilm` and a Qwen3 of its real width.
#![allow(missing_docs, clippy::expect_used)] // missing_docs: what criterion_group! makes

mod qwen3;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use manyview::Encoder;
use manyview::artifact::device;
use manyview::data::Table;
use manyview::encoder::{EncoderConfig, TextEncoder};
use std::path::{Path, PathBuf};

fn minilm(c: &mut Criterion) {
    let encoder = load(&root().join("data/minilm"), EncoderConfig::default());
    for corpus in ["clinc150", "medquad"] {
        measure(c, "MiniLM", corpus, &encoder, &texts(corpus, 64));
    }
}

fn qwen3_width(c: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let small = root().join("crates/encoder/tests/golden/models/qwen3-tiny");
    qwen3::write(&small, directory.path()).expect("a model");
    let config = EncoderConfig { max_length: Some(80), ..EncoderConfig::default() };
    measure(c, "Qwen3, 4 layers", "medquad", &load(directory.path(), config), &texts("medquad", 16));
}

/// Throughput over all texts, then latency of the first alone.
fn measure(c: &mut Criterion, model: &str, corpus: &str, encoder: &TextEncoder, texts: &[String]) {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut group = c.benchmark_group(format!("encode with {model}"));
    group.sample_size(10);
    for n in [texts.len(), 1] {
        group.throughput(Throughput::Elements(n as u64));
        let part = texts.get(..n).unwrap_or(&texts);
        group.bench_function(format!("{corpus}, texts: {n}"), |b| {
            b.iter(|| encoder.encode(part, None).expect("vectors"))
        });
    }
}

fn load(directory: &Path, config: EncoderConfig) -> TextEncoder {
    let device = device("flex").expect("the backend of the default features");
    TextEncoder::load(directory, &config, &device).expect("an encoder")
}

/// `n` texts of an embedded corpus, spread over it.
fn texts(corpus: &str, n: usize) -> Vec<String> {
    let file = root().join("data").join(corpus).join(corpus).with_extension("parquet");
    let table = Table::read_all(&[file], &["text"]).expect("an embedded corpus");
    table.column("text").expect("the column of texts").iter().flatten().step_by(20).take(n).cloned().collect()
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

criterion_group!(benches, minilm, qwen3_width);
criterion_main!(benches);
