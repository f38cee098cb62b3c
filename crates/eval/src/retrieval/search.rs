use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use manyview_core::{Embeddings, Error as CoreError};
use rayon::prelude::*;

use super::ranking::{Hit, Ranking, best};
use super::selection::Selection;
use crate::error::{Error, Result, at_least};
use crate::fidelity::dot;

/// Queries that one thread takes at a time.
const QUERIES: usize = 64;
/// Documents whose similarities to those queries are held at a time.
const DOCUMENTS: usize = 4096;

/// The `k` documents, `[n, dim]`, of highest cosine with each query, `[q, dim]`; all `n` when `k` is more. No index and
/// no approximation: every query meets every document.
///
/// Products in `f32` only discard what cannot be among the best `k` for any rounding of theirs; the rest is ranked by
/// cosines in `f64`. So the ranking depends on neither threads nor blocks, and equal rows tie: of equal scores the
/// lower row comes first.
///
/// # Errors
/// [`Error::Range`] when `k` is 0, [`manyview_core::Error::Shape`] for another `dim`, and
/// [`manyview_core::Error::ZeroRow`] for a row without a direction.
pub fn search(queries: &Embeddings, documents: &Embeddings, k: usize) -> Result<Ranking> {
    at_least("documents to find", 1, k)?;
    if queries.dim() != documents.dim() {
        return Err(Error::Core(CoreError::Shape {
            what: "documents to search".into(),
            expected: format!("{} columns, as the queries", queries.dim()),
            found: format!("{} columns", documents.dim()),
        }));
    }
    let (unit_queries, unit_documents) = (units("queries", queries)?, units("documents", documents)?);
    let lengths: Vec<f64> = documents.rows().map(|row| dot(row, row).sqrt()).collect();
    let depth = k.min(documents.n());

    let starts: Vec<usize> = (0..queries.n()).step_by(QUERIES).collect();
    let hits = starts
        .into_par_iter()
        .flat_map_iter(|start| {
            let selected = select(&unit_queries, &unit_documents, start, depth);
            let rows = queries.rows().skip(start);
            let ranked = |(query, selection): (&[f32], Selection)| {
                let length = dot(query, query).sqrt();
                let hit = |document: usize| {
                    let cosine = dot(query, documents.row(document)) / (length * lengths[document]);
                    Hit { document, score: cosine.clamp(-1.0, 1.0) }
                };
                best(selection.documents().map(hit).collect(), depth)
            };
            rows.zip(selected).map(ranked).collect::<Vec<_>>()
        })
        .collect();
    Ok(Ranking::new(hits, depth, documents.n()))
}

/// The documents that may be among the best `k` of each of a block of queries from `start`, all rows of length one.
fn select(queries: &Embeddings, documents: &Embeddings, start: usize, k: usize) -> Vec<Selection> {
    let dim = queries.dim();
    let count = QUERIES.min(queries.n() - start);
    let block = &queries.as_slice()[start * dim..(start + count) * dim];
    let mut selections: Vec<Selection> = (0..count).map(|_| Selection::new(k, slack(dim))).collect();
    let mut similarities = vec![0.0; DOCUMENTS.min(documents.n()) * count];
    for (chunk, rows) in documents.as_slice().chunks(DOCUMENTS * dim).enumerate() {
        let n = rows.len() / dim;
        let similarities = &mut similarities[..n * count];
        matmul(
            MatMut::from_column_major_slice_mut(similarities, n, count),
            Accum::Replace,
            MatRef::from_row_major_slice(rows, n, dim),
            MatRef::from_column_major_slice(block, dim, count),
            1.0f32,
            Par::Seq,
        );
        for (selection, scores) in selections.iter_mut().zip(similarities.chunks_exact(n)) {
            selection.offer(chunk * DOCUMENTS, scores);
        }
    }
    selections
}

/// Twice the most by which a product of two unit rows in `f32` can be off: `dim` roundings of the sum, half as many of
/// each row's norm, and a few of quotients.
fn slack(dim: usize) -> f32 {
    2.0 * (2 * dim + 8) as f32 * (f32::EPSILON / 2.0)
}

/// Rows of length one; an error names `what` they are.
fn units(what: &str, rows: &Embeddings) -> Result<Embeddings> {
    rows.clone().normalized().map_err(|e| match e {
        CoreError::ZeroRow { row, .. } => Error::Core(CoreError::ZeroRow { what: what.into(), row }),
        e => Error::Core(e),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of small whole numbers, many of which repeat.
    fn whole(n: usize, dim: usize, step: usize) -> Embeddings {
        Embeddings::new((0..n * dim).map(|i| ((i * step + i / 7) % 5) as f32 - 1.5).collect(), dim).unwrap()
    }

    fn documents(ranking: &Ranking) -> Vec<Vec<usize>> {
        ranking.hits().map(|hits| hits.iter().map(|hit| hit.document).collect()).collect()
    }

    #[test]
    fn blocks_agree_with_a_full_sort_also_among_ties() {
        let (queries, docs) = (whole(QUERIES + 3, 6, 3), whole(2 * DOCUMENTS + 11, 6, 7));
        let found = search(&queries, &docs, 40).unwrap();
        for (query, hits) in queries.rows().zip(found.hits()) {
            let cosine = |row: &[f32]| dot(query, row) / (dot(query, query).sqrt() * dot(row, row).sqrt());
            let hit = |(document, row)| Hit { document, score: f64::clamp(cosine(row), -1.0, 1.0) };
            let mut all: Vec<Hit> = docs.rows().enumerate().map(hit).collect();
            all.sort_by(|a, b| b.score.total_cmp(&a.score)); // stable: of equal scores the lower row first
            assert_eq!(hits, &all[..40]);
        }
    }

    #[test]
    fn equal_documents_come_in_the_order_of_their_rows() {
        let docs =
            Embeddings::from_rows([[0.3, 0.7], [1.0, 0.1], [0.3, 0.7], [0.6, 1.4], [0.3, 0.7]]).unwrap();
        let query = Embeddings::from_rows([[0.3, 0.7]]).unwrap();
        assert_eq!(documents(&search(&query, &docs, 3).unwrap()), [[0, 2, 3]]);
    }

    #[test]
    fn a_depth_beyond_the_documents_gives_all_of_them() {
        let ranking = search(&whole(2, 3, 3), &whole(4, 3, 7), 99).unwrap();
        assert_eq!((ranking.queries(), ranking.depth), (2, 4));
        assert!(ranking.hits().all(|hits| hits.len() == 4));
    }

    #[test]
    fn rows_without_direction_other_shapes_and_no_depth_are_refused() {
        let (x, zero) = (whole(3, 2, 3), Embeddings::new(vec![1.0, 0.0, 0.0, 0.0], 2).unwrap());
        let e = search(&x, &zero, 1).unwrap_err();
        assert!(matches!(&e, Error::Core(CoreError::ZeroRow { what, row: 1 }) if what == "documents"), "{e}");
        assert!(matches!(search(&x, &whole(3, 4, 3), 1), Err(Error::Core(CoreError::Shape { .. }))));
        assert!(matches!(search(&x, &x, 0), Err(Error::Range { .. })));
    }
}
