//! Brings questions near their answers: a map of the questions alone, so that the answers and their index stay as they
//! are. The questions are made of MedQuAD's question type and disease: "treatment: Glaucoma".
#![allow(clippy::print_stdout)]

use manyview::adapter::{Contrastive, ContrastiveConfig, MonitoredPairs, Negatives, Shape, TrainConfig};
use manyview::artifact::device;
use manyview::data::{Split, Table};
use manyview::encoder::{EncoderConfig, TextEncoder};
use manyview::{Embeddings, Encoder, Fit, QueryPassagePairs, Quiet, Transform};
use std::path::Path;
use std::time::Instant;

fn main() -> anyhow::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let columns = ["text", "label_qtype", "focus", "split"];
    let table = Table::read_all(&[data.join("medquad/medquad.parquet")], &columns)?;
    let column = |name| Ok::<_, anyhow::Error>(table.column(name)?.iter().flatten().collect::<Vec<_>>());
    let (answers, kinds, diseases) = (column("text")?, column("label_qtype")?, column("focus")?);
    let split = Split::from_column(&column("split")?)?;
    let questions: Vec<String> = kinds.iter().zip(&diseases).map(|(k, d)| format!("{k}: {d}")).collect();

    let encoder = TextEncoder::load(&data.join("minilm"), &EncoderConfig::default(), &device("flex")?)?;
    let encode = |texts: Vec<&str>| Ok::<_, anyhow::Error>(encoder.encode(&texts, None)?.vectors);
    let passages = encode(answers.iter().map(|t| t.as_str()).collect())?.normalized()?; // [1610, 384]
    let queries = encode(questions.iter().map(String::as_str).collect())?; // [1610, 384], question i asks for answer i
    let pairs =
        |rows: &[usize]| QueryPassagePairs::new(queries.select(rows)?, passages.clone(), rows.to_vec());
    let (train, validation, test) = (pairs(&split.train)?, pairs(&split.val)?, pairs(&split.test)?);

    println!(
        "{} answers; share of questions whose answer is the nearest, mean reciprocal rank",
        passages.n()
    );
    let found = |queries: &Embeddings, of: &QueryPassagePairs| {
        let ranks = queries.rows().zip(of.positive()).map(|(query, own)| {
            let cosine = |p: &[f32]| query.iter().zip(p).map(|(a, b)| a * b).sum::<f32>();
            let own = cosine(passages.row(*own));
            1 + passages.rows().filter(|p| cosine(p) > own).count()
        });
        let ranks: Vec<usize> = ranks.collect();
        let mean = |f: fn(usize) -> f64| ranks.iter().map(|r| f(*r)).sum::<f64>() / ranks.len() as f64;
        (mean(|r| f64::from(u8::from(r == 1))), mean(|r| 1.0 / r as f64))
    };
    let show =
        |name: &str, (first, reciprocal): (f64, f64)| println!("{name:24} {first:.3}  {reciprocal:.3}");
    show("encoder alone", found(&test.queries().clone().normalized()?, &test));

    for (name, negatives, shape) in [
        ("linear, batch", Negatives::Batch, Shape::Linear),
        ("linear, all answers", Negatives::Corpus, Shape::Linear),
        ("low rank, all answers", Negatives::Corpus, Shape::LowRank),
    ] {
        let config = ContrastiveConfig {
            negatives,
            shape,
            identity_penalty: 0.1,
            train: TrainConfig { epochs: 20, patience: 3, ..Default::default() },
            ..Default::default()
        };
        let score =
            |maps: &manyview::adapter::Maps| Ok(found(&maps.queries(validation.queries())?, &validation).1);
        let data = MonitoredPairs { train: train.clone(), score: Some(&score), progress: &Quiet };
        let started = Instant::now();
        let fit = Contrastive::new(config, device("flex")?).fit(&data)?;
        let took = started.elapsed();
        show(name, found(&fit.maps.query().transform(test.queries())?, &test));
        println!("  epoch {} of {}, in {took:.2?}", fit.best_epoch, fit.history.len());
    }
    Ok(())
}
