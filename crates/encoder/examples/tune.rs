//! Fine-tunes an encoder on pairs from a file, one `["query", "passage"]` a line: what `benches/peers/tune.py` times.
#![allow(missing_docs, clippy::print_stdout)]

use manyview_core::Quiet;
use manyview_encoder::tuning::{Lesson, Lora, Method, TuningConfig, ranking, tune};
use manyview_encoder::{Device, EncoderConfig, TextEncoder};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, pairs, to, options @ ..] = &arguments[..] else {
        return Err("usage: tune MODEL PAIRS.jsonl TO [KEY=VALUE ..]".into());
    };
    let mut config = TuningConfig { checkpoint_every: usize::MAX, ..TuningConfig::default() };
    let mut reading = EncoderConfig::default();
    for option in options {
        match option.split_once('=') {
            Some(("batch", n)) => config.batch = n.parse()?,
            Some(("epochs", n)) => config.epochs = n.parse()?,
            Some(("lr", rate)) => config.lr = rate.parse()?,
            Some(("dropout", share)) => config.dropout = Some(share.parse()?),
            Some(("seed", n)) => config.seed = n.parse()?,
            Some(("max_length", n)) => reading.max_length = Some(n.parse()?),
            Some(("lora", rank)) => {
                let rank = rank.parse()?;
                config.method = Method::Lora(Lora { rank, alpha: 2.0 * rank as f64, ..Lora::default() });
            }
            _ => return Err(format!("unknown option {option}").into()),
        }
    }
    let base = TextEncoder::load(model.as_ref(), &reading, &Device::flex())?;
    let pairs: Vec<(String, String)> =
        std::fs::read_to_string(pairs)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let (queries, passages): (Vec<&str>, Vec<&str>) =
        pairs.iter().map(|(q, p)| (q.as_str(), p.as_str())).unzip();
    let lesson = Lesson {
        queries: &queries,
        passages: &passages,
        negatives: &[],
        objective: &|batch| ranking(20.0, batch),
        objective_name: "ranking, scale 20",
        progress: &Quiet,
        on_step: &|_| (),
    };
    let work = Path::new(to).with_extension("work");
    let tuned = tune(&base, &config, &lesson, &work, to.as_ref())?;
    println!("{}", serde_json::to_string(&tuned)?);
    Ok(())
}
