//! Embeds a few texts with the encoder in `data/minilm`, with and without an instruction, and prints their cosines.
#![allow(clippy::print_stdout)]

use manyview::artifact::device;
use manyview::encoder::{EncoderConfig, TextEncoder};
use manyview::{Embeddings, Encoder, Instruction};
use std::path::Path;

const TEXTS: [&str; 4] = [
    "The striker scored twice in the final and the crowd went wild",
    "Her team lost the final on penalties, and nobody spoke on the way home",
    "The bank raised its interest rate again, to the delight of savers",
    "Shares fell sharply and thousands of small investors lost everything",
];

fn main() -> anyhow::Result<()> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/minilm");
    let encoder = TextEncoder::load(&dir, &EncoderConfig::default(), &device("flex")?)?;
    println!("encoder {}: {} dimensions\n", encoder.fingerprint().short(), encoder.dim());
    for (i, text) in TEXTS.iter().enumerate() {
        println!("{i}  {text}");
    }

    let plain = encoder.encode(&TEXTS, None)?.vectors; // [4, 384], each row of length 1
    print_cosines("without an instruction: by topic, sports next to sports", &plain);

    let mood = Instruction::new("Tell happy from sad");
    println!("\nWhat the model reads of text 0: {:?}", mood.prompt(TEXTS[0]));
    let instructed = encoder.encode(&TEXTS, Some(&mood))?.vectors;
    print_cosines("under that instruction", &instructed);
    println!(
        "\nA small encoder that was never taught to follow instructions hardly follows one: the common words"
    );
    println!(
        "bring all texts together, and the topic still decides. That is what an adapter is for: see `fit_ridge`."
    );
    Ok(())
}

/// Rows are of length 1, so a cosine is a dot product.
fn print_cosines(title: &str, x: &Embeddings) {
    println!("\nCosines {title}\n      0     1     2     3");
    for (i, a) in x.rows().enumerate() {
        let cosine = |b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let row: Vec<String> = x.rows().map(|b| format!("{:5.2}", cosine(b))).collect();
        println!("{i} {}", row.join(" "));
    }
}
