use super::{EmbeddedBatch, Objective, beside};
use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use manyview_core::{Error, Result};

/// Far below any logit, and finite, so that no gradient is 0 · ∞.
const MASKED: f32 = -1e9;

/// Multiple negatives ranking (Henderson et al., 2017): cross-entropy of each query's passage among all passages of
/// the batch, with logits `scale` times the cosine. Passages equal to the query's own, and answers to an equal query,
/// are not negatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultipleNegativesRanking {
    /// Factor of the cosines, the inverse of a temperature.
    pub scale: f64,
}

impl Objective for MultipleNegativesRanking {
    fn name(&self) -> String {
        format!("ranking, scale {}", self.scale)
    }

    /// # Errors
    /// Single texts.
    fn loss(&self, batch: &EmbeddedBatch<'_>) -> Result<Tensor<1>> {
        let none = || Error::Empty { what: "passages to rank".into() };
        let passages = batch.passages.as_ref().ok_or_else(none)?;
        let [n, m] = [batch.queries.dims()[0], passages.dims()[0]];
        let is_masked = |i: usize, j: usize| {
            let same_query = j < n && batch.query_ids[j] == batch.query_ids[i];
            j != i && (same_query || batch.passage_ids[j] == batch.passage_ids[i])
        };
        let table = |value: &dyn Fn(usize, usize) -> f32| {
            let values = (0..n).flat_map(|i| (0..m).map(move |j| (i, j)));
            beside(&batch.queries, values.map(|(i, j)| value(i, j)).collect(), [n, m])
        };
        let mask = table(&|i, j| if is_masked(i, j) { MASKED } else { 0.0 });
        let own = table(&|i, j| f32::from(u8::from(i == j)));
        let logits = batch.queries.clone().matmul(passages.clone().transpose()) * self.scale + mask; // [batch, candidates]
        Ok((log_softmax(logits, 1) * own).sum().neg() / n as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_gradients;
    use super::*;

    const Q: [f32; 6] = [0.6, 0.8, 0.0, 0.0, 0.6, 0.8];
    const P: [f32; 9] = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];

    fn found(q: &[f32], p: &[f32], query_ids: &[usize], passage_ids: &[usize]) -> (f64, [Vec<f32>; 2]) {
        with_gradients([q, p], 3, |queries, passages| {
            let passages = Some(passages);
            let batch = EmbeddedBatch { examples: &[0, 1], queries, passages, query_ids, passage_ids };
            MultipleNegativesRanking { scale: 5.0 }.loss(&batch).unwrap()
        })
    }

    #[test]
    fn gradients_are_those_of_the_loss() {
        let (_, gradients) = found(&Q, &P, &[0, 1], &[0, 1, 2]);
        for (side, n) in [(0, 6), (1, 9)] {
            for i in 0..n {
                let moved = |by: f32| {
                    let mut rows = [Q.to_vec(), P.to_vec()];
                    rows[side][i] += by;
                    found(&rows[0], &rows[1], &[0, 1], &[0, 1, 2]).0
                };
                let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                let gradient = f64::from(gradients[side][i]);
                assert!((gradient - expected).abs() < 1e-3, "{side} {i}: {gradient} {expected}");
            }
        }
    }

    #[test]
    fn an_equal_passage_and_the_answer_to_an_equal_query_are_no_negatives() {
        let (loss, [_, passages]) = found(&Q, &P, &[0, 0], &[0, 1, 0]);
        let (own, negative) = (5.0 * 0.8f64, 5.0 * 0.6f64); // of the second query; the first has no negative
        let expected = ((own.exp() + negative.exp()).ln() - own) / 2.0;
        assert!((loss - expected).abs() < 1e-5, "{loss} {expected}");
        assert!(passages.iter().all(|g| g.is_finite()), "{passages:?}");
        assert!(passages[..3].iter().all(|g| *g == 0.0), "{passages:?}"); // nothing pulls at the first
    }
}
