use crate::text_hash::{self, TextHash};
use manyview_core::{Embeddings, Encoded};
use std::collections::HashMap;

/// The answer to a list of texts while it is being filled: one slot for each distinct text, in order of first
/// appearance.
pub(crate) struct Table<'a> {
    slots: HashMap<TextHash, usize>,
    distinct: Vec<(&'a str, TextHash)>,
    slot_of_row: Vec<usize>,
    dim: usize,
    vectors: Vec<f32>,
    norms: Vec<f32>,
    truncated: Vec<bool>,
    filled: Vec<bool>,
    open: usize,
}

impl<'a> Table<'a> {
    pub(crate) fn new(texts: &[&'a str], dim: usize) -> Self {
        let (mut slots, mut distinct) = (HashMap::new(), Vec::new());
        let slot_of_row = texts
            .iter()
            .map(|text| {
                let hash = text_hash::hash(text);
                *slots.entry(hash).or_insert_with(|| {
                    distinct.push((*text, hash));
                    distinct.len() - 1
                })
            })
            .collect();
        let n = distinct.len();
        Self {
            slots,
            distinct,
            slot_of_row,
            dim,
            vectors: vec![0.0; n * dim],
            norms: vec![0.0; n],
            truncated: vec![false; n],
            filled: vec![false; n],
            open: n,
        }
    }

    /// The number of slots without a vector.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Takes the vector of a text if it is asked for and the slot is open: the first one wins.
    pub(crate) fn set(&mut self, hash: &TextHash, vector: &[f32], norm: f32, truncated: bool) {
        let Some(&slot) = self.slots.get(hash) else { return };
        let at = slot * self.dim;
        let (Some(filled), Some(place)) =
            (self.filled.get_mut(slot), self.vectors.get_mut(at..at + self.dim))
        else {
            return;
        };
        if std::mem::replace(filled, true) {
            return;
        }
        place.copy_from_slice(vector);
        self.norms.get_mut(slot).into_iter().for_each(|x| *x = norm);
        self.truncated.get_mut(slot).into_iter().for_each(|x| *x = truncated);
        self.open -= 1;
    }

    /// The hashes of open slots.
    pub(crate) fn unfilled(&self) -> impl Iterator<Item = &TextHash> {
        self.distinct.iter().zip(&self.filled).filter(|(_, filled)| !**filled).map(|((_, hash), _)| hash)
    }

    /// The texts of open slots, longest first, then in order of first appearance.
    pub(crate) fn missing(&self) -> Vec<(&'a str, TextHash)> {
        let mut missing: Vec<_> = self
            .distinct
            .iter()
            .zip(&self.filled)
            .filter(|(_, filled)| !**filled)
            .map(|(text, _)| *text)
            .collect();
        missing.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        missing
    }

    /// One row for each text asked for.
    pub(crate) fn finish(self) -> manyview_core::Result<Encoded> {
        let distinct = Embeddings::new(self.vectors, self.dim)?;
        if distinct.n() == self.slot_of_row.len() {
            return Ok(Encoded { vectors: distinct, norms: self.norms, truncated: self.truncated });
        }
        let rows = &self.slot_of_row;
        Ok(Encoded {
            vectors: distinct.select(rows)?,
            norms: rows.iter().filter_map(|&slot| self.norms.get(slot).copied()).collect(),
            truncated: rows.iter().filter_map(|&slot| self.truncated.get(slot).copied()).collect(),
        })
    }
}
