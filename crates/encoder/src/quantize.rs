use crate::checkpoint::{Checkpoint, SCALE};
use crate::layout::Layout;
use crate::{Error, Result, sentence_bert};
use manyview_core::publish::WholeDirectory;
use rayon::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError};
use std::path::Path;

const SMALL_FILES: &[&str] = &[
    "added_tokens.json",
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
];

/// A matrix of fewer rows stays as it is: it costs little, and every token may pass through it.
const FEWEST_ROWS: usize = 64;

/// What [`quantize`] made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantized {
    /// Bytes of weights before.
    pub before: u64,
    /// Bytes of weights after.
    pub after: u64,
    /// Matrices stored as int8.
    pub matrices: usize,
}

/// Copies an encoder, its matrices as int8 with a scale for each row (symmetric, rounded to nearest), its vectors as
/// `f32`. The copy loads like any other directory and computes in `f32`. It is there whole or not at all.
///
/// # Errors
/// An encoder that cannot be read, a directory that is there already, or files that cannot be written.
pub fn quantize(from: &Path, to: &Path) -> Result<Quantized> {
    let layout = Layout::read(from)?;
    let checkpoint = Checkpoint::open_any(&layout.transformer)?;
    if to.exists() {
        return Err(Error::file(to, "expected a directory to make, found it there already; name another"));
    }
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    let mut matrices = 0;
    for name in checkpoint.names().filter(|name| !name.ends_with(SCALE)) {
        let shape = checkpoint.shape(name).unwrap_or_default().to_vec();
        if name.ends_with("position_ids") {
            continue; // a constant of older files, read by nothing
        }
        let values = checkpoint.read(name)?;
        match shape.as_slice() {
            [rows, columns] if *rows >= FEWEST_ROWS && *columns > 0 => {
                let (bytes, scales) = rows_to_int8(&values, *columns);
                tensors.push((format!("{name}{SCALE}"), Dtype::F32, vec![*rows], le_bytes(&scales)));
                tensors.push((name.into(), Dtype::I8, shape, bytes));
                matrices += 1;
            }
            _ => tensors.push((name.into(), Dtype::F32, shape, le_bytes(&values))),
        }
    }
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes);
        view.map(|view| (name.as_str(), view)).map_err(|e| Error::file(from, e.to_string()))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    let inner = layout.transformer.strip_prefix(from).unwrap_or(Path::new(""));
    let weights = |dir: &Path| dir.join(inner).join("model.safetensors");
    let staged = WholeDirectory::create(to)?;
    copy_small_files(from, staged.path())?;
    let file = weights(staged.path());
    safetensors::serialize_to_file(views, None, &file).map_err(|e| match e {
        SafeTensorError::IoError(e) => Error::io(&file)(e),
        e => Error::file(&file, e.to_string()),
    })?;
    staged.finish()?;
    let size = |path: &Path| std::fs::metadata(path).map(|m| m.len()).map_err(Error::io(path));
    let before = checkpoint.paths().map(size).sum::<Result<u64>>()?;
    Ok(Quantized { before, after: size(&weights(to))?, matrices })
}

/// Each row as int8 and the scale that gives it back, `[rows]`.
fn rows_to_int8(values: &[f32], columns: usize) -> (Vec<u8>, Vec<f32>) {
    let rows: Vec<(Vec<u8>, f32)> = values.par_chunks_exact(columns).map(row_to_int8).collect();
    let (rows, scales): (Vec<_>, Vec<f32>) = rows.into_iter().unzip();
    (rows.concat(), scales)
}

/// One row, under the scale with the least squared error: the largest value may be cut for the sake of the others.
fn row_to_int8(row: &[f32]) -> (Vec<u8>, f32) {
    let most = row.iter().fold(0f32, |most, v| most.max(v.abs()));
    if most == 0.0 {
        return (vec![0; row.len()], 1.0);
    }
    let rounded = |v: f32, scale: f32| (v / scale).round().clamp(-127.0, 127.0);
    let error =
        |scale: f32| row.iter().map(|v| f64::from(rounded(*v, scale) * scale - v).powi(2)).sum::<f64>();
    let scales = (0..=40).map(|step| most / 127.0 * (1.0 - 0.015 * step as f32));
    let scale = scales.min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap_or(most / 127.0);
    (row.iter().map(|v| (rounded(*v, scale) as i8).cast_unsigned()).collect(), scale)
}

fn le_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The files an encoder reads beside its weights, folders of modules included.
fn copy_small_files(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).map_err(Error::io(to))?;
    for name in SMALL_FILES.iter().chain(&sentence_bert::NAMES) {
        let path = from.join(name);
        if path.is_file() {
            std::fs::copy(&path, to.join(name)).map_err(Error::io(&path))?;
        }
    }
    for entry in std::fs::read_dir(from).map_err(Error::io(from))? {
        let path = entry.map_err(Error::io(from))?.path();
        if let Some(name) = path.file_name().filter(|_| path.join("config.json").is_file()) {
            copy_small_files(&path, &to.join(name))?;
        }
    }
    Ok(())
}
