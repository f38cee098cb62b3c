mod chunks;
mod given;
mod ledger;
mod metadata;
mod output;
mod texts;
mod views;

pub use given::GivenVectors;
pub use metadata::{Dropped, Encoding, Holds, Inferred, Origin, Seconds, Written};
pub use output::FileFormat;
pub use texts::Texts;
pub(crate) use views::{encoder_of, load};

use crate::task::retrieval::tuned_encoder;
use crate::{Environment, Error, Result};
use ledger::Ledger;
use manyview_core::{Embeddings, Progress};
use output::Output;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};
use views::View;

/// What to give the view of fitted adapters, and where to put it.
#[derive(Clone, Debug)]
pub struct Inference {
    /// Texts to encode, or vectors that are there already.
    pub from: InferenceInput,
    /// Run directories, variants' directories in them, or adapter directories; none where the vectors of an encoder are
    /// all that is wanted, such as of one that learnt itself, whose run may be the only one here.
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

/// Gives each row of a file its base vector and its views, a chunk of rows at a time, and writes them row by row into
/// `base.npy`, a matrix for each adapter, and `metadata.json`. Whatever is in the output directory under these names is
/// replaced once all of it is there.
///
/// When it is stopped or killed, what is done is kept in `.infer/` of the output directory, and the same call goes on
/// there, to the same bytes. A call with other settings, or with another input, starts over.
///
/// # Errors
/// Texts, vectors, adapters or encoders that cannot be used; [`manyview_core::Error::Fingerprint`] when the encoder is
/// not the one an adapter was made for; [`manyview_core::Error::Interrupted`].
pub fn infer(inference: &Inference, environment: &Environment, progress: &dyn Progress) -> Result<Inferred> {
    if inference.limit == Some(0) {
        return Err(Error::setting("--limit", "expected at least 1 row, found 0"));
    }
    let tuned = match &inference.adapters[..] {
        [only] => tuned_encoder(only),
        _ => None,
    };
    let views = match &tuned {
        Some(_) => Vec::new(),
        None => View::load_all(&inference.adapters, inference.passages)?,
    };
    match &inference.from {
        InferenceInput::Texts(from) => {
            let from = match tuned {
                Some(encoder) => &from.with_encoder(&encoder)?,
                None => from,
            };
            texts::infer(inference, from, &views, environment, progress)
        }
        InferenceInput::Vectors(from) => given::infer(inference, from, &views, progress),
    }
}

impl Inference {
    /// The rows to take at once where vectors have length `dim`.
    fn chunk(&self, dim: usize) -> usize {
        const BYTES: usize = 16 << 20;
        self.chunk_rows.unwrap_or_else(|| (BYTES / (4 * dim.max(1))).clamp(256, 8192)).max(1)
    }
}

/// The input file, by its content.
struct Input {
    path: PathBuf,
    blake3: String,
    /// What the file looked like when it was hashed.
    seen: (u64, Option<SystemTime>),
    seconds: f64,
}

impl Input {
    fn open(path: &Path) -> Result<Self> {
        let start = Instant::now();
        let seen = Self::look(path)?;
        let mut hasher = blake3::Hasher::new();
        File::open(path).and_then(|file| hasher.update_reader(file).map(drop)).map_err(Error::io(path))?;
        let blake3 = hasher.finalize().to_hex().to_string();
        Ok(Self { path: path.into(), blake3, seen, seconds: start.elapsed().as_secs_f64() })
    }

    fn look(path: &Path) -> Result<(u64, Option<SystemTime>)> {
        let metadata = std::fs::metadata(path).map_err(Error::io(path))?;
        Ok((metadata.len(), metadata.modified().ok()))
    }

    /// That nobody wrote to it since it was opened.
    fn unchanged(&self) -> Result<()> {
        match Self::look(&self.path)? == self.seen {
            true => Ok(()),
            false => {
                let problem = "it was changed while it was read; run again, which starts over".into();
                Err(Error::File { path: self.path.clone(), problem })
            }
        }
    }
}

/// The views of `base`, whose row `i` is row `rows[i]` of the input.
fn transform(
    views: &[View],
    base: &Embeddings,
    rows: &[u64],
    ledger: &mut Ledger,
) -> Result<Vec<Embeddings>> {
    let start = Instant::now();
    let views = views.iter().map(|view| view.transform(base, rows)).collect::<Result<Vec<_>>>();
    ledger.seconds.transform += start.elapsed().as_secs_f64();
    views
}

/// Ends a pass that broke off: what is whole is kept, and the error that broke it off is the one to tell.
fn keep<T>(result: Result<T>, output: &mut Output, ledger: &Ledger) -> Result<T> {
    if result.is_err()
        && let Err(e) = output.acknowledge(ledger)
    {
        tracing::warn!(error = %e, "what was done since the last chunk on the disk is lost");
    }
    result
}
