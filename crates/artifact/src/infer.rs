use super::applier::Applier;
use super::describe;
use super::input::Input;
use super::metadata::{Inferred, Origin};
use super::open::{Artifact, open};
use super::target::{FileFormat, Target};
use super::text_file::{Missing, TextFile};
use super::vector_file::GivenVectors;
use super::writer::{Opening, Writer};
use crate::{Encoder as EncoderSettings, Error, Result, Sources, encoder, to_json};
use manyview_core::{Encoder, Fingerprint, Progress};
use manyview_data::InputFile;
use manyview_encoder::TextEncoder;
use std::path::PathBuf;
use std::time::Instant;

/// What to give the view of fitted adapters, and where to put it.
#[derive(Clone, Debug)]
pub struct Inference {
    /// Texts to encode, or vectors that are there already.
    pub from: InferenceInput,
    /// What [`Sources::artifact`] takes: adapters, or one encoder that was trained; none where the vectors of `Texts::encoder` are all
    /// that is wanted.
    pub adapters: Vec<PathBuf>,
    /// Directory for the files.
    pub output: PathBuf,
    /// What the matrices are written as.
    pub format: FileFormat,
    /// Only the first rows of the input.
    pub limit: Option<usize>,
    /// Rows of the input taken at once; memory grows with it. 16 MiB of vectors without it, at most 8192 rows.
    pub chunk_rows: Option<usize>,
    /// Maps the rows as passages rather than as queries, of adapters that map the two in different ways.
    pub passages: bool,
}

/// What inference begins with.
#[derive(Clone, Debug)]
pub enum InferenceInput {
    /// A file of texts.
    Texts(Texts),
    /// A file of base vectors.
    Vectors(GivenVectors),
}

/// A file of texts, and how to encode them.
#[derive(Clone, Debug)]
pub struct Texts {
    /// A file of rows, as [`manyview_data::Rows::open`] takes it, or `-` for standard input.
    pub input: PathBuf,
    /// Its column of texts.
    pub text_column: String,
    /// A column to write beside the vectors.
    pub id_column: Option<String>,
    /// Whether a row with the text of an earlier one is left out.
    pub dedup: bool,
    /// Whether a row without a text or an identifier is left out rather than refused.
    pub drop_missing: bool,
    /// Whether to encode the texts under the instruction of the adapter as well.
    pub with_teacher: bool,
    /// Encoder in place of the one the adapters name.
    pub encoder: Option<String>,
    /// Device to encode on.
    pub device: String,
    /// The vector store.
    pub store: PathBuf,
}

/// Gives each row of a file its base vector and its views, a batch of rows at a time, and writes them row by row into
/// `base.npy`, a matrix for each adapter, and `metadata.json`. Whatever is in the output directory under these names is
/// replaced once all of it is there.
///
/// When it is stopped or killed, what is done is kept in `.infer/` of the output directory, and the same call goes on
/// there, to the same bytes. A call with other settings, or with another input, starts over.
///
/// # Errors
/// Texts, vectors, adapters or encoders that cannot be used; [`manyview_core::Error::Fingerprint`] when the encoder is
/// not the one an adapter was made for; [`manyview_core::Error::Interrupted`].
pub fn infer(inference: &Inference, sources: &Sources, progress: &dyn Progress) -> Result<Inferred> {
    if inference.limit == Some(0) {
        return Err(Error::setting("--limit", "expected at least 1 row, found 0"));
    }
    let models = inference.adapters.iter();
    let models = models.map(|path| open(&sources.artifact(path, progress)?));
    let mut models = models.collect::<Result<Vec<_>>>()?;
    describe::names(&models)?; // told before anything is read
    match &inference.from {
        InferenceInput::Vectors(from) => {
            of_vectors(inference, from, Applier::new(models, inference.passages)?, progress)
        }
        InferenceInput::Texts(from) => {
            let named = models.first().map(|model| model.encoder(from.encoder.as_deref(), &from.device));
            if let [only] = models.as_slice()
                && only.artifact == Artifact::Encoder
            {
                if let Some(other) = &from.encoder {
                    let dir = only.dir.display();
                    let problem =
                        format!("expected none beside the encoder trained in {dir}, found `{other}`");
                    return Err(Error::setting("--encoder", problem));
                }
                models.clear();
            }
            let applier = Applier::new(models, inference.passages)?;
            let encoder = match (named, &from.encoder) {
                (Some(named), _) => named?,
                (None, Some(model)) => {
                    let (model, device) = (model.clone(), from.device.clone());
                    EncoderSettings { model, device, ..EncoderSettings::default() }
                }
                (None, None) => {
                    return Err(Error::setting("--adapter", "expected one, or --encoder, found neither"));
                }
            };
            of_texts(inference, from, applier, &encoder, sources, progress)
        }
    }
}

fn of_texts(
    inference: &Inference,
    from: &Texts,
    applier: Applier,
    named: &EncoderSettings,
    sources: &Sources,
    progress: &dyn Progress,
) -> Result<Inferred> {
    let applier = if from.with_teacher { applier.with_teacher()? } else { applier };
    let file = InputFile::open(&from.input)?;
    let texts = TextFile {
        input: file.path().into(),
        text_column: from.text_column.clone(),
        title_column: None,
        id_column: from.id_column.clone(),
        missing: if from.drop_missing { Missing::Drop } else { Missing::Refuse },
        dedup: from.dedup,
        limit: inference.limit,
    };
    let input = Input::open(file.path())?;
    let start = Instant::now();
    let total = texts.look()?;
    let looked = start.elapsed().as_secs_f64();
    let encoder = encoder::load(named, sources, progress)?;
    let (fingerprint, dim) = (encoder.fingerprint(), encoder.dim());
    let applier = applier.with_encoder(encoder::cached(named, encoder, &from.store)?)?;
    let rows = inference.rows_at_once(dim);
    let key = Fingerprint::builder("infer-texts/2")
        .field("input", input.blake3.as_bytes())
        .field("text", from.text_column.as_bytes())
        .field("id", from.id_column.as_deref().unwrap_or_default().as_bytes())
        .field("flags", &[from.dedup, from.drop_missing].map(u8::from))
        .field("limit", inference.limit.map_or(String::new(), |n| n.to_string()).as_bytes())
        .field("rows", &rows.to_le_bytes());
    let known = format!("the encoder `{}` made them", named.model);
    let job = Job {
        inference,
        path: &from.input,
        input,
        looked,
        total,
        ids: from.id_column.is_some(),
        encoder: Origin { name: named.model.clone(), fingerprint: Some(fingerprint), known },
    };
    job.run(&applier, &key.finish(), |_| texts.batches(rows), progress)
}

fn of_vectors(
    inference: &Inference,
    from: &GivenVectors,
    applier: Applier,
    progress: &dyn Progress,
) -> Result<Inferred> {
    let Some(first) = applier.models().first() else {
        return Err(Error::setting("--adapter", "expected an adapter of vectors, found none"));
    };
    let origin = from.origin(&first.card, &inference.output)?;
    from.agrees(&first.card)?;
    let rows = inference.rows_at_once(first.card.dim_in);
    let n = manyview_data::VectorRows::open(&from.path, &from.column, rows)?.n();
    let input = Input::open(&from.path)?;
    let limit = inference.limit.unwrap_or(usize::MAX).min(n);
    let column = if from.path.extension().is_some_and(|e| e == "npy") { "" } else { &from.column };
    let key = Fingerprint::builder("infer-vectors/2")
        .field("input", input.blake3.as_bytes())
        .field("column", column.as_bytes())
        .field("limit", &limit.to_le_bytes())
        .field("rows", &rows.to_le_bytes());
    let (path, encoder) = (&from.path, origin);
    let job = Job { inference, path, input, looked: 0.0, total: limit, ids: false, encoder };
    job.run(&applier, &key.finish(), |first| from.batches(rows, first, limit), progress)
}

/// One inference: what is the same for texts and for vectors.
struct Job<'a> {
    inference: &'a Inference,
    path: &'a PathBuf,
    input: Input,
    /// How long looking at the input took.
    looked: f64,
    /// Rows of the input.
    total: usize,
    ids: bool,
    encoder: Origin,
}

impl Job<'_> {
    /// `batches` gives those from some row of the input on, or all.
    fn run<B: Iterator<Item = Result<super::Batch>> + Send>(
        self,
        applier: &Applier<TextEncoder>,
        key: &Fingerprint,
        batches: impl FnOnce(usize) -> Result<B>,
        progress: &dyn Progress,
    ) -> Result<Inferred> {
        let Inference { output, format, .. } = self.inference;
        let target = Target::Matrices { dir: output.clone(), format: *format, ids: self.ids };
        let record = output.join(Inferred::FILE);
        let mut writer = match Writer::open(&target, key, applier)? {
            Opening::Open(writer) => writer,
            Opening::Done(_) => {
                let bytes = std::fs::read(&record).map_err(Error::io(&record))?;
                let problem =
                    |e: serde_json::Error| format!("expected what inference wrote, found {e}; delete it");
                return serde_json::from_slice(&bytes)
                    .map_err(|e| Error::File { path: record, problem: problem(e) });
            }
        };
        writer.ledger.seconds.hash += self.input.seconds;
        writer.ledger.seconds.read += self.looked;
        progress.begin("infer", self.total.saturating_sub(writer.read()) as u64);
        let written = batches(writer.read()).and_then(|batches| writer.write(applier, batches, progress));
        progress.end();
        written?;
        writer.ledger.some_rows(self.path)?;
        self.input.unchanged()?;
        let files = describe::matrices(applier, *format)?;
        let is_texts = applier.encoder().is_some();
        let mut described = None;
        writer.finish_with(|ledger| {
            let inferred = Inferred {
                schema: Inferred::SCHEMA.into(),
                input: self.path.clone(),
                input_blake3: self.input.blake3,
                rows_read: ledger.read,
                rows: ledger.rows,
                dropped: ledger.dropped,
                truncated: is_texts.then_some(ledger.truncated),
                normalized: (!is_texts).then_some(ledger.normalized),
                encoder: self.encoder,
                files,
                base: is_texts.then_some(ledger.base),
                teacher: applier.teacher().map(|_| ledger.teacher),
                seconds: ledger.seconds,
            };
            let bytes = to_json(&record, &inferred)?;
            described = Some(inferred);
            Ok(Some(bytes))
        })?;
        described.ok_or_else(|| Error::File { path: record.clone(), problem: "was not written".into() })
    }
}

impl Inference {
    /// The rows to take at once where vectors have length `dim`.
    fn rows_at_once(&self, dim: usize) -> usize {
        const BYTES: usize = 16 << 20;
        self.chunk_rows.unwrap_or_else(|| (BYTES / (4 * dim.max(1))).clamp(256, 8192)).max(1)
    }
}
