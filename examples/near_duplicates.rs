//! Near-duplicates: pairs of texts whose vectors nearly coincide, each pair once.
#![allow(clippy::print_stdout)]

use manyview::Encoder;
use manyview::artifact::device;
use manyview::data::{PairColumns, TextPairs};
use manyview::encoder::{EncoderConfig, TextEncoder};
use manyview::eval::search;
use std::path::Path;

/// The cosine from which two texts count as nearly the same.
const ALIKE: f64 = 0.95;

fn main() -> anyhow::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let columns = PairColumns { limit: Some(400), ..Default::default() };
    let texts = TextPairs::read(&[data.join("medquad/pairs.parquet")], &columns)?.passages;

    let config = EncoderConfig { max_length: Some(64), ..Default::default() };
    let encoder = TextEncoder::load(&data.join("minilm"), &config, &device("flex")?)?;
    let strs: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = encoder.encode(&strs, None)?.vectors;

    // Every text meets every other; ten neighbours are plenty where few are alike.
    let neighbours = search(&vectors, &vectors, 10)?;
    let mut found: Vec<(f64, usize, usize)> = Vec::new();
    for (text, hits) in neighbours.hits().enumerate() {
        let alike = hits.iter().filter(|hit| hit.document > text && hit.score >= ALIKE);
        found.extend(alike.map(|hit| (hit.score, text, hit.document)));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("{} texts, {} pairs of a cosine from {ALIKE}", texts.len(), found.len());
    for (cosine, a, b) in found.iter().take(5) {
        let start = |text: &str| text.chars().take(80).collect::<String>();
        println!("{cosine:.3}\n  {}…\n  {}…", start(&texts[*a]), start(&texts[*b]));
    }
    Ok(())
}
