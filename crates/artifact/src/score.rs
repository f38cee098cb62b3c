use super::applier::Applier;
use super::input::Input;
use super::open::{Artifact, open};
use super::target::Target;
use super::text_file::{Missing, TextFile};
use super::writer::{Opening, Summary, Writer};
use crate::{Error, Result, Sources, encoder};
use manyview_core::{Fingerprint, Progress};
use manyview_data::InputFile;
use std::path::PathBuf;

/// Rows read at once.
const ROWS: usize = 1024;

/// What to score, and with which head.
#[derive(Clone, Debug)]
pub struct Scoring {
    /// A file of rows, as [`manyview_data::Rows::open`] takes it, or `-` for standard input.
    pub input: PathBuf,
    /// What [`Sources::artifact`] takes: a run directory, a variant's directory, or a head's.
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

/// Scores every row of a file, in order, as a head does: a line of JSON each. The output appears whole or not at all.
///
/// When it is stopped or killed, what is done is kept in a hidden directory beside the output, and the same call goes on
/// there, to the same bytes. A call with another head, or with another input, starts over.
///
/// # Errors
/// A file, column, head or encoder that cannot be used; an output that cannot be written;
/// [`manyview_core::Error::Interrupted`].
pub fn score(scoring: &Scoring, sources: &Sources, progress: &dyn Progress) -> Result<Summary> {
    let head = open(&sources.artifact(&scoring.head, progress)?)?;
    if !matches!(head.artifact, Artifact::Head(_)) {
        let dir = head.dir.display();
        let problem =
            format!("expected a head, found none in {dir}; `manyview infer` takes it as its --adapter");
        return Err(Error::setting("--head", problem));
    }
    let file = InputFile::open(&scoring.input)?;
    let texts = TextFile {
        input: file.path().into(),
        text_column: scoring.text_column.clone(),
        title_column: scoring.title_column.clone(),
        id_column: scoring.id_column.clone(),
        missing: Missing::Keep,
        dedup: false,
        limit: None,
    };
    let input = Input::open(file.path())?;
    let total = texts.look()?;
    let named = head.encoder(scoring.encoder.as_deref(), &scoring.device)?;
    let loaded = encoder::load(&named, sources, progress)?;
    let stored = encoder::cached(&named, loaded, &scoring.store)?;
    let applier = Applier::new(vec![head], false)?.with_encoder(stored)?;
    let columns = [Some(&scoring.text_column), scoring.title_column.as_ref(), scoring.id_column.as_ref()];
    let key = Fingerprint::builder("score/1").field("input", input.blake3.as_bytes());
    let key = columns
        .iter()
        .fold(key, |key, column| key.field("column", column.map_or(&[][..], |name| name.as_bytes())));
    let target = Target::Lines { file: scoring.output.clone() };
    let mut writer = match Writer::open(&target, &key.finish(), &applier)? {
        Opening::Open(writer) => writer,
        Opening::Done(summary) => return Ok(summary),
    };
    progress.begin("score", total.saturating_sub(writer.read()) as u64);
    let written = texts.batches(ROWS).and_then(|batches| writer.write(&applier, batches, progress));
    progress.end();
    written?;
    input.unchanged()?;
    writer.finish()
}
