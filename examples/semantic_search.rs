//! Semantic search: encodes passages once, then finds those nearest to what somebody asks.
#![allow(clippy::print_stdout)]

use manyview::Encoder;
use manyview::artifact::device;
use manyview::data::{PairColumns, TextPairs};
use manyview::encoder::{EncoderConfig, TextEncoder};
use manyview::eval::search;
use std::path::Path;

fn main() -> anyhow::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let columns = PairColumns { limit: Some(300), ..Default::default() };
    let pairs = TextPairs::read(&[data.join("medquad/pairs.parquet")], &columns)?;

    let config = EncoderConfig { max_length: Some(64), ..Default::default() };
    let encoder = TextEncoder::load(&data.join("minilm"), &config, &device("flex")?)?;
    let texts: Vec<&str> = pairs.passages.iter().map(String::as_str).collect();
    let passages = encoder.encode(&texts, None)?.vectors; // [300, 384], kept for every later question

    let questions = ["my heart beats too fast", "a disease that runs in the family", "bad sugar levels"];
    let found = search(&encoder.encode(&questions, None)?.vectors, &passages, 3)?;
    for (question, hits) in questions.iter().zip(found.hits()) {
        println!("{question}");
        for hit in hits {
            let start: String = texts[hit.document].chars().take(90).collect();
            println!("  {:.3}  {start}…", hit.score);
        }
    }
    Ok(())
}
