//! candle's MiniLM behind the protocol of `throughput`: MODEL TEXTS.jsonl BATCH, then a command a line.
//! Texts go in batches of one size, the longest first, padded on the right.

use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::BertModel;
use std::cmp::Reverse;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;
use tokenizers::Tokenizer;

fn load(dir: &Path) -> Result<BertModel> {
    let config = serde_json::from_slice(&std::fs::read(dir.join("config.json"))?)?;
    // SAFETY: nobody writes the file meanwhile.
    let weights = unsafe {
        VarBuilder::from_mmaped_safetensors(&[dir.join("model.safetensors")], DType::F32, &Device::Cpu)?
    };
    Ok(BertModel::load(weights, &config)?)
}

/// Token ids of one batch to unit vectors, `[texts, dim]`: the means of states.
fn forward(model: &BertModel, texts: &[&[u32]]) -> Result<Tensor> {
    let longest = texts.iter().map(|ids| ids.len()).max().context("no texts")?;
    let padded = |value: fn(u32) -> u32| -> Result<Tensor> {
        let rows =
            texts.iter().flat_map(|ids| (0..longest).map(move |i| ids.get(i).map_or(0, |id| value(*id))));
        Ok(Tensor::from_vec(rows.collect::<Vec<_>>(), (texts.len(), longest), &Device::Cpu)?)
    };
    let (ids, mask) = (padded(|id| id)?, padded(|_| 1)?);
    let states = model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
    let sums = states.broadcast_mul(&mask.to_dtype(DType::F32)?.unsqueeze(2)?)?.sum(1)?;
    Ok(sums.broadcast_div(&sums.sqr()?.sum_keepdim(1)?.sqrt()?)?)
}

fn encode(model: &BertModel, tokenizer: &Tokenizer, texts: &[String], batch: usize) -> Result<Vec<Vec<f32>>> {
    let encodings = tokenizer.encode_batch(texts.to_vec(), true).map_err(anyhow::Error::msg)?;
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&i| Reverse(encodings[i].get_ids().len()));
    let mut vectors = vec![Vec::new(); texts.len()];
    for rows in order.chunks(batch) {
        let ids: Vec<&[u32]> = rows.iter().map(|&i| encodings[i].get_ids()).collect();
        for (&row, vector) in rows.iter().zip(forward(model, &ids)?.to_vec2()?) {
            vectors[row] = vector;
        }
    }
    Ok(vectors)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, dir, texts, batch] = &arguments[..] else { bail!("usage: candle MODEL TEXTS.jsonl BATCH") };
    let (dir, batch) = (Path::new(dir), batch.parse()?);
    let start = Instant::now();
    let model = load(dir)?;
    let mut tokenizer = Tokenizer::from_file(dir.join("tokenizer.json")).map_err(anyhow::Error::msg)?;
    let most = tokenizers::TruncationParams { max_length: 256, ..Default::default() };
    tokenizer.with_padding(None).with_truncation(Some(most)).map_err(anyhow::Error::msg)?;
    say(start)?;
    let texts = std::fs::read_to_string(texts)?;
    let texts: Vec<String> = texts.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let (one, many) = texts.split_at(1);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let start = Instant::now();
        let vectors = encode(&model, &tokenizer, if line == "one" { one } else { many }, batch)?;
        if let Some(file) = line.strip_prefix("vectors ") {
            let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
            std::fs::write(file, bytes)?;
        }
        say(start)?;
    }
    Ok(())
}

fn say(start: Instant) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", start.elapsed().as_secs_f64())?;
    Ok(out.flush()?)
}
