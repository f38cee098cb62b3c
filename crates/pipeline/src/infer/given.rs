use super::ledger::Ledger;
use super::metadata::{Holds, Inferred, Origin, Seconds};
use super::output::{Opened, Output};
use super::views::View;
use super::{Inference, Input, keep};
use crate::{Error, Result};
use manyview_core::{Embeddings, Error as CoreError, Fingerprint, Progress};
use manyview_data::{Beside, VectorRows};
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;
use std::time::Instant;

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

pub(super) fn infer(
    inference: &Inference,
    from: &GivenVectors,
    views: &[View],
    progress: &dyn Progress,
) -> Result<Inferred> {
    let Some(first) = views.first() else {
        return Err(Error::setting("--adapter", "expected an adapter of vectors, found none"));
    };
    let dim = first.saved.card.dim_in;
    let origin = from.origin(first, &inference.output)?;
    from.agrees(first)?;
    let chunk = inference.chunk(dim);
    let rows = VectorRows::open(&from.path, &from.column, chunk)?;
    let input = Input::open(&from.path)?;
    let limit = inference.limit.unwrap_or(usize::MAX).min(rows.n());

    let files: Vec<_> = views.iter().map(|view| view.written(inference.format)).collect();
    let names: Vec<(String, usize)> = files.iter().map(|file| (file.file.clone(), file.dim)).collect();
    let key = key(inference, from, views, &input, chunk, limit);
    let (mut output, mut ledger) =
        match Output::open(&inference.output, key.as_str(), inference.format, &names, None)? {
            Opened::Done(inferred) => return Ok(*inferred),
            Opened::Open(output, ledger) => (output, ledger),
        };
    ledger.seconds.hash += input.seconds;
    progress.begin("infer", (limit - ledger.read.min(limit)) as u64);
    let done = rows
        .starting_at(ledger.read)
        .map_err(Error::from)
        .and_then(|rows| run(rows, limit, views, progress, &mut output, &mut ledger));
    progress.end();
    keep(done, &mut output, &ledger)?;
    ledger.some_rows(&from.path)?;
    input.unchanged()?;
    output.finish(ledger, |ledger| Inferred {
        schema: Inferred::SCHEMA.into(),
        input: from.path.clone(),
        input_blake3: input.blake3,
        rows_read: ledger.read,
        rows: ledger.rows,
        dropped: ledger.dropped,
        truncated: None,
        normalized: Some(ledger.normalized),
        encoder: origin,
        files,
        base: None,
        teacher: None,
        seconds: ledger.seconds,
    })
}

/// Vectors to give a view.
struct Block {
    x: Embeddings,
    /// The row of the file it starts at.
    first: usize,
    normalized: usize,
    seconds: f64,
}

/// Views to write.
struct Ready {
    views: Vec<Embeddings>,
    rows: Vec<u64>,
    normalized: usize,
    seconds: Seconds,
}

/// The pass over the vectors: some rows are read while the ones before are transformed and the ones before these are
/// written.
fn run(
    mut vectors: VectorRows,
    limit: usize,
    views: &[View],
    progress: &dyn Progress,
    output: &mut Output,
    ledger: &mut Ledger,
) -> Result<()> {
    let mut first = ledger.read;
    let mut next = move || {
        let block = read(&mut vectors, first, limit)?;
        first += block.as_ref().map_or(0, |block| block.x.n());
        Ok::<_, Error>(block)
    };
    let (mut block, mut ready, mut broken) = (next()?, None, Ok(()));
    while block.is_some() || ready.is_some() {
        if progress.stopped() {
            return Err(CoreError::Interrupted.into());
        }
        let (read, transformed, written) = std::thread::scope(|scope| {
            let reading = block.is_some().then(|| scope.spawn(&mut next));
            let (output, ledger) = (&mut *output, &mut *ledger);
            let writing = ready.take().map(|ready| scope.spawn(|| write(ready, progress, output, ledger)));
            let transformed = block.take().map(|block| transformed(views, &block));
            (reading.map(ended), transformed, writing.map(ended))
        });
        written.unwrap_or(Ok(()))?;
        ready = transformed.transpose()?;
        block = read.unwrap_or(Ok(None)).unwrap_or_else(|e| {
            broken = Err(e); // told once all before it is written
            None
        });
    }
    broken
}

/// What a thread gave.
fn ended<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn read(vectors: &mut VectorRows, first: usize, limit: usize) -> Result<Option<Block>> {
    let start = Instant::now();
    let n = limit.saturating_sub(first);
    let Some(x) = (if n > 0 { vectors.next().transpose()? } else { None }) else { return Ok(None) };
    let n = x.n().min(n);
    let (x, normalized) = unit(x, n, first)?;
    Ok(Some(Block { x, first, normalized, seconds: start.elapsed().as_secs_f64() }))
}

fn transformed(views: &[View], block: &Block) -> Result<Ready> {
    let start = Instant::now();
    let rows: Vec<u64> = (block.first..block.first + block.x.n()).map(|row| row as u64).collect();
    let views = views.iter().map(|view| view.transform(&block.x, &rows)).collect::<Result<_>>()?;
    let transform = start.elapsed().as_secs_f64();
    let seconds = Seconds { read: block.seconds, transform, ..Seconds::default() };
    Ok(Ready { views, rows, normalized: block.normalized, seconds })
}

fn write(ready: Ready, progress: &dyn Progress, output: &mut Output, ledger: &mut Ledger) -> Result<()> {
    let matrices: Vec<&Embeddings> = ready.views.iter().collect();
    let mut after = ledger.clone();
    output.append(&matrices, Beside { rows: &ready.rows, ..Beside::default() }, &mut after)?;
    after.read += ready.rows.len();
    after.normalized += ready.normalized;
    after.seconds.read += ready.seconds.read;
    after.seconds.transform += ready.seconds.transform;
    *ledger = after;
    progress.advance(ready.rows.len() as u64);
    output.acknowledge_when_due(ledger)
}

/// The first `n` rows of `x`, of length 1 as encoders here make them, and how many were not. `first` is the row of the
/// file they start at.
fn unit(x: Embeddings, n: usize, first: usize) -> Result<(Embeddings, usize)> {
    const TOLERANCE: f32 = 1e-4;
    let dim = x.dim();
    let mut values = x.into_vec();
    values.truncate(n * dim);
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

impl GivenVectors {
    /// That its vectors have the length `view` takes.
    fn agrees(&self, view: &View) -> Result<()> {
        let first = VectorRows::open(&self.path, &self.column, 1)?.next().transpose()?;
        let (expected, name) = (view.saved.card.dim_in, &view.saved.card.encoder);
        match first.map(|x| x.dim()) {
            Some(found) if found != expected => Err(Error::setting(
                &self.path.display().to_string(),
                format!("expected vectors of length {expected} as `{name}` makes them, found length {found}"),
            )),
            _ => Ok(()),
        }
    }

    /// Which encoder made the vectors: as the caller says, or as `metadata.json` beside the file does, or nobody.
    fn origin(&self, view: &View, output: &Path) -> Result<Origin> {
        let card = &view.saved.card;
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
            view.expects(&fingerprint)?;
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
        let Ok(inferred) = serde_json::from_slice::<Inferred>(&bytes) else { return Ok(None) };
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        match inferred.files.iter().find(|written| written.file == name).map(|written| &written.holds) {
            Some(Holds::Base { .. })
                if beside.canonicalize().ok() == output.join(Inferred::FILE).canonicalize().ok() =>
            {
                Err(Error::setting(
                    "--output-dir",
                    "expected another directory than that of the vectors, whose metadata.json would be replaced",
                ))
            }
            Some(Holds::Base { .. }) => Ok(inferred.encoder.fingerprint),
            Some(_) => Err(Error::setting(
                &self.path.display().to_string(),
                "expected base vectors, found those of a view or a teacher, as metadata.json beside it says; give the \
                 base file",
            )),
            None => Ok(None),
        }
    }
}

/// Stands for all that the files depend on.
fn key(
    inference: &Inference,
    from: &GivenVectors,
    views: &[View],
    input: &Input,
    chunk: usize,
    limit: usize,
) -> Fingerprint {
    let column = if from.path.extension().is_some_and(|e| e == "npy") { "" } else { &from.column };
    let key = Fingerprint::builder("infer-vectors/1")
        .field("input", input.blake3.as_bytes())
        .field("column", column.as_bytes())
        .field("limit", &limit.to_le_bytes())
        .field("format", inference.format.file("").as_bytes())
        .field("chunk", &chunk.to_le_bytes());
    views.iter().fold(key, |key, view| view.identity(key)).finish()
}
