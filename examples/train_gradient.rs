//! Trains by gradient the map that `fit_ridge` fits in closed form, prints how it goes, and compares the two.
#![allow(clippy::print_stdout)]

use manyview::adapter::{Gradient, GradientConfig, Map, Monitored, Ridge, Schedule, TrainConfig};
use manyview::artifact::device;
use manyview::data::{Labels, Split, Table};
use manyview::encoder::{EncoderConfig, TextEncoder};
use manyview::eval::mean_cosine;
use manyview::{Encoder, Fit, Paired, Progress, Transform};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// A dot an epoch. A `Progress` whose `stopped` says true ends the training between two batches.
struct Dots;

impl Progress for Dots {
    fn begin(&self, stage: &str, total: u64) {
        print!("{stage}, {total} epochs ");
    }
    fn advance(&self, by: u64) {
        print!("{}", ".".repeat(by as usize));
        std::io::stdout().flush().ok();
    }
    fn end(&self) {
        println!();
    }
}

fn main() -> anyhow::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let table =
        Table::read_all(&[data.join("clinc150/clinc150.parquet")], &["text", "label_domain", "split"])?;
    let column = |name| Ok::<_, anyhow::Error>(table.column(name)?.iter().flatten().collect::<Vec<_>>());
    let (texts, labels) = (column("text")?, Labels::of(&column("label_domain")?));
    let split = Split::from_column(&column("split")?)?;

    let encoder = TextEncoder::load(&data.join("minilm"), &EncoderConfig::default(), &device("flex")?)?;
    let base = encoder.encode(&texts.iter().map(|t| t.as_str()).collect::<Vec<_>>(), None)?.vectors;
    let names: Vec<String> = labels.names.iter().map(|n| format!("about {}", n.replace('_', " "))).collect();
    let names = encoder.encode(&names.iter().map(String::as_str).collect::<Vec<_>>(), None)?.vectors;
    let teacher = names.select(&labels.codes)?;
    let pairs = |rows: &[usize]| Paired::new(base.select(rows)?, teacher.select(rows)?);
    let (train, validation, test) = (pairs(&split.train)?, pairs(&split.val)?, pairs(&split.test)?);

    let steps = TrainConfig { schedule: Schedule::Cosine, lr: 3e-3, warmup: 0.05, ..Default::default() };
    let config = GradientConfig { train: steps, ..Default::default() };
    let started = Instant::now();
    let monitored =
        Monitored { train: train.clone(), validation: Some(validation), score: None, progress: &Dots };
    let fit = Gradient::new(config, device("flex")?).fit(&monitored)?;
    let took = started.elapsed();
    println!("epoch  learning rate  training loss  validation loss");
    for e in fit.history.iter().filter(|e| e.epoch % 5 == 1 || e.epoch == fit.best_epoch) {
        let mark = if e.epoch == fit.best_epoch { "  best: this map is kept" } else { "" };
        let val_loss = e.val_loss.unwrap_or(f64::NAN);
        println!("{:5}  {:13.6}  {:13.5}  {val_loss:15.5}{mark}", e.epoch, e.lr, e.train_loss);
    }

    let started = Instant::now();
    let ridge = Ridge::default().fit(&train)?;
    let ridge_took = started.elapsed();
    let cosine =
        |map: &Map| Ok::<_, anyhow::Error>(mean_cosine(&map.transform(test.base())?, test.teacher())?);
    println!("\nmean cosine with the teacher on {} unseen texts", test.base().n());
    println!("  base      {:.4}", mean_cosine(test.base(), test.teacher())?);
    println!("  gradient  {:.4}  in {took:.2?}", cosine(&fit.map)?);
    println!("  ridge     {:.4}  in {ridge_took:.2?}", cosine(&ridge.linear.into())?);
    Ok(())
}
