use crate::table::Table;
use crate::text_hash::TextHash;
use manyview_core::{Embeddings, Encoded};
use std::collections::HashMap;

/// Vectors of one space in memory, each text once: the first one wins.
#[derive(Debug)]
pub(crate) struct Rows {
    dim: usize,
    places: HashMap<TextHash, usize>,
    hashes: Vec<TextHash>,
    vectors: Vec<f32>,
    norms: Vec<f32>,
    truncated: Vec<bool>,
}

impl Rows {
    /// None yet, of `dim` numbers each.
    pub(crate) fn new(dim: usize) -> Self {
        let (hashes, vectors, norms, truncated) = Default::default();
        Self { dim, places: HashMap::new(), hashes, vectors, norms, truncated }
    }

    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    pub(crate) fn push(&mut self, hash: &TextHash, vector: &[f32], norm: f32, truncated: bool) {
        if vector.len() == self.dim && !self.places.contains_key(hash) {
            self.places.insert(*hash, self.len());
            self.hashes.push(*hash);
            self.vectors.extend_from_slice(vector);
            self.norms.push(norm);
            self.truncated.push(truncated);
        }
    }

    /// Adds `encoded`, whose row `i` belongs to the text of `hashes[i]`.
    pub(crate) fn extend(&mut self, hashes: &[TextHash], encoded: &Encoded) {
        let rows = encoded.vectors.rows().zip(&encoded.norms).zip(&encoded.truncated);
        for (hash, ((vector, &norm), &truncated)) in hashes.iter().zip(rows) {
            self.push(hash, vector, norm, truncated);
        }
    }

    /// Adds all rows of `other`.
    pub(crate) fn append(&mut self, other: &Self) {
        other.for_each(|hash, vector, norm, truncated| self.push(hash, vector, norm, truncated));
    }

    /// Fills the open slots of `table`.
    pub(crate) fn fill(&self, table: &mut Table<'_>) {
        let found: Vec<usize> = table.unfilled().filter_map(|hash| self.places.get(hash)).copied().collect();
        for place in found {
            let at = place * self.dim;
            let row = self.hashes.get(place).zip(self.vectors.get(at..at + self.dim));
            let beside = self.norms.get(place).zip(self.truncated.get(place));
            if let (Some((hash, vector)), Some((norm, truncated))) = (row, beside) {
                table.set(hash, vector, *norm, *truncated);
            }
        }
    }

    /// What a part is made of.
    pub(crate) fn encoded(&self) -> manyview_core::Result<(&[TextHash], Encoded)> {
        let vectors = Embeddings::new(self.vectors.clone(), self.dim)?;
        let encoded = Encoded { vectors, norms: self.norms.clone(), truncated: self.truncated.clone() };
        Ok((&self.hashes, encoded))
    }

    fn for_each(&self, mut row: impl FnMut(&TextHash, &[f32], f32, bool)) {
        let beside = self.norms.iter().zip(&self.truncated);
        for ((hash, vector), (norm, cut)) in
            self.hashes.iter().zip(self.vectors.chunks_exact(self.dim)).zip(beside)
        {
            row(hash, vector, *norm, *cut);
        }
    }
}
