//! Question answering: learns from pairs how questions are asked, and finds answers to others better.
#![allow(clippy::print_stdout)]

use manyview::adapter::{Contrastive, ContrastiveConfig, MonitoredPairs, Negatives, TrainConfig};
use manyview::artifact::device;
use manyview::data::{Fractions, PairColumns, TextPairs};
use manyview::encoder::{EncoderConfig, TextEncoder};
use manyview::eval::{Bootstrap, Relevance, RetrievalMeasure::Ndcg, search};
use manyview::{Embeddings, Encoder, Fit, QueryPassagePairs, Quiet};
use std::path::Path;

fn main() -> anyhow::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let columns =
        PairColumns { document: Some("focus".into()), limit: Some(600), seed: 1, ..Default::default() };
    let pairs = TextPairs::read(&[data.join("medquad/pairs.parquet")], &columns)?;
    let split = pairs.split(Fractions::new(0.5, 0.0, 0.5)?, 1)?; // no illness is in both halves

    let config = EncoderConfig { max_length: Some(64), ..Default::default() };
    let encoder = TextEncoder::load(&data.join("minilm"), &config, &device("flex")?)?;
    let encode = |texts: &[String]| -> anyhow::Result<Embeddings> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(encoder.encode(&texts, None)?.vectors)
    };
    let (queries, passages) = (encode(&pairs.queries)?, encode(&pairs.passages)?); // once

    // Training questions against the passages of training pairs, which start where the encoder puts them.
    let own: Vec<usize> = split.train.iter().map(|&row| pairs.positive[row]).collect();
    let places = (0..own.len()).collect();
    let train = QueryPassagePairs::new(queries.select(&split.train)?, passages.select(&own)?, places)?;
    let steps = TrainConfig { lr: 3e-4, epochs: 20, ..Default::default() };
    let config = ContrastiveConfig { negatives: Negatives::Corpus, train: steps, ..Default::default() };
    let fit = Contrastive::new(config, device("flex")?).fit(&MonitoredPairs {
        train,
        score: None,
        progress: &Quiet,
    })?;

    let test = queries.select(&split.test)?;
    let answers = split.test.iter().map(|&row| vec![pairs.positive[row]]);
    let relevance = Relevance::new(answers, passages.n())?;
    let score = |view: &Embeddings| relevance.scores(&search(view, &passages, 10)?, Ndcg(10));
    let (base, adapted) = (score(&test)?, score(&fit.maps.queries(&test)?)?);
    let gain = Bootstrap::default().difference(&adapted, &base)?;
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
    println!("{} test questions of illnesses that were never seen, {} passages", base.len(), passages.n());
    println!("nDCG@10: {:.3} by the encoder, {:.3} adapted", mean(&base), mean(&adapted));
    println!("gain {:+.3}, 95% interval {:+.3} to {:+.3}", gain.value, gain.low, gain.high);
    Ok(())
}
