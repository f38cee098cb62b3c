use super::metadata::{Holds, Written};
use super::output::FileFormat;
use crate::config::Encoder;
use crate::task::retrieval::{TEACHER, tuned_encoder};
use crate::{Error, Result};
use manyview_adapter::{Maps, Saved, TaskCard};
use manyview_core::{Embeddings, Error as CoreError, Fingerprint, FingerprintBuilder, Instruction};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file of an adapter's weights.
const WEIGHTS: &str = "adapter.safetensors";

/// An adapter, and what its matrix is called.
pub(super) struct View {
    /// The name of the matrix, and of its file without the ending.
    pub(super) name: String,
    pub(super) dir: PathBuf,
    pub(super) saved: Saved<Maps>,
    /// Whether texts are mapped as passages rather than as queries.
    passages: bool,
}

impl View {
    /// Reads the adapters of `paths`, for passages or else for queries. One is called `adapter`, several by their run or
    /// variant.
    pub(super) fn load_all(paths: &[PathBuf], passages: bool) -> Result<Vec<Self>> {
        let mut views = Vec::new();
        for path in paths {
            let dir = find(path)?;
            let name = if paths.len() == 1 { "adapter".into() } else { name_of(&dir)? };
            let saved = manyview_adapter::load(&dir)?.adapter()?;
            if passages && saved.model.passage().is_none() {
                let problem = format!(
                    "expected an adapter that maps passages, found one of queries alone (query-only) in {}; its passages are base vectors",
                    dir.display()
                );
                return Err(Error::setting("--passages", problem));
            }
            views.push(Self { name, saved, dir, passages });
        }
        differ(&views)?;
        if let Some((first, others)) = views.split_first() {
            let encoder = &first.saved.card.encoder_fingerprint;
            others.iter().try_for_each(|view| view.expects(encoder))?;
        }
        Ok(views)
    }

    /// That it was made for the vectors of `encoder`.
    pub(super) fn expects(&self, encoder: &Fingerprint) -> Result<()> {
        Ok(self.saved.card.expects(encoder)?)
    }

    /// What it expects the texts to be prompted with: queries that it learnt under an instruction.
    pub(super) fn prompt(&self) -> Result<Option<Instruction>> {
        let card = &self.saved.card;
        let is_retrieval = matches!(card.task, TaskCard::Retrieval { .. });
        if self.passages || !is_retrieval || card.instruction().trim().is_empty() {
            return Ok(None);
        }
        let template = card.settings.get("template").and_then(|template| template.as_str());
        let instruction = Instruction::new(card.instruction().trim());
        Ok(Some(instruction.with_template(template.unwrap_or(Instruction::DEFAULT_TEMPLATE))?))
    }

    /// Its view of `base`, whose row `i` is row `rows[i]` of the input.
    pub(super) fn transform(&self, base: &Embeddings, rows: &[u64]) -> Result<Embeddings> {
        let what = format!("view `{}` of the input", self.name);
        let of = |row: usize| rows.get(row).and_then(|row| usize::try_from(*row).ok()).unwrap_or(row);
        let maps = &self.saved.model;
        let view = if self.passages { maps.passages(base) } else { maps.queries(base) };
        Ok(view.map_err(|e| match e {
            CoreError::NonFinite { row, .. } => CoreError::NonFinite { what, row: of(row) },
            CoreError::ZeroRow { row, .. } => CoreError::ZeroRow { what, row: of(row) },
            e => e,
        })?)
    }

    /// What its matrix is, as files of `format`.
    pub(super) fn written(&self, format: FileFormat) -> Written {
        let holds = Holds::View {
            adapter: self.dir.clone(),
            weights_blake3: self.saved.weights_blake3.clone(),
            card: Box::new(self.saved.card.clone()),
            passages: self.passages,
        };
        Written { file: format.file(&self.name), holds, dim: self.saved.card.dim_out }
    }

    /// Adds what its matrix depends on.
    pub(super) fn identity(&self, key: FingerprintBuilder) -> FingerprintBuilder {
        let key =
            key.field("view", self.name.as_bytes()).field("weights", self.saved.weights_blake3.as_bytes());
        key.field("passages", &[u8::from(self.passages)])
    }
}

/// The adapter in a run directory, in a variant's directory, or in the directory itself.
pub(crate) fn load(path: &Path) -> Result<Saved<Maps>> {
    Ok(manyview_adapter::load(&find(path)?)?.adapter()?)
}

/// The encoder `named` by a card with these settings, unless another is asked for.
pub(crate) fn encoder_of(
    named: &str,
    settings: &BTreeMap<String, serde_json::Value>,
    encoder: Option<&str>,
    device: &str,
) -> Result<Encoder> {
    let setting = |key: &str| settings.get(key);
    let text = |key: &str| setting(key).and_then(|v| v.as_str()).map(String::from);
    let model = encoder.map(String::from).or_else(|| text("model")).unwrap_or_else(|| named.into());
    let max_length = match setting("max_length").map(|v| v.as_u64().and_then(|n| usize::try_from(n).ok())) {
        Some(None) => {
            return Err(Error::setting("max_length", "expected a number in config.json of what was fitted"));
        }
        found => found.flatten(),
    };
    let revision = text("revision").unwrap_or_else(|| Encoder::default().revision);
    let weights = setting("weights").cloned().map(serde_json::from_value).transpose();
    let weights =
        weights.map_err(|e| Error::setting("weights", format!("{e}, in config.json of what was fitted")))?;
    let weights = weights.unwrap_or_default();
    Ok(Encoder { model, revision, device: device.into(), max_length, weights, ..Encoder::default() })
}

/// The directory of the adapter that `path` leads to.
fn find(path: &Path) -> Result<PathBuf> {
    let there = |dir: &PathBuf| dir.join(WEIGHTS).is_file();
    if let Some(encoder) = tuned_encoder(path) {
        let problem = format!(
            "expected an adapter, found an encoder that learnt itself; `manyview infer` takes it as the only --adapter, \
             and {} is a whole model for encoder.model, --encoder and sentence-transformers",
            encoder.display()
        );
        return Err(Error::setting(&path.display().to_string(), problem));
    }
    if let Some(dir) = [path.join("adapter"), path.to_path_buf()].into_iter().find(there) {
        return Ok(dir);
    }
    let entries = std::fs::read_dir(path).map_err(Error::io(path))?.flatten().map(|e| e.path());
    let mut variants: Vec<String> = entries
        .filter(|e| there(&e.join("adapter")) || tuned_encoder(e).is_some())
        .map(|e| e.display().to_string())
        .collect();
    variants.sort();
    Err(match variants.is_empty() {
        true => Error::Missing {
            path: path.into(),
            missing: "a fitted adapter, found none".into(),
            cure: "train".into(),
        },
        false => Error::setting(
            "--adapter",
            format!(
                "expected the directory of one adapter, found those of {} in {}; name one of {}",
                variants.len(),
                path.display(),
                variants.join(", ")
            ),
        ),
    })
}

/// What an adapter is called: its directory, or the one above where that is called `adapter`.
fn name_of(dir: &Path) -> Result<String> {
    let whole = dir.canonicalize().map_err(Error::io(dir))?;
    let named = if whole.ends_with("adapter") { whole.parent() } else { Some(whole.as_path()) };
    let name = named.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    name.ok_or_else(|| {
        Error::setting("--adapter", format!("{}: expected a directory with a name", dir.display()))
    })
}

/// That no two matrices have one name.
fn differ(views: &[View]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for (name, dir) in views.iter().map(|view| (view.name.to_lowercase(), view.dir.display().to_string())) {
        let problem = match name.as_str() {
            "base" | "teacher" | "rows" | "metadata" => format!("{dir} would be written over `{name}`"),
            _ => match seen.get(&name) {
                Some(other) => format!("{other} and {dir} would both be written to `{name}`"),
                None => {
                    seen.insert(name, dir);
                    continue;
                }
            },
        };
        return Err(Error::setting(
            "--adapter",
            format!("{problem}; copy one to a directory of another name"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_adapter::{Card, Linear, Map, Shape, save};

    /// A map that swaps two values, in two layers or in one.
    fn swap(shape: Shape) -> Map {
        let turned = Linear::new(vec![0.0, 1.0, 1.0, 0.0], 2, None).unwrap();
        match shape {
            Shape::Linear => turned.into(),
            _ => Map::new(shape, vec![Linear::identity(2).unwrap(), turned]).unwrap(),
        }
    }

    fn saved(root: &Path, name: &str, maps: &Maps) -> PathBuf {
        let card = Card {
            task: TaskCard::Retrieval { instruction: String::new() },
            encoder: "one".into(),
            encoder_fingerprint: Fingerprint::builder("test/1").finish(),
            dim_in: 2,
            dim_out: 2,
            method: "contrastive".into(),
            n_train: 1,
            settings: BTreeMap::new(),
        };
        save(&root.join(name), &maps.clone().into(), &card).unwrap();
        root.join(name)
    }

    #[test]
    fn rows_are_queries_or_passages_of_maps_of_any_shape() {
        let root = tempfile::tempdir().unwrap();
        let identity = || Map::from(Linear::identity(2).unwrap());
        let base = Embeddings::new(vec![0.6, 0.8], 2).unwrap();
        let view = |maps: &Maps, passages| -> Result<Vec<f32>> {
            let dir = saved(root.path(), "pairs", maps);
            let views = View::load_all(&[dir], passages)?;
            Ok(views[0].transform(&base, &[0])?.into_vec())
        };
        let (as_it_is, swapped) = ([0.6, 0.8], [0.8, 0.6]);
        let dual = Maps::Dual { query: identity(), passage: swap(Shape::Linear) };
        assert_eq!(view(&dual, false).unwrap(), as_it_is);
        assert_eq!(view(&dual, true).unwrap(), swapped);
        assert_eq!(view(&Maps::Both(swap(Shape::Mlp)), true).unwrap(), swapped);
        let query = Maps::Query(swap(Shape::Mlp));
        assert_eq!(view(&query, false).unwrap(), swapped);
        let e = view(&query, true).unwrap_err();
        assert!(e.to_string().contains("query-only"), "{e}");
    }
}
