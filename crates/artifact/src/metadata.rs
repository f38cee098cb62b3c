use manyview_adapter::Card;
use manyview_core::{Fingerprint, Instruction};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What inference made; `metadata.json` is this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inferred {
    /// Always [`Inferred::SCHEMA`].
    pub schema: String,
    /// The file the rows are from.
    pub input: PathBuf,
    /// BLAKE3 of that file, 64 hex digits.
    pub input_blake3: String,
    /// Rows read from it.
    pub rows_read: usize,
    /// Rows written: row `i` of every matrix is the same row of the input.
    pub rows: usize,
    /// Rows left out.
    pub dropped: Dropped,
    /// Rows whose text was longer than the encoder reads; none where no text was read.
    pub truncated: Option<usize>,
    /// Given vectors that were not of length 1 and were normalised; none where texts were read.
    pub normalized: Option<usize>,
    /// The encoder the base vectors are from.
    pub encoder: Origin,
    /// The matrices, and where each comes from.
    pub files: Vec<Written>,
    /// What the base vectors took; none where they were given.
    pub base: Option<Encoding>,
    /// What the teacher's vectors took.
    pub teacher: Option<Encoding>,
    /// Wall time, over all attempts.
    pub seconds: Seconds,
}

impl Inferred {
    /// Name and version of the format.
    pub const SCHEMA: &'static str = "manyview-infer/1";

    /// The name of its file.
    pub(crate) const FILE: &'static str = "metadata.json";
}

/// Rows left out, by reason; a row counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Without a text, or without an identifier where one was asked for.
    pub missing: usize,
    /// With the text of an earlier row.
    pub duplicates: usize,
}

/// The encoder of base vectors, and who says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The encoder, as people name it.
    pub name: String,
    /// The encoder, exactly; none where nobody says.
    pub fingerprint: Option<Fingerprint>,
    /// How that is known, in a sentence.
    pub known: String,
}

/// A matrix that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// Its file in the output directory.
    pub file: String,
    /// The length of each row.
    pub dim: usize,
    /// What it holds.
    #[serde(flatten)]
    pub holds: Holds,
}

/// What a matrix holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "holds", rename_all = "snake_case")]
pub enum Holds {
    /// The encoder's vectors: what adapters map.
    Base {
        /// What the texts were prompted with, for adapters of queries that were learnt so; usually none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instruction: Option<Instruction>,
    },
    /// The encoder's vectors under an instruction.
    Teacher {
        /// The instruction.
        instruction: Instruction,
        /// Whether the adapter beside it was fitted to such vectors.
        fitted: bool,
    },
    /// The view of an adapter.
    View {
        /// The directory it was read from.
        adapter: PathBuf,
        /// BLAKE3 of its weights file, 64 hex digits.
        weights_blake3: String,
        /// Its card.
        card: Box<Card>,
        /// Whether the rows were mapped as passages rather than as queries.
        #[serde(default)]
        passages: bool,
    },
}

/// What encoding took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    /// Texts given to the encoder.
    pub encoded: usize,
    /// All other rows: found in the store, or the same text as a row nearby.
    pub reused: usize,
}

/// Wall time of each part of the work, in seconds. Given vectors are read, transformed and written side by side, so that
/// the parts take more together than the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// Hashing the input.
    pub hash: f64,
    /// Reading it, twice where it holds texts: once to look for what is missing.
    pub read: f64,
    /// Base vectors: from the store, or from the encoder and into the store.
    pub encode: f64,
    /// Views of base vectors, all adapters together.
    pub transform: f64,
    /// Vectors under the instruction.
    pub teacher: f64,
    /// Writing the matrices, until they are on the disk.
    pub write: f64,
}
