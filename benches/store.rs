//! Putting 5,000 vectors of 1,024 dimensions into a store, and reading them back.
#![allow(missing_docs, clippy::expect_used)] // missing_docs: what criterion_group! makes

mod random;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use manyview::store::{CachedEncoder, Store};
use manyview::{Embeddings, Encoded, Encoder, Fingerprint, Instruction, Quiet, Result};
use tempfile::TempDir;

/// Gives vectors that are there already: what is measured is the store.
struct Ready(Embeddings);

impl Encoder for Ready {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::builder("ready/1").finish()
    }
    fn encode(&self, texts: &[&str], _: Option<&Instruction>) -> Result<Encoded> {
        let rows: Vec<usize> = (0..texts.len()).collect();
        Ok(self.0.select(&rows)?.into())
    }
}

fn store(c: &mut Criterion) {
    let texts: Vec<String> = (0..5000).map(|i| format!("text number {i}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ready = Ready(random::rows(256, 1024, 1)); // one chunk
    let open = || -> (TempDir, CachedEncoder<&Ready>) {
        let root = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open(root.path()).expect("a new store");
        (root, CachedEncoder::new(&ready, store, "ready"))
    };
    let all =
        |encoder: &CachedEncoder<&Ready>| encoder.encode_all(&texts, None, &Quiet).expect("room on the disk");
    let mut group = c.benchmark_group("store");
    group.throughput(Throughput::Elements(5000)).sample_size(10);
    group.bench_function("append", |b| {
        let append = |(root, encoder): (TempDir, CachedEncoder<&Ready>)| (all(&encoder), root);
        b.iter_batched(open, append, BatchSize::PerIteration);
    });
    let (_root, encoder) = open();
    all(&encoder);
    group.bench_function("read", |b| b.iter(|| all(&encoder)));
}

criterion_group!(benches, store);
criterion_main!(benches);
