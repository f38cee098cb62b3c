//! A million rows, each of which says which it is.

use manyview_core::{Embeddings, Encoded, Encoder, Fingerprint, Instruction, Quiet, Result};
use manyview_store::{CachedEncoder, Store};
use std::collections::HashSet;

/// Reads the number at the end of a text, and gives it back as the vector and as its norm.
struct Numbered;

impl Encoder for Numbered {
    fn dim(&self) -> usize {
        2
    }
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::builder("encoder/1").field("name", b"numbered").finish()
    }
    fn encode(&self, texts: &[&str], _: Option<&Instruction>) -> Result<Encoded> {
        let numbers: Vec<f32> =
            texts.iter().map(|t| t.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        let angles = numbers.iter().map(|n| [(n / 1e6).cos(), (n / 1e6).sin()]);
        Ok(Encoded {
            vectors: Embeddings::from_rows(angles)?,
            truncated: numbers.iter().map(|n| n % 3.0 == 0.0).collect(),
            norms: numbers,
        })
    }
}

#[test]
fn a2_every_one_of_a_million_rows_gets_the_vector_of_its_text() {
    const ROWS: usize = 1_000_000;
    let dir = tempfile::tempdir().unwrap();
    let stored =
        || CachedEncoder::new(Numbered, Store::open(dir.path()).unwrap(), "numbered").with_part_rows(1 << 16);
    // Texts of differing lengths, every fifth the repeat of an earlier one.
    let number = |i: usize| 1 + if i % 5 == 4 { i * 7 % (i + 1) } else { i };
    let text = |n: usize| format!("{} {n}", "x".repeat(n % 13));
    let texts: Vec<String> = (0..ROWS).map(|i| text(number(i))).collect();
    let different = texts.iter().collect::<HashSet<_>>().len();
    let mut encoded = 0;
    for pass in 0..2 {
        for (begin, chunk) in texts.chunks(99_991).enumerate().map(|(k, chunk)| (k * 99_991, chunk)) {
            let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
            let (found, reuse) = stored().encode_all(&chunk, None, &Quiet).unwrap();
            assert_eq!(found.vectors.n(), chunk.len());
            for (i, row) in found.vectors.rows().enumerate() {
                let n = number(begin + i) as f32;
                let right = found.norms[i] == n && row == [(n / 1e6).cos(), (n / 1e6).sin()];
                assert!(right && found.truncated[i] == (n % 3.0 == 0.0), "pass {pass}, row {}", begin + i);
            }
            encoded += reuse.encoded;
        }
    }
    assert_eq!(encoded, different);
    println!("reliability: A2 tried={} rows asked of the store, {encoded} encoded", 2 * ROWS);
}
