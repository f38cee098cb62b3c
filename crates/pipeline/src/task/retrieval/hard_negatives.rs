use crate::Result;
use manyview_core::Embeddings;
use manyview_eval::search;
use std::collections::HashSet;

/// Candidates looked at for each negative wanted.
const LOOKED_AT: usize = 8;
/// The fewest candidates looked at.
const FEWEST: usize = 32;

/// For each query, `[n, dim]`, at most `k` of the passages, `[m, dim]`, that are nearest to it and do not answer it,
/// nearest first: `[n]` lists.
///
/// Passed over are the query's own passages, passages that stand at the same place as one of them, and passages whose
/// cosine with the query is not at least `margin` below that of its own: those may answer it as well, though nobody
/// said so. `answers` gives the passages that answer each query, `[n]`; the first is its own.
///
/// # Errors
/// Matrices that do not fit.
pub(crate) fn hard_negatives(
    queries: &Embeddings,
    passages: &Embeddings,
    answers: &[Vec<usize>],
    k: usize,
    margin: f64,
) -> Result<Vec<Vec<usize>>> {
    let depth = (k * LOOKED_AT).max(FEWEST);
    let found = search(queries, passages, depth)?;
    let same = |a: usize, b: usize| a == b || passages.row(a) == passages.row(b);
    let rows = queries.rows().zip(answers).zip(found.hits());
    let mined = rows.map(|((query, answers), hits)| {
        let own = answers.iter().map(|&p| cosine(query, passages.row(p))).fold(f64::INFINITY, f64::min);
        let known: HashSet<usize> = answers.iter().copied().collect();
        let fits = hits.iter().filter(|hit| {
            hit.score <= own - margin
                && !known.contains(&hit.document)
                && !answers.iter().any(|&answer| same(answer, hit.document))
        });
        fits.map(|hit| hit.document).take(k).collect()
    });
    Ok(mined.collect())
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(degrees: &[f32]) -> Embeddings {
        let point = |d: &f32| [d.to_radians().cos(), d.to_radians().sin()];
        Embeddings::from_rows(degrees.iter().map(point)).unwrap()
    }

    #[test]
    fn the_nearest_that_answer_nothing_are_taken_and_copies_of_an_answer_are_not() {
        let passages = at(&[10.0, 12.0, 10.0, 30.0, 20.0, 90.0]);
        let mined = hard_negatives(&at(&[0.0]), &passages, &[vec![0]], 2, 0.0).unwrap();
        assert_eq!(mined, [[1, 4]]); // not 2, which is 0 again
        let mined = hard_negatives(&at(&[0.0]), &passages, &[vec![0, 4]], 2, 0.0).unwrap();
        assert_eq!(mined, [[3, 5]]); // 4 answers as well, and nothing nearer than it may be wrong
    }

    #[test]
    fn what_is_closer_than_the_answer_by_the_margin_is_passed_over() {
        let passages = at(&[40.0, 5.0, 45.0, 60.0, 80.0]);
        let mined = |margin| hard_negatives(&at(&[0.0]), &passages, &[vec![0]], 3, margin).unwrap();
        assert_eq!(mined(0.0), [[2, 3, 4]]);
        assert_eq!(mined(0.2), [[3, 4]]); // cos 40° − cos 45° is 0.06
        assert_eq!(mined(-0.5), [[1, 2, 3]]); // closer by up to 0.5 is allowed
    }
}
