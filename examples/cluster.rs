//! Clusters one set of texts once and asks how well the clusters agree with two different label sets.
#![allow(clippy::print_stdout)]

use manyview::Encoder;
use manyview::artifact::device;
use manyview::data::{Labels, Table};
use manyview::encoder::{EncoderConfig, TextEncoder};
use manyview::eval::{KMeans, v_measure};
use std::path::Path;

fn main() -> anyhow::Result<()> {
    // Answers to questions about diseases; each has a medical area and an aspect of the disease.
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let columns = ["text", "label_area", "label_qtype"];
    let table = Table::read_all(&[data.join("medquad/medquad.parquet")], &columns)?;
    let every_fourth = |name| {
        let values = table.column(name)?.iter().flatten().step_by(4);
        Ok::<_, anyhow::Error>(values.map(String::as_str).collect::<Vec<_>>())
    };
    let texts = every_fourth("text")?;

    // The first 64 tokens of a text say enough here, and are read in a third of the time.
    let config = EncoderConfig { max_length: Some(64), ..Default::default() };
    let encoder = TextEncoder::load(&data.join("minilm"), &config, &device("flex")?)?;
    let encoded = encoder.encode(&texts, None)?;
    let cut = encoded.truncated.iter().filter(|t| **t).count();
    println!("{} texts, {cut} of them longer than {} tokens\n", texts.len(), encoder.max_length());

    println!("label set      k  V-measure  homogeneity  completeness");
    for column in ["label_area", "label_qtype"] {
        let labels = Labels::of(&every_fourth(column)?);
        let clusters = KMeans::new(labels.names.len()).fit(&encoded.vectors)?;
        let v = v_measure(&labels.codes, &clusters.labels)?;
        let k = labels.names.len();
        println!("{column:12}  {k:2}  {:9.3}  {:11.3}  {:12.3}", v.v_measure, v.homogeneity, v.completeness);
    }
    println!(
        "\nOne set of vectors is one view: its clusters follow the area and the aspect, and neither fully."
    );
    println!("An adapter for each label set makes two views of the same vectors, without encoding again.");
    Ok(())
}
