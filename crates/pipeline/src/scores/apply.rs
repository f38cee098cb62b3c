//! Scores for texts that nobody labelled: one line out for each row in.

use super::learnt_encoder;
use crate::infer::encoder_of;
use crate::{Environment, Error, Result, encoder};
use manyview_adapter::{Card, Head, Saved, load};
use manyview_core::{Encoder, Error as CoreError, Progress};
use manyview_data::{Rows, Table};
use manyview_encoder::TextEncoder;
use manyview_store::CachedEncoder;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Rows read at once.
const CHUNK: usize = 1024;

/// What to score, and with which head.
#[derive(Clone, Debug)]
pub struct Scoring {
    /// `.csv`, `.tsv`, `.jsonl`, `.ndjson` or `.parquet`.
    pub input: PathBuf,
    /// A run directory, a variant's directory, or a head's.
    pub head: PathBuf,
    /// The `.jsonl` file to make.
    pub output: PathBuf,
    /// Column of texts.
    pub text_column: String,
    /// Column of titles, put before the text.
    pub title_column: Option<String>,
    /// Column of identifiers; rows have numbers without it.
    pub id_column: Option<String>,
    /// Encoder in place of the one the head names.
    pub encoder: Option<String>,
    /// Device to encode on.
    pub device: String,
    /// The vector store.
    pub store: PathBuf,
}

/// What was scored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoredFile {
    /// Rows read, and lines written.
    pub rows: usize,
    /// Rows without a text: their lines hold no scores.
    pub blank: usize,
    /// Vectors computed.
    pub encoded: usize,
    /// Vectors found in the store.
    pub reused: usize,
    /// Texts whose end was cut.
    pub truncated: usize,
}

/// One line: of a row without a text, all but the identifier is null.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    scores: Option<Map<String, Value>>,
    weighted: Option<f64>,
    tier: Option<&'a str>,
}

/// Scores every row of a file, in order, as a head does. The output appears whole or not at all; after an interruption
/// the same command finds the vectors of the texts it was through with in the store.
///
/// # Errors
/// A file, column, head or encoder that cannot be used; an output that cannot be written.
pub fn score(scoring: &Scoring, environment: &Environment, progress: &dyn Progress) -> Result<ScoredFile> {
    let dir = find(&scoring.head)?;
    let saved = load(&dir)?.head()?;
    let total = count(scoring)?;
    let card = &saved.card;
    let learnt = learnt_encoder(&dir, card).map(|path| path.display().to_string());
    let named = scoring.encoder.as_ref().or(learnt.as_ref()).map(String::as_str);
    let config = encoder_of(&card.encoder, &card.settings, named, &scoring.device)?;
    let encoder = encoder::load(&config, environment, progress)?;
    let stored = encoder::remembered(&config, encoder, &scoring.store)?;
    let partial = beside(&scoring.output);
    let file = File::create(&partial).map_err(Error::io(&partial))?;
    progress.begin("score", total as u64);
    let pass = Pass { scoring, saved: &saved, stored: &stored, progress };
    let done = pass.run(BufWriter::new(file), &partial);
    progress.end();
    let done = done.and_then(|done| {
        fs::rename(&partial, &scoring.output).map_err(Error::io(&scoring.output))?;
        Ok(done)
    });
    if done.is_err() {
        fs::remove_file(&partial).ok();
    }
    done
}

/// The directory of the head of a run or a variant, or `path` itself where that is one.
pub(crate) fn head_in(path: &Path) -> Option<PathBuf> {
    [path.join("head"), path.to_path_buf()].into_iter().find(|dir| dir.join("head.safetensors").is_file())
}

/// The head that `path` leads to.
fn find(path: &Path) -> Result<PathBuf> {
    if let Some(dir) = head_in(path) {
        return Ok(dir);
    }
    let entries = fs::read_dir(path).map_err(Error::io(path))?.flatten().map(|e| e.path());
    let mut variants: Vec<String> = entries
        .filter(|e| e.join("head/head.safetensors").is_file())
        .map(|e| e.display().to_string())
        .collect();
    variants.sort();
    match variants.is_empty() {
        true => Err(Error::Missing {
            path: path.into(),
            missing: "a fitted head, found none".into(),
            cure: "train".into(),
        }),
        false => {
            let problem = format!("expected one head, found {}; name one of them", variants.join(", "));
            Err(Error::setting("--head", problem))
        }
    }
}

/// Goes through the file once, so that what is wrong with it is told before anything is encoded.
fn count(scoring: &Scoring) -> Result<usize> {
    let mut rows = 0;
    for table in scoring.rows()? {
        rows += table?.n();
    }
    Ok(rows)
}

fn beside(output: &Path) -> PathBuf {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

impl Scoring {
    fn rows(&self) -> Result<Rows> {
        let mut columns = vec![self.text_column.as_str()];
        for column in [&self.title_column, &self.id_column].into_iter().flatten() {
            if !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        Ok(Rows::open(&self.input, &columns, CHUNK)?)
    }

    /// The text of each row, with its title before it; none where there is neither.
    fn texts(&self, table: &Table) -> Result<Vec<Option<String>>> {
        let titles = self.title_column.as_deref().map(|name| table.column(name)).transpose()?;
        let texts = table.column(&self.text_column)?.iter().enumerate().map(|(i, text)| {
            let value = |cell: Option<&str>| cell.map(str::trim).filter(|t| !t.is_empty()).map(String::from);
            let title = titles.and_then(|t| value(t.get(i)?.as_deref()));
            match (title, text.as_deref().filter(|t| !t.trim().is_empty())) {
                (Some(title), Some(text)) => Some(format!("{title}\n\n{text}")),
                (title, text) => title.or(text.map(String::from)),
            }
        });
        Ok(texts.collect())
    }
}

/// Passes on whether to stop, and shows nothing: rows are counted chunk by chunk.
struct Stop<'a>(&'a dyn Progress);

impl Progress for Stop<'_> {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.0.stopped()
    }
}

/// The pass over the rows.
struct Pass<'a> {
    scoring: &'a Scoring,
    saved: &'a Saved<Head>,
    stored: &'a Stored<TextEncoder>,
    progress: &'a dyn Progress,
}

impl Pass<'_> {
    fn run(&self, mut out: BufWriter<File>, partial: &Path) -> Result<ScoredFile> {
        let mut done = ScoredFile::default();
        for table in self.scoring.rows()? {
            if self.progress.stopped() {
                return Err(CoreError::Interrupted.into());
            }
            let table = table?;
            self.chunk(&table, &mut done, &mut out, partial)?;
            self.progress.advance(table.n() as u64);
        }
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(Error::io(partial))?;
        Ok(done)
    }

    fn chunk(
        &self,
        table: &Table,
        done: &mut ScoredFile,
        out: &mut BufWriter<File>,
        partial: &Path,
    ) -> Result<()> {
        let texts = self.scoring.texts(table)?;
        let ids = self.scoring.id_column.as_deref().map(|name| table.column(name)).transpose()?;
        let present: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
        let mut figures = Vec::new();
        if !present.is_empty() {
            let (encoded, reuse) = self.stored.encode_all(&present, None, &Stop(self.progress))?;
            let found = self.saved.transform(&encoded.vectors, &self.stored.fingerprint())?;
            figures = found.rows().map(<[f64]>::to_vec).collect();
            done.encoded += reuse.encoded;
            done.reused += reuse.reused;
            done.truncated += encoded.truncated.iter().filter(|cut| **cut).count();
        }
        let mut figures = figures.into_iter();
        for (i, text) in texts.iter().enumerate() {
            let number = done.rows.to_string();
            let id = ids.and_then(|ids| ids.get(i)?.as_deref()).unwrap_or(&number);
            let scores = text.as_ref().and_then(|_| figures.next());
            done.blank += usize::from(scores.is_none());
            let line = line(id, scores.as_deref(), &self.saved.card);
            serde_json::to_writer(&mut *out, &line)
                .map_err(std::io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
                .map_err(Error::io(partial))?;
            done.rows += 1;
        }
        Ok(())
    }
}

fn line<'a>(id: &'a str, scores: Option<&[f64]>, card: &'a Card) -> Line<'a> {
    let weighted = scores.map(|s| card.dimensions().iter().zip(s).map(|(d, v)| d.weight * v).sum::<f64>());
    let tier = weighted.and_then(|w| card.tiers().iter().find(|tier| w >= tier.threshold));
    let named = |s: &[f64]| -> Map<String, Value> {
        card.dimensions().iter().zip(s).map(|(d, v)| (d.name.clone(), Value::from(*v))).collect()
    };
    Line { id, scores: scores.map(named), weighted, tier: tier.map(|t| t.name.as_str()) }
}
