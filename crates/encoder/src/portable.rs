use crate::checkpoint::{Checkpoint, SCALE};
use crate::layout::Layout;
use crate::modules::{Kind, Named};
use crate::prompts;
use crate::{Error, Result, TextEncoder};
use manyview_core::Progress;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Files copied as they are from where the transformer is.
const TOKENIZER: &[&str] =
    &["added_tokens.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"];
const SENTENCE_BERT: &str = "sentence_bert_config.json";
/// Keys under which `config.json` names the type a program computes in, old and new.
const DTYPE_KEYS: [&str; 2] = ["torch_dtype", "dtype"];

/// Writes into the directory `to` what sentence-transformers needs to compute the same vectors: transformer, pooling
/// and normalisation in `modules.json`, prompts and tokenizer unchanged, int8 matrices as the `f32` they stand for, the
/// maximum length `encoder` reads, and `f32` as the type to compute in.
///
/// # Errors
/// Files that cannot be read or written, or an interruption; what was written until then stays.
pub fn portable(encoder: &TextEncoder, to: &Path, progress: &dyn Progress) -> Result<()> {
    small_files(encoder, to)?;
    weights(&Layout::read(encoder.path())?.transformer, to, progress)
}

/// All of it but the weights.
pub(crate) fn small_files(encoder: &TextEncoder, to: &Path) -> Result<()> {
    if encoder.is_truncated() {
        let problem = "expected all values of a vector, found that its end is cut: sentence-transformers does so when it \
                       loads a model, and not by a file";
        return Err(Error::Setting { setting: "truncate_dim", problem: problem.into() });
    }
    let layout = Layout::read(encoder.path())?;
    std::fs::create_dir_all(to).map_err(Error::io(to))?;
    let small = TOKENIZER.iter().map(|name| (layout.transformer.join(name), *name));
    let prompts = layout.pooling.as_ref().map(|_| (layout.root.join(prompts::NAME), prompts::NAME)); // read beside modules.json alone
    for (from, name) in small.chain(prompts) {
        if from.is_file() {
            std::fs::copy(&from, to.join(name)).map_err(Error::io(&from))?;
        }
    }
    let mut config: Map<String, Value> = layout.config()?;
    config.retain(|key, _| !DTYPE_KEYS.contains(&key.as_str()));
    config.extend(DTYPE_KEYS.map(|key| (key.to_string(), "float32".into())));
    write(&to.join("config.json"), &config)?;
    let mut reading = layout.reading.whole.clone();
    reading.insert("max_seq_length".into(), encoder.max_length().into());
    reading.entry("do_lower_case").or_insert(false.into());
    write(&to.join(SENTENCE_BERT), &reading)?;
    let pooling = to.join("1_Pooling");
    std::fs::create_dir_all(&pooling).map_err(Error::io(&pooling))?;
    write(&pooling.join("config.json"), &encoder.pooling_config().to_json(encoder.hidden()))?;
    write(&to.join("modules.json"), &modules(&layout, to)?)
}

/// The list of modules. Those behind the pooling are copied as they are, and a normalisation is the last.
fn modules(layout: &Layout, to: &Path) -> Result<Value> {
    let mut named = vec![(String::new(), "Transformer"), ("1_Pooling".into(), "Pooling")];
    let last = layout.modules.iter().rposition(|named| named.kind != Kind::Normalize);
    for Named { kind, dir } in layout.modules.iter().take(last.map_or(0, |last| last + 1)) {
        let name = format!("{}_{}", named.len(), kind.as_str());
        let copy = to.join(&name);
        std::fs::create_dir_all(&copy).map_err(Error::io(&copy))?;
        for file in ["config.json", "model.safetensors"].map(|file| (dir.join(file), copy.join(file))) {
            if file.0.is_file() {
                std::fs::copy(&file.0, &file.1).map_err(Error::io(&file.0))?;
            }
        }
        named.push((name, kind.as_str()));
    }
    named.push((format!("{}_Normalize", named.len()), "Normalize"));
    let module = |(idx, (path, kind)): (usize, &(String, &str))| json!({"idx": idx, "name": idx.to_string(), "path": path, "type": format!("sentence_transformers.models.{kind}")});
    Ok(named.iter().enumerate().map(module).collect())
}

/// The weights, as they are where everyone reads them, and otherwise as one file of `f32`.
fn weights(from: &Path, to: &Path, progress: &dyn Progress) -> Result<()> {
    let checkpoint = Checkpoint::open_any(from)?;
    let int8: Vec<&str> = checkpoint.names().filter(|name| checkpoint.is_int8(name)).collect();
    let mut files: Vec<PathBuf> = checkpoint.paths().map(Path::to_path_buf).collect();
    if int8.is_empty() {
        files.extend(Some(from.join("model.safetensors.index.json")).filter(|_| files.len() > 1));
        progress.begin("copy", files.len() as u64);
        for file in files {
            stopped(progress)?;
            std::fs::copy(&file, to.join(file.file_name().unwrap_or_default())).map_err(Error::io(&file))?;
            progress.advance(1);
        }
        progress.end();
        return Ok(());
    }
    let scale_of = |name: &str| name.strip_suffix(SCALE).is_some_and(|name| int8.contains(&name));
    let names: Vec<&str> = checkpoint.names().filter(|name| !scale_of(name)).collect();
    let mut tensors = Vec::new();
    progress.begin("copy", names.len() as u64);
    for name in names {
        stopped(progress)?;
        let (dtype, bytes) = match int8.contains(&name) {
            true => (Dtype::F32, checkpoint.read(name)?.iter().flat_map(|v| v.to_le_bytes()).collect()),
            false => checkpoint.as_saved(name)?,
        };
        tensors.push((name, dtype, checkpoint.shape(name).unwrap_or_default().to_vec(), bytes));
        progress.advance(1);
    }
    progress.end();
    let path = to.join("model.safetensors");
    let fail = |e: safetensors::SafeTensorError| Error::file(&path, e.to_string());
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        Ok((*name, TensorView::new(*dtype, shape.clone(), bytes).map_err(fail)?))
    });
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]); // transformers asks for it
    let views = views.collect::<Result<Vec<_>>>()?;
    safetensors::serialize_to_file(views, Some(metadata), &path).map_err(fail)
}

fn stopped(progress: &dyn Progress) -> Result<()> {
    if progress.stopped() { Err(manyview_core::Error::Interrupted.into()) } else { Ok(()) }
}

fn write(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).map_err(|e| Error::file(path, e.to_string()))?;
    std::fs::write(path, text).map_err(Error::io(path))
}
