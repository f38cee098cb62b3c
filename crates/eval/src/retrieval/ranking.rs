use std::cmp::Ordering;

/// A document found for a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Row of the document.
    pub document: usize,
    /// How well it fits: a cosine from [`crate::search`], a sum of weights from [`crate::TextIndex::search`].
    pub score: f64,
}

/// The best documents for each of several queries, best first; of equal scores the lower row comes first.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    hits: Vec<Vec<Hit>>,
    pub(crate) depth: usize,
    pub(crate) documents: usize,
}

impl Ranking {
    /// The best `depth` of `documents` documents, one list of hits a query.
    pub(crate) fn new(hits: Vec<Vec<Hit>>, depth: usize, documents: usize) -> Self {
        Self { hits, depth, documents }
    }

    /// Number of queries.
    pub fn queries(&self) -> usize {
        self.hits.len()
    }

    /// The documents found for each query, in the order of the queries.
    pub fn hits(&self) -> impl ExactSizeIterator<Item = &[Hit]> {
        self.hits.iter().map(Vec::as_slice)
    }
}

impl Hit {
    /// Better first, then the lower row.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.document.cmp(&other.document))
    }
}

/// The best `k` of `hits`, best first.
pub(crate) fn best(mut hits: Vec<Hit>, k: usize) -> Vec<Hit> {
    if k < hits.len() {
        hits.select_nth_unstable_by(k, Hit::order);
        hits.truncate(k);
    }
    hits.sort_unstable_by(Hit::order);
    hits
}
