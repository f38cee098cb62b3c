//! Fine-tunes an encoder on pairs from a file, one `["query", "passage"]` a line: what `benches/peers/tune.py` times.
#![allow(missing_docs, clippy::print_stdout)]

use manyview_core::{Encoder, Quiet};
use manyview_encoder::finetune::{
    FineTuneConfig, FineTuner, Lora, Method, MultipleNegativesRanking, TrainingData,
};
use manyview_encoder::{Device, EncoderConfig, Engine, TextEncoder};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, pairs, to, options @ ..] = &arguments[..] else {
        return Err("usage: fine_tune MODEL PAIRS.jsonl TO [KEY=VALUE ..]".into());
    };
    let mut config = FineTuneConfig { checkpoint_every: usize::MAX, ..FineTuneConfig::default() };
    let mut reading = EncoderConfig::default();
    let (mut lora, mut vectors) = (None, None);
    for option in options {
        match option.split_once('=') {
            Some(("batch", n)) => config.batch = n.parse()?,
            Some(("epochs", n)) => config.epochs = n.parse()?,
            Some(("lr", rate)) => config.lr = rate.parse()?,
            Some(("dropout", share)) => config.dropout = Some(share.parse()?),
            Some(("seed", n)) => config.seed = n.parse()?,
            Some(("max_length", n)) => reading.max_length = Some(n.parse()?),
            Some(("lora", n)) => {
                let rank = n.parse()?;
                lora = Some(Lora { rank, alpha: 2.0 * rank as f64, ..lora.unwrap_or_default() });
            }
            Some(("targets", names)) => {
                let targets = names.split(',').map(String::from).collect();
                lora = Some(Lora { targets, ..lora.unwrap_or_default() });
            }
            Some(("lora_dropout", share)) => {
                lora = Some(Lora { dropout: share.parse()?, ..lora.unwrap_or_default() });
            }
            Some(("vectors", path)) => vectors = Some(path.to_string()),
            Some(("engine", "burn")) => config.engine = Engine::Burn,
            _ => return Err(format!("unknown option {option}").into()),
        }
    }
    config.method = lora.map_or(Method::Full, Method::Lora);
    let base = TextEncoder::load(model.as_ref(), &reading, &Device::flex())?;
    let pairs: Vec<(String, String)> =
        std::fs::read_to_string(pairs)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let (queries, passages): (Vec<&str>, Vec<&str>) =
        pairs.iter().map(|(q, p)| (q.as_str(), p.as_str())).unzip();
    let data = TrainingData {
        queries: &queries,
        passages: &passages,
        negatives: &[],
        objective: &MultipleNegativesRanking { scale: 20.0 },
        progress: &Quiet,
        on_step: &|_| (),
    };
    let work = Path::new(to).with_extension("work");
    let trained = FineTuner::new(config, Device::flex()).run(&base, &data, &work, to.as_ref())?;
    if let Some(path) = vectors {
        let encoder = TextEncoder::load(to.as_ref(), &reading, &Device::flex())?;
        let found = encoder.encode(&queries, None)?.vectors;
        std::fs::write(path, serde_json::to_string(&found.rows().collect::<Vec<_>>())?)?;
    }
    println!("{}", serde_json::to_string(&trained)?);
    Ok(())
}
