//! Fits a ridge map from the vectors of an encoder to those of a teacher, and rates it on texts it has not seen.
#![allow(clippy::print_stdout)]

use manyview::adapter::Ridge;
use manyview::artifact::device;
use manyview::data::{Labels, Split, Table};
use manyview::encoder::{EncoderConfig, TextEncoder};
use manyview::eval::mean_cosine;
use manyview::{Encoder, Fit, Paired, Transform};
use std::path::Path;
use std::time::Instant;

fn main() -> anyhow::Result<()> {
    // 2000 requests to an assistant, each of one of ten domains.
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let table =
        Table::read_all(&[data.join("clinc150/clinc150.parquet")], &["text", "label_domain", "split"])?;
    let column = |name| Ok::<_, anyhow::Error>(table.column(name)?.iter().flatten().collect::<Vec<_>>());
    let (texts, labels) = (column("text")?, Labels::of(&column("label_domain")?));
    let split = Split::from_column(&column("split")?)?;

    // The base vectors: computed once, whatever is asked later.
    let encoder = TextEncoder::load(&data.join("minilm"), &EncoderConfig::default(), &device("flex")?)?;
    let base = encoder.encode(&texts.iter().map(|t| t.as_str()).collect::<Vec<_>>(), None)?.vectors;

    // The teacher: every text should lie where the name of its domain lies.
    let names: Vec<String> = labels.names.iter().map(|n| format!("about {}", n.replace('_', " "))).collect();
    let names = encoder.encode(&names.iter().map(String::as_str).collect::<Vec<_>>(), None)?.vectors;
    let teacher = names.select(&labels.codes)?;

    let pairs = |rows: &[usize]| Paired::new(base.select(rows)?, teacher.select(rows)?);
    let (train, test) = (pairs(&split.train)?, pairs(&split.test)?);
    let started = Instant::now();
    let fit = Ridge::default().fit(&train)?;
    println!(
        "ridge on {} texts in {:.2?}; every penalty by leave-one-out:",
        train.base().n(),
        started.elapsed()
    );
    println!("\n     lambda  cosine     mse");
    for score in fit.path.iter().step_by(2) {
        println!("{:11.5}  {:.4}  {:.5}", score.lambda, score.cosine, score.mse);
    }
    let left_out = mean_cosine(&fit.leave_one_out, train.teacher())?;
    println!("chosen: {:.5}, cosine of left-out rows {left_out:.4}", fit.lambda);

    let view = fit.linear.transform(test.base())?;
    println!("\nmean cosine with the teacher, on {} texts the map has not seen:", view.n());
    println!("  before {:.4}", mean_cosine(test.base(), test.teacher())?);
    println!("  after  {:.4}", mean_cosine(&view, test.teacher())?);
    Ok(())
}
