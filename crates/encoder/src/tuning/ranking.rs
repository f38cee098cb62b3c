use super::{Batch, Slopes};
use manyview_core::{Error, Result};

/// Multiple negatives ranking (Henderson et al., 2017): cross-entropy of each query's passage among all passages of the
/// batch, at `scale` times their cosine. A passage equal to the query's own, or the answer to an equal query, is no
/// negative.
///
/// # Errors
/// Single texts.
pub fn ranking(scale: f64, batch: &Batch<'_>) -> Result<Slopes> {
    let none = || Error::Empty { what: "passages to rank".into() };
    let passages = batch.passages.as_ref().ok_or_else(none)?;
    let (n, m, dim) = (batch.queries.n(), passages.n(), batch.queries.dim());
    let mut slopes = Slopes { loss: 0.0, queries: vec![0.0; n * dim], passages: vec![0.0; m * dim] };
    for (i, query) in batch.queries.rows().enumerate() {
        let barred = |j: usize| {
            let same_query = j < n && batch.query_ids[j] == batch.query_ids[i];
            j != i && (same_query || batch.passage_ids[j] == batch.passage_ids[i])
        };
        let cosine = |passage: &[f32]| query.iter().zip(passage).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let logits = passages.rows().enumerate().map(|(j, passage)| match barred(j) {
            true => f64::NEG_INFINITY,
            false => scale * cosine(passage),
        });
        let logits: Vec<f64> = logits.collect();
        let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logits.iter().map(|logit| (logit - highest).exp()).sum();
        slopes.loss += (highest + total.ln() - logits[i]) / n as f64;
        let of_query = &mut slopes.queries[i * dim..(i + 1) * dim];
        for (j, passage) in passages.rows().enumerate() {
            let share = (logits[j] - highest).exp() / total - f64::from(u8::from(i == j));
            let slope = (share * scale / n as f64) as f32;
            let of_passage = &mut slopes.passages[j * dim..(j + 1) * dim];
            for ((q, d_q), (p, d_p)) in
                query.iter().zip(of_query.iter_mut()).zip(passage.iter().zip(of_passage))
            {
                *d_q += slope * p;
                *d_p += slope * q;
            }
        }
    }
    Ok(slopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Embeddings;

    fn batch<'a>(q: &[f32], p: &[f32], query_ids: &'a [usize], passage_ids: &'a [usize]) -> Batch<'a> {
        let vectors = |v: &[f32]| Embeddings::new(v.to_vec(), 3).unwrap();
        Batch { pairs: &[0, 1], queries: vectors(q), passages: Some(vectors(p)), query_ids, passage_ids }
    }

    const Q: [f32; 6] = [0.6, 0.8, 0.0, 0.0, 0.6, 0.8];
    const P: [f32; 9] = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];

    #[test]
    fn slopes_are_those_of_the_loss() {
        let found = ranking(5.0, &batch(&Q, &P, &[0, 1], &[0, 1, 2])).unwrap();
        for i in 0..6 {
            let moved = |by: f32| {
                let mut q = Q;
                q[i] += by;
                ranking(5.0, &batch(&q, &P, &[0, 1], &[0, 1, 2])).unwrap().loss
            };
            let slope = (moved(1e-3) - moved(-1e-3)) / 2e-3;
            assert!((slope - f64::from(found.queries[i])).abs() < 1e-4, "{slope} {:?}", found.queries);
        }
        for i in 0..9 {
            let moved = |by: f32| {
                let mut p = P;
                p[i] += by;
                ranking(5.0, &batch(&Q, &p, &[0, 1], &[0, 1, 2])).unwrap().loss
            };
            let slope = (moved(1e-3) - moved(-1e-3)) / 2e-3;
            assert!((slope - f64::from(found.passages[i])).abs() < 1e-4, "{slope} {:?}", found.passages);
        }
    }

    #[test]
    fn an_equal_passage_and_the_answer_to_an_equal_query_are_no_negatives() {
        let same_query = ranking(5.0, &batch(&Q, &P, &[0, 0], &[0, 1, 0])).unwrap();
        let alone = |q: [f32; 3], p: &[f32]| (q, p.to_vec());
        let (_, own) = alone([0.6, 0.8, 0.0], &P[..3]);
        assert_eq!(own, [1.0, 0.0, 0.0]);
        let second = (5.0 * 0.8f64, 5.0 * 0.6f64); // of the second query: its own passage, and the negative
        let expected = (((second.0).exp() + (second.1).exp()).ln() - second.0) / 2.0;
        assert!((same_query.loss - expected).abs() < 1e-6, "{} {expected}", same_query.loss);
    }
}
