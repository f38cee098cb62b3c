use manyview_core::Embeddings;

use super::search::search;
use crate::error::{Error, Result, at_least, same_length};
use crate::fidelity::dot;

/// The cosine of each query, `[n, dim]`, and the passage that answers it, a row of `passages`, `[m, dim]`: `[n]`.
///
/// # Errors
/// [`Error::Length`] for another number of positives than of queries, [`Error::NoDocument`] for a passage that is not
/// there.
pub fn positive_similarity(
    queries: &Embeddings,
    passages: &Embeddings,
    positive: &[usize],
) -> Result<Vec<f64>> {
    check(queries, passages, positive)?;
    let cosine = |(query, &p): (&[f32], &usize)| {
        let passage = passages.row(p);
        dot(query, passage) / (dot(query, query) * dot(passage, passage)).sqrt()
    };
    Ok(queries.rows().zip(positive).map(cosine).collect())
}

/// Whether each query's passage is the nearest of those that answer the queries of its batch: 1 or 0, `[n]`. Batches
/// are taken in the order of the queries; the last may be smaller.
///
/// # Errors
/// As [`positive_similarity`]; [`Error::Range`] for a batch of 0.
pub fn in_batch_accuracy(
    queries: &Embeddings,
    passages: &Embeddings,
    positive: &[usize],
    batch: usize,
) -> Result<Vec<f64>> {
    at_least("queries a batch", 1, batch)?;
    check(queries, passages, positive)?;
    let mut right = Vec::with_capacity(positive.len());
    for (i, wanted) in positive.chunks(batch).enumerate() {
        let rows: Vec<usize> = (i * batch..i * batch + wanted.len()).collect();
        let nearest = search(&queries.select(&rows)?, &passages.select(wanted)?, 1)?;
        let found = nearest.hits().zip(wanted).map(|(hits, wanted)| {
            hits.first().is_some_and(|hit| positive.get(i * batch + hit.document) == Some(wanted))
        });
        right.extend(found.map(|right| f64::from(u8::from(right))));
    }
    Ok(right)
}

fn check(queries: &Embeddings, passages: &Embeddings, positive: &[usize]) -> Result<()> {
    same_length("positive passages", queries.n(), positive.len())?;
    match positive.iter().enumerate().find(|(_, p)| **p >= passages.n()) {
        Some((query, &document)) => Err(Error::NoDocument { query, document, documents: passages.n() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[[f32; 2]]) -> Embeddings {
        Embeddings::from_rows(rows).unwrap()
    }

    #[test]
    fn the_nearest_of_a_batch_is_looked_for_in_that_batch_alone() {
        let queries = rows(&[[1.0, 0.1], [0.1, 1.0], [1.0, 0.0]]);
        let passages = rows(&[[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]);
        let accuracy =
            |positive: &[usize], batch| in_batch_accuracy(&queries, &passages, positive, batch).unwrap();
        assert_eq!(accuracy(&[0, 1, 2], 2), [1.0, 1.0, 1.0]); // the third is alone in its batch
        assert_eq!(accuracy(&[0, 1, 2], 3), [1.0, 1.0, 0.0]);
        assert_eq!(accuracy(&[0, 1, 0], 3), [1.0, 1.0, 1.0]); // one passage for two queries
    }

    #[test]
    fn similarities_are_cosines() {
        let found =
            positive_similarity(&rows(&[[3.0, 4.0]]), &rows(&[[0.0, 9.0], [2.0, 0.0]]), &[0]).unwrap();
        assert!((found[0] - 0.8).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn passages_that_are_not_there_are_refused() {
        let x = rows(&[[1.0, 0.0], [0.0, 1.0]]);
        assert!(matches!(positive_similarity(&x, &x, &[0, 2]), Err(Error::NoDocument { query: 1, .. })));
        assert!(matches!(in_batch_accuracy(&x, &x, &[0], 2), Err(Error::Length { .. })));
        assert!(matches!(in_batch_accuracy(&x, &x, &[0, 1], 0), Err(Error::Range { .. })));
    }
}
