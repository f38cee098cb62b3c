//! Base vectors of a file that an encoder made earlier, some rows at a time.
use super::batch::{Batch, Rows};
use super::metadata::{Inferred, Origin};
use crate::{Error, Result};
use manyview_adapter::Card;
use manyview_core::{Embeddings, Error as CoreError, Fingerprint};
use manyview_data::VectorRows;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A file of base vectors that an encoder made earlier.
#[derive(Clone, Debug)]
pub struct GivenVectors {
    /// A `.npy` matrix, or a `.parquet` file.
    pub path: PathBuf,
    /// The column of lists in a `.parquet` file.
    pub column: String,
    /// The fingerprint of the encoder, or the start of it.
    pub encoder_fingerprint: Option<String>,
}

impl GivenVectors {
    /// Its vectors, `rows` at a time up to row `limit`, each of length 1 as encoders here make them.
    pub(crate) fn batches(
        &self,
        rows: usize,
        first: usize,
        limit: usize,
    ) -> Result<impl Iterator<Item = Result<Batch>> + Send> {
        let (mut vectors, mut first) =
            (VectorRows::open(&self.path, &self.column, rows)?.starting_at(first)?, first);
        let mut next = move || -> Result<Option<Batch>> {
            let left = limit.saturating_sub(first);
            let Some(x) = (if left > 0 { vectors.next().transpose()? } else { None }) else {
                return Ok(None);
            };
            let (x, normalized) = unit(x, left, first)?;
            let batch = Batch { normalized, ..Batch::new(Rows::Vectors(x), first) };
            first = batch.end;
            Ok(Some(batch))
        };
        Ok(std::iter::from_fn(move || next().transpose()))
    }

    /// That its vectors have the length that `card` takes.
    pub(crate) fn agrees(&self, card: &Card) -> Result<()> {
        let first = VectorRows::open(&self.path, &self.column, 1)?.next().transpose()?;
        let (expected, name) = (card.dim_in, &card.encoder);
        match first.map(|x| x.dim()) {
            Some(found) if found != expected => Err(Error::setting(
                &self.path.display().to_string(),
                format!("expected vectors of length {expected} as `{name}` makes them, found length {found}"),
            )),
            _ => Ok(()),
        }
    }

    /// Which encoder made the vectors: as the caller says, or as `metadata.json` beside the file does, or nobody.
    pub(crate) fn origin(&self, card: &Card, output: &Path) -> Result<Origin> {
        let (name, path) = (card.encoder.clone(), self.path.display());
        if let Some(given) = &self.encoder_fingerprint {
            const SHORTEST: usize = 12;
            let given = given.trim().to_lowercase();
            if given.len() < SHORTEST || !given.chars().all(|c| c.is_ascii_hexdigit()) {
                let problem = format!("expected at least {SHORTEST} hex digits, found `{given}`");
                return Err(Error::setting("--encoder-fingerprint", problem));
            }
            if !card.encoder_fingerprint.as_str().starts_with(&given) {
                let what = format!("adapter for {:?} of {name}", card.instruction());
                let expected = card.encoder_fingerprint.short().into();
                return Err(CoreError::Fingerprint { what, expected, found: given }.into());
            }
            let known = "as --encoder-fingerprint says".into();
            return Ok(Origin { name, fingerprint: Some(card.encoder_fingerprint.clone()), known });
        }
        if let Some(fingerprint) = self.described(output)? {
            card.expects(&fingerprint)?;
            let known = format!("as metadata.json beside {path} says");
            return Ok(Origin { name, fingerprint: Some(fingerprint), known });
        }
        let short = card.encoder_fingerprint.short();
        let known =
            format!("nothing says which encoder made {path}: you vouch that it is `{name}` ({short})");
        Ok(Origin { name, fingerprint: None, known })
    }

    /// The encoder that an earlier inference into the same directory says made the file.
    fn described(&self, output: &Path) -> Result<Option<Fingerprint>> {
        let beside = self.path.with_file_name(Inferred::FILE);
        let Ok(bytes) = std::fs::read(&beside) else { return Ok(None) };
        let Ok(described) = serde_json::from_slice::<Described>(&bytes) else { return Ok(None) };
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        match described.files.iter().find(|of| of.file == name).map(|of| of.holds.as_str()) {
            Some("base") if beside.canonicalize().ok() == output.join(Inferred::FILE).canonicalize().ok() => {
                Err(Error::setting(
                    "--output-dir",
                    "expected another directory than that of the vectors, whose metadata.json would be replaced",
                ))
            }
            Some("base") => Ok(described.encoder.fingerprint),
            Some(_) => Err(Error::setting(
                &self.path.display().to_string(),
                "expected base vectors, found those of a view or a teacher, as metadata.json beside it says; give the \
                 base file",
            )),
            None => Ok(None),
        }
    }
}

/// What `metadata.json` says of the files beside it and of their encoder.
#[derive(Deserialize)]
struct Described {
    encoder: Origin,
    files: Vec<DescribedFile>,
}

#[derive(Deserialize)]
struct DescribedFile {
    file: String,
    holds: String,
}

/// At most the first `n` rows of `x`, of length 1 each, and how many were not. `first` is the row of the file they start at.
fn unit(x: Embeddings, n: usize, first: usize) -> Result<(Embeddings, usize)> {
    const TOLERANCE: f32 = 1e-4;
    let dim = x.dim();
    let mut values = x.into_vec();
    values.truncate(n.saturating_mul(dim));
    let mut normalized = 0;
    for (i, row) in values.chunks_exact_mut(dim).enumerate() {
        let norm = norm(row);
        if !norm.is_normal() {
            return Err(CoreError::ZeroRow { what: "vectors".into(), row: first + i }.into());
        }
        if (norm - 1.0).abs() > TOLERANCE {
            row.iter_mut().for_each(|v| *v /= norm);
            normalized += 1;
        }
    }
    Ok((Embeddings::new(values, dim)?, normalized))
}

/// The L2 norm: eight running sums, so that it vectorises.
fn norm(row: &[f32]) -> f32 {
    let mut lanes = [0f32; 8];
    for part in row.chunks(8) {
        lanes.iter_mut().zip(part).for_each(|(lane, v)| *lane += v * v);
    }
    lanes.iter().sum::<f32>().sqrt()
}
