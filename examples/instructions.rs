//! Instructions: encodes a text once, then answers questions, summarises and lists from its token states.
#![allow(clippy::print_stdout)]

use manyview::Quiet;
use manyview::artifact::device;
use manyview::artifact::instruct::{Ask, InstructionEngine};
use manyview::encoder::{EncoderConfig, TextEncoder};
use std::path::Path;

const REPORT: &str = "\
Super Bowl 50 determined the champion of the National Football League for the 2015 season. The Denver Broncos defeated \
the Carolina Panthers 24–10 to earn their third title. The game was played on February 7, 2016, at Levi's Stadium in \
Santa Clara, California.

Denver took an early lead and never trailed. The Panthers' quarterback Cam Newton was sacked seven times. Von Miller \
recorded five solo tackles, led the team with two and a half sacks, and was named the most valuable player. The \
halftime show was headlined by Coldplay. 🏈";

fn main() -> anyhow::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let encoder = TextEncoder::load(&data.join("minilm"), &EncoderConfig::default(), &device("flex")?)?;
    let engine = InstructionEngine::new(encoder)?;

    let document = engine.document(REPORT, &Quiet)?; // once; a longer text would be encoded in windows
    println!(
        "{} sentences, {} tokens, {} bytes",
        document.spans().len(),
        document.states().tokens(),
        document.bytes()
    );

    for instruction in [
        "Who led the team in sacks?",
        "Who played at halftime?",
        "Summarise in 2 sentences",
        "List the dates",
        "List the names of the teams in the game",
    ] {
        let found = engine.answer(&document, &Ask::new(instruction))?; // an instruction costs its own encoding
        println!("\n{instruction} ({})", found.template);
        for answer in found.answers {
            let score = answer.score.map_or(String::new(), |score| format!("{score:.2}"));
            println!("  {score:>4}  {}..{}  {}", answer.start, answer.end, answer.answer); // in characters
        }
    }
    Ok(())
}
