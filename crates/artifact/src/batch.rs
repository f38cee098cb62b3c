use super::metadata::Dropped;
use manyview_core::Embeddings;

/// Some rows of an input, in order: what models are applied to.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What the rows hold.
    pub rows: Rows,
    /// Which row of the input each is, from 0.
    pub numbers: Vec<u64>,
    /// What each is called, where the input says so.
    pub ids: Option<Vec<String>>,
    /// Rows of the input that were left out among these.
    pub dropped: Dropped,
    /// Vectors that were not of length 1 and were normalised.
    pub normalized: usize,
    /// The number of rows of the input up to here.
    pub end: usize,
}

/// Texts, or the vectors an encoder made of some.
#[derive(Clone, Debug)]
pub enum Rows {
    /// Texts to encode; a row without one is written without a result.
    Texts(Vec<Option<String>>),
    /// Base vectors, `[n, dim]`, of length 1 each.
    Vectors(Embeddings),
}

impl Batch {
    /// The rows of an input from row `first`, all of them.
    pub fn new(rows: Rows, first: usize) -> Self {
        let n = match &rows {
            Rows::Texts(texts) => texts.len(),
            Rows::Vectors(x) => x.n(),
        };
        Self {
            rows,
            numbers: (first..first + n).map(|row| row as u64).collect(),
            ids: None,
            dropped: Dropped::default(),
            normalized: 0,
            end: first + n,
        }
    }

    /// The number of rows that are written.
    pub fn n(&self) -> usize {
        self.numbers.len()
    }
}
