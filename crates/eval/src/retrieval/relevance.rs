use super::measure::RetrievalMeasure;
use super::ranking::Ranking;
use crate::error::{Error, Result, at_least, same_length};

/// Which documents answer which query: a set of document rows a query.
///
/// ```
/// use manyview_core::Embeddings;
/// use manyview_eval::{Relevance, RetrievalMeasure::Mrr, search};
///
/// let documents = Embeddings::from_rows([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])?;
/// let queries = Embeddings::from_rows([[1.0, 0.0], [0.1, 1.0]])?;
/// let relevance = Relevance::new([vec![1], vec![2]], documents.n())?;
/// assert_eq!(relevance.scores(&search(&queries, &documents, 10)?, Mrr(10))?, [0.5, 1.0]);
/// # Ok::<(), manyview_eval::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relevance {
    sets: Vec<Vec<usize>>,
    documents: usize,
}

impl Relevance {
    /// The rows, out of `documents`, that are relevant to each query; a row named twice counts once.
    ///
    /// # Errors
    /// [`Error::Range`] without queries, [`Error::NoneRelevant`] for a query without a relevant document,
    /// [`Error::NoDocument`] for a row not below `documents`.
    pub fn new(sets: impl IntoIterator<Item = Vec<usize>>, documents: usize) -> Result<Self> {
        let mut sets: Vec<Vec<usize>> = sets.into_iter().collect();
        at_least("queries", 1, sets.len())?;
        for (query, set) in sets.iter_mut().enumerate() {
            set.sort_unstable();
            set.dedup();
            match set.last() {
                None => return Err(Error::NoneRelevant { query }),
                Some(&document) if document >= documents => {
                    return Err(Error::NoDocument { query, document, documents });
                }
                Some(_) => {}
            }
        }
        Ok(Self { sets, documents })
    }

    /// Number of queries.
    pub fn queries(&self) -> usize {
        self.sets.len()
    }

    /// The measure of each query, `[q]`; their mean is the score of the ranking, and [`crate::Bootstrap`] says how
    /// certain it is.
    ///
    /// # Errors
    /// [`Error::Length`] for a ranking of other queries or documents; [`Error::Range`] for a cutoff of 0, or one beyond
    /// the depth of the ranking.
    pub fn scores(&self, ranking: &Ranking, measure: RetrievalMeasure) -> Result<Vec<f64>> {
        same_length("ranked queries", self.sets.len(), ranking.queries())?;
        same_length("ranked documents", self.documents, ranking.documents)?;
        at_least("cutoff of the measure", 1, measure.cutoff())?;
        at_least("documents found for each query", measure.cutoff().min(self.documents), ranking.depth)?;
        let score = |(set, hits): (&Vec<usize>, &[super::Hit])| {
            let ranked = hits.iter().zip(1..).filter(|(hit, _)| set.binary_search(&hit.document).is_ok());
            let ranks: Vec<usize> = ranked.map(|(_, rank)| rank).collect();
            measure.of(&ranks, set.len())
        };
        Ok(self.sets.iter().zip(ranking.hits()).map(score).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::Hit;

    fn ranking(documents: &[usize], depth: usize) -> Ranking {
        let hits = documents.iter().map(|&document| Hit { document, score: 0.0 }).collect();
        Ranking::new(vec![hits], depth, 50)
    }

    #[test]
    fn a_row_named_twice_counts_once() {
        let relevance = Relevance::new([vec![7, 3, 7]], 50).unwrap();
        let scores = relevance.scores(&ranking(&[3, 1], 2), RetrievalMeasure::Recall(2)).unwrap();
        assert_eq!(scores, [0.5]);
    }

    #[test]
    fn sets_that_are_empty_or_beyond_the_documents_are_refused() {
        assert!(matches!(Relevance::new([], 5), Err(Error::Range { .. })));
        assert!(matches!(Relevance::new([vec![1], vec![]], 5), Err(Error::NoneRelevant { query: 1 })));
        let beyond = Relevance::new([vec![1, 5]], 5).unwrap_err();
        assert!(matches!(beyond, Error::NoDocument { query: 0, document: 5, documents: 5 }), "{beyond}");
    }

    #[test]
    fn a_ranking_too_short_for_its_measure_or_of_other_texts_is_refused() {
        let relevance = Relevance::new([vec![1]], 50).unwrap();
        let map = |r: &Ranking| relevance.scores(r, RetrievalMeasure::Map(100));
        assert!(matches!(map(&ranking(&[1], 10)), Err(Error::Range { found: 10, .. })));
        assert_eq!(map(&ranking(&[1], 50)).unwrap(), [1.0]); // all there are
        assert!(matches!(map(&Ranking::new(vec![], 50, 50)), Err(Error::Length { .. })));
        assert!(matches!(map(&Ranking::new(vec![vec![]], 50, 51)), Err(Error::Length { .. })));
        let none = relevance.scores(&ranking(&[1], 10), RetrievalMeasure::Ndcg(0));
        assert!(matches!(none, Err(Error::Range { found: 0, .. })));
    }
}
