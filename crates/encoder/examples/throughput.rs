//! Times one encoder on texts from a file, one JSON string a line: says how long it took to load, then answers commands
//! on standard input, so that a benchmark can alternate it with others: `one`, the first text; `many`, all others;
//! `vectors FILE`, all others, written. Options: `device`, `batch_tokens`, `streams`, `engine`, `weights`, `instruction`.
#![allow(missing_docs)]

#[path = "../tests/device/mod.rs"]
mod device;

use manyview_core::{Encoder, Instruction};
use manyview_encoder::{EncoderConfig, Engine, TextEncoder};
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, texts, options @ ..] = &arguments[..] else {
        return Err("usage: throughput MODEL TEXTS.jsonl [KEY=VALUE ..]".into());
    };
    let mut config = EncoderConfig::default();
    let (mut instruction, mut device) = (None, "flex");
    for option in options {
        match option.split_once('=') {
            Some(("batch_tokens", n)) => config.batch_tokens = n.parse()?,
            Some(("device", name)) => device = name,
            Some(("streams", n)) => config.streams = n.parse()?,
            Some(("engine", "burn")) => config.engine = Engine::Burn,
            Some(("instruction", task)) => instruction = Some(Instruction::new(task)),
            Some(("weights", name)) => config.weights = serde_json::from_value(name.into())?,
            _ => return Err(format!("unknown option {option}").into()),
        }
    }
    let start = Instant::now();
    let device = device::device(device).ok_or_else(|| format!("this build has no device `{device}`"))?;
    let encoder = TextEncoder::load(model.as_ref(), &config, &device)?;
    say(start)?;
    let texts: Vec<String> =
        std::fs::read_to_string(texts)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (one, many) = texts.split_at_checked(1).ok_or("expected a text, found none")?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let start = Instant::now();
        match line.split_once(' ') {
            None if line == "many" => drop(encoder.encode(many, instruction.as_ref())?),
            None if line == "one" => drop(encoder.encode(one, instruction.as_ref())?),
            Some(("vectors", file)) => {
                let vectors = encoder.encode(many, instruction.as_ref())?.vectors;
                let bytes: Vec<u8> = vectors.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect();
                std::fs::write(file, bytes)?;
            }
            _ => return Err(format!("unknown command {line}").into()),
        }
        say(start)?;
    }
    Ok(())
}

fn say(start: Instant) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", start.elapsed().as_secs_f64())?;
    out.flush()
}
