use crate::architecture::Summary;
use crate::{Error, Result, json_file, safetensors_header};
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What sentence-transformers puts before the names of tensors where it saves a model as one of its modules.
const MODULE: &str = "0.auto_model.";
/// Ending of the tensor that holds the scale of each row of an int8 tensor.
pub(crate) const SCALE: &str = "_scale";

/// Bytes read together, at least a row of a tensor.
const PART: usize = 1 << 20;

/// The tensors of a model in one or several safetensors files, read one at a time: `f32`, `f16`, `bf16`, or `int8`
/// with a scale for each row.
pub(crate) struct Checkpoint {
    dir: PathBuf,
    shards: Vec<Shard>,
    tensors: BTreeMap<String, (usize, TensorInfo)>,
    prefix: &'static str,
}

struct Shard {
    path: PathBuf,
    data_start: u64,
}

impl Checkpoint {
    /// Reads the headers of `model.safetensors`, or of the shards `model.safetensors.index.json` lists. The tensor of
    /// token embeddings, which every model has, tells under which prefix the names are saved.
    pub(crate) fn open(dir: &Path, model: &Summary) -> Result<Self> {
        let mut checkpoint = Self::open_any(dir)?;
        let anchor = model.token_embeddings;
        let prefixes = ["", model.prefix, MODULE];
        let found =
            prefixes.into_iter().find(|prefix| checkpoint.tensors.contains_key(&format!("{prefix}{anchor}")));
        checkpoint.prefix = found.ok_or_else(|| {
            checkpoint.bad(anchor, "not among the tensors; is this the model config.json describes?")
        })?;
        Ok(checkpoint)
    }

    /// The same without looking for any tensor.
    pub(crate) fn open_any(dir: &Path) -> Result<Self> {
        let mut checkpoint =
            Self { dir: dir.into(), shards: Vec::new(), tensors: BTreeMap::new(), prefix: "" };
        for (path, promised) in files(dir)? {
            let (metadata, data_start) = safetensors_header::read(&path)?;
            let bad = |tensor: &str, problem: &str| Error::Tensor {
                path: path.clone(),
                tensor: tensor.into(),
                problem: problem.into(),
            };
            if let Some(missing) = promised.iter().find(|name| metadata.info(name).is_none()) {
                return Err(bad(
                    missing,
                    "not here, as the index says it is; is this a file of another model?",
                ));
            }
            for (name, info) in metadata.tensors() {
                if let Some((other, _)) = checkpoint.tensors.get(&name) {
                    let other = checkpoint.shards[*other].path.display();
                    return Err(bad(&name, &format!("in {other} as well; is one of them of another model?")));
                }
                checkpoint.tensors.insert(name, (checkpoint.shards.len(), info.clone()));
            }
            checkpoint.shards.push(Shard { path, data_start });
        }
        Ok(checkpoint)
    }

    /// The tensors of a module of sentence-transformers, which must be these.
    pub(crate) fn of_module(dir: &Path, names: &[&str]) -> Result<Self> {
        let checkpoint = Self::open_any(dir)?;
        if let Some(missing) = names.iter().find(|name| checkpoint.shape(name).is_none()) {
            return Err(
                checkpoint.bad(missing, "expected it, found none; is this the module config.json describes?")
            );
        }
        let other = checkpoint.names().find(|name| !names.contains(name));
        if let Some(other) = other {
            return Err(checkpoint.bad(other, "not a tensor of the module that config.json describes"));
        }
        Ok(checkpoint)
    }

    /// The files, in a fixed order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.shards.iter().map(|s| s.path.as_path())
    }

    /// Names of all tensors, as saved.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor, by its name as saved.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|(_, info)| info.shape.as_slice())
    }

    /// Whether a tensor, by its name as saved, is int8 with a scale for each row.
    pub(crate) fn is_int8(&self, name: &str) -> bool {
        let int8 = self.tensors.get(name).is_some_and(|(_, info)| info.dtype == Dtype::I8);
        int8 && self.tensors.contains_key(&format!("{name}{SCALE}"))
    }

    /// Whether a tensor, by its name as saved, holds the scales of an int8 tensor.
    #[cfg(feature = "train")]
    pub(crate) fn is_scale(&self, name: &str) -> bool {
        name.strip_suffix(SCALE).is_some_and(|of| self.is_int8(of))
    }

    /// The name under which a tensor of the model is saved: the first checkpoints of BERT call scale and shift of a
    /// normalisation `gamma` and `beta`.
    pub(crate) fn saved_name(&self, name: &str) -> String {
        let now = format!("{}{name}", self.prefix);
        let renamed = || {
            let of = |end: &str, old: &str| now.strip_suffix(end).map(|of| format!("{of}{old}"));
            of("LayerNorm.weight", "LayerNorm.gamma").or_else(|| of("LayerNorm.bias", "LayerNorm.beta"))
        };
        match self.tensors.contains_key(&now) {
            true => now,
            false => renamed().filter(|old| self.tensors.contains_key(old)).unwrap_or(now),
        }
    }

    /// What stands before the names of the model's tensors.
    pub(crate) fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// The type and the bytes of a tensor, by its name as saved.
    pub(crate) fn as_saved(&self, name: &str) -> Result<(Dtype, Vec<u8>)> {
        let (mut file, info) = self.file(name)?;
        let mut bytes = vec![0; info.data_offsets.1 - info.data_offsets.0];
        file.read_exact(&mut bytes).map_err(Error::io(self.path(name)))?;
        Ok((info.dtype, bytes))
    }

    /// Whether the model has this tensor.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(&self.saved_name(name))
    }

    /// The values of a tensor of the model, which must have this shape.
    pub(crate) fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let mut values = Vec::with_capacity(self.count(name));
        self.each(name, shape, |part| values.extend_from_slice(part))?;
        Ok(values)
    }

    /// How many values a tensor of the model has; none where there is no such tensor.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.shape(&self.saved_name(name)).map_or(0, |shape| shape.iter().product())
    }

    /// The same as [`Self::values`], some rows at a time: the tensor is never in memory as a whole.
    pub(crate) fn each(&self, name: &str, shape: &[usize], take: impl FnMut(&[f32])) -> Result<()> {
        let name = self.saved_name(name);
        match self.shape(&name) {
            None => Err(self.bad(&name, "expected it, found none; is this the model config.json describes?")),
            Some(found) if found != shape => Err(self.bad(
                &name,
                &format!(
                    "expected shape {shape:?}, found {found:?}; is this the model config.json describes?"
                ),
            )),
            Some(_) => self.read_each(&name, take),
        }
    }

    /// The values of a tensor by its name as saved, as `f32`, finite.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<f32>> {
        let mut values = Vec::with_capacity(self.shape(name).map_or(0, |shape| shape.iter().product()));
        self.read_each(name, |part| values.extend_from_slice(part))?;
        Ok(values)
    }

    fn read_each(&self, name: &str, mut take: impl FnMut(&[f32])) -> Result<()> {
        let (mut file, info) = self.file(name)?;
        let convert: fn(&[u8], &mut Vec<f32>) = match info.dtype {
            Dtype::F32 => |bytes, out| chunks(bytes, f32::from_le_bytes, out),
            Dtype::F16 => |bytes, out| chunks(bytes, |b| f16::from_le_bytes(b).to_f32(), out),
            Dtype::BF16 => |bytes, out| chunks(bytes, |b| bf16::from_le_bytes(b).to_f32(), out),
            Dtype::I8 => |bytes, out| out.extend(bytes.iter().map(|&q| f32::from(q.cast_signed()))),
            other => {
                return Err(self.bad(name, &format!("expected F32, F16, BF16 or I8 values, found {other:?}")));
            }
        };
        let scales = if info.dtype == Dtype::I8 { Some(self.scales(name, &info)?) } else { None };
        let rows = info.shape.first().copied().unwrap_or(1);
        let row = (info.data_offsets.1 - info.data_offsets.0) / rows.max(1);
        let together = (PART / row.max(1)).max(1);
        let (mut bytes, mut values, mut seen) = (Vec::new(), Vec::new(), 0);
        for first in (0..rows).step_by(together) {
            bytes.resize(together.min(rows - first) * row, 0);
            file.read_exact(&mut bytes).map_err(Error::io(self.path(name)))?;
            values.clear();
            convert(&bytes, &mut values);
            if let Some(scales) = &scales {
                let rows = values.chunks_exact_mut(row.max(1)).zip(&scales[first..]);
                rows.for_each(|(row, scale)| row.iter_mut().for_each(|v| *v *= scale));
            }
            if let Some(at) = values.iter().position(|v| !v.is_finite()) {
                return Err(self.bad(
                    name,
                    &format!(
                        "expected finite numbers, found {} at {}; the file is damaged: fetch it again",
                        values[at],
                        seen + at
                    ),
                ));
            }
            take(&values);
            seen += values.len();
        }
        Ok(())
    }

    /// The scale of each row of an int8 tensor.
    fn scales(&self, name: &str, info: &TensorInfo) -> Result<Vec<f32>> {
        let rows = info.shape.first().copied().unwrap_or(0);
        let scale_name = format!("{name}{SCALE}");
        if self.shape(&scale_name) != Some(&[rows]) {
            return Err(
                self.bad(name, &format!("expected a scale for each of its {rows} rows in `{scale_name}`"))
            );
        }
        self.read(&scale_name)
    }

    /// The file of a tensor, where its bytes begin.
    fn file(&self, name: &str) -> Result<(File, TensorInfo)> {
        let Some((shard, info)) = self.tensors.get(name) else {
            return Err(self.bad(name, "expected it, found none"));
        };
        let shard = &self.shards[*shard];
        let mut file = File::open(&shard.path).map_err(Error::io(&shard.path))?;
        let start = shard.data_start + info.data_offsets.0 as u64;
        file.seek(SeekFrom::Start(start)).map_err(Error::io(&shard.path))?;
        Ok((file, info.clone()))
    }

    pub(crate) fn path(&self, name: &str) -> &Path {
        match (self.tensors.get(name), self.shards.as_slice()) {
            (Some((shard, _)), shards) => &shards[*shard].path,
            (None, [only]) => &only.path,
            (None, _) => &self.dir,
        }
    }

    pub(crate) fn bad(&self, name: &str, problem: &str) -> Error {
        Error::Tensor { path: self.path(name).into(), tensor: name.into(), problem: problem.into() }
    }
}

fn chunks<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32, out: &mut Vec<f32>) {
    out.extend(bytes.as_chunks::<N>().0.iter().map(|b| number(*b)));
}

/// The files of a model in a fixed order, each with the tensors that the index says it holds.
fn files(dir: &Path) -> Result<Vec<(PathBuf, Vec<String>)>> {
    let single = dir.join("model.safetensors");
    if single.is_file() {
        return Ok(vec![(single, Vec::new())]);
    }
    let index = dir.join("model.safetensors.index.json");
    let bytes = match json_file::bytes(&index)? {
        Some(bytes) => bytes,
        None => {
            let problem = "expected weights in model.safetensors or the shards of model.safetensors.index.json, \
                           found neither; other formats are not read";
            return Err(Error::file(dir, problem));
        }
    };
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let parsed: Index = serde_json::from_slice(&bytes).map_err(|e| Error::file(&index, e.to_string()))?;
    if parsed.weight_map.is_empty() {
        return Err(Error::file(&index, "expected the files of the weights, found none"));
    }
    let mut files = BTreeMap::<String, Vec<String>>::new();
    for (tensor, name) in parsed.weight_map {
        files.entry(name).or_default().push(tensor);
    }
    if let Some(bad) =
        files.keys().find(|n| n.is_empty() || n.contains(['/', '\\', '\0']) || n.starts_with('.'))
    {
        return Err(Error::file(&index, format!("expected names of files beside it, found {bad:?}")));
    }
    Ok(files.into_iter().map(|(name, tensors)| (dir.join(name), tensors)).collect())
}
