//! Batch search: many questions at once over a vector index, and how much of the exact search it finds.
#![allow(clippy::print_stdout)]

use instant_distance::{Builder, HnswMap, Search};
use manyview::artifact::device;
use manyview::data::{PairColumns, TextPairs};
use manyview::encoder::{EncoderConfig, TextEncoder};
use manyview::eval::search;
use manyview::{Embeddings, Encoder};
use std::path::Path;

const K: usize = 10;

/// A unit vector, as the index wants it.
#[derive(Clone)]
struct Point(Vec<f32>);

impl instant_distance::Point for Point {
    fn distance(&self, other: &Self) -> f32 {
        1.0 - self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum::<f32>() // 1 − cosine
    }
}

fn main() -> anyhow::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let columns = PairColumns { limit: Some(400), ..Default::default() };
    let pairs = TextPairs::read(&[data.join("medquad/pairs.parquet")], &columns)?;

    let config = EncoderConfig { max_length: Some(64), ..Default::default() };
    let encoder = TextEncoder::load(&data.join("minilm"), &config, &device("flex")?)?;
    let encode = |texts: &[String]| -> anyhow::Result<Embeddings> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(encoder.encode(&texts, None)?.vectors)
    };
    let (queries, passages) = (encode(&pairs.queries)?, encode(&pairs.passages)?);

    let points: Vec<Point> = passages.rows().map(|row| Point(row.to_vec())).collect();
    let rows: Vec<usize> = (0..points.len()).collect();
    let index: HnswMap<Point, usize> = Builder::default().seed(1).build(points, rows);

    let exact = search(&queries, &passages, K)?;
    let mut searches = Search::default(); // its memory serves every query
    let (mut shared, mut answered) = (0, 0);
    for ((query, hits), answer) in queries.rows().zip(exact.hits()).zip(&pairs.positive) {
        let found = index.search(&Point(query.to_vec()), &mut searches);
        let found: Vec<usize> = found.take(K).map(|item| *item.value).collect();
        shared += hits.iter().filter(|hit| found.contains(&hit.document)).count();
        answered += usize::from(found.contains(answer));
    }
    let share = |part: usize, all: usize| 100.0 * part as f64 / all as f64;
    let n = queries.n();
    println!("{n} questions over an index of {} passages", passages.n());
    println!("{:.1}% of the {K} nearest passages found that an exact search finds", share(shared, n * K));
    println!("{:.1}% of the questions have their answer among them", share(answered, n));
    Ok(())
}
