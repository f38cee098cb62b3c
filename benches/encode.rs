//! Texts a second of the encoder in `data/minilm`.
#![allow(missing_docs, clippy::expect_used)] // missing_docs: what criterion_group! makes

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use manyview::Encoder;
use manyview::data::Table;
use manyview::encoder::{EncoderConfig, TextEncoder};
use manyview::pipeline::device;
use std::path::Path;

fn encode(c: &mut Criterion) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let device = device("flex").expect("the backend of the default features");
    let encoder = TextEncoder::load(&data.join("minilm"), &EncoderConfig::default(), &device);
    let encoder = encoder.expect("the embedded encoder");
    let mut group = c.benchmark_group("encode 64 texts with MiniLM");
    group.throughput(Throughput::Elements(64)).sample_size(10);
    for corpus in ["clinc150", "medquad"] {
        let file = data.join(corpus).join(corpus).with_extension("parquet");
        let table = Table::read_all(&[file], &["text"]).expect("an embedded corpus");
        let texts = table.column("text").expect("the column of texts").iter().flatten().step_by(20).take(64);
        let texts: Vec<&str> = texts.map(String::as_str).collect();
        group.bench_function(corpus, |b| b.iter(|| encoder.encode(&texts, None).expect("vectors")));
    }
}

criterion_group!(benches, encode);
criterion_main!(benches);
