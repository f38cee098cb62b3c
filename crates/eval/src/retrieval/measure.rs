use std::fmt;

/// A measure of one query's ranking, cut off after the first documents: equal to that of sentence-transformers'
/// `InformationRetrievalEvaluator`. All lie in 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetrievalMeasure {
    /// 1 when any of the first documents is relevant.
    Accuracy(usize),
    /// Relevant ones among the first documents, over the cutoff.
    Precision(usize),
    /// Relevant ones among the first documents, over all relevant ones.
    Recall(usize),
    /// One over the rank of the first relevant document; 0 when it lies beyond the cutoff.
    Mrr(usize),
    /// Discounted gain with weights `1 / log2(rank + 1)`, over that of the best order.
    Ndcg(usize),
    /// Precision at the rank of each relevant document, averaged over as many as could be found.
    Map(usize),
}

use RetrievalMeasure::{Accuracy, Map, Mrr, Ndcg, Precision, Recall};

impl RetrievalMeasure {
    /// The usual fifteen: accuracy, precision and recall at 1, 3, 5 and 10, MRR@10, nDCG@10, MAP@100.
    pub const USUAL: [Self; 15] = [
        Accuracy(1),
        Accuracy(3),
        Accuracy(5),
        Accuracy(10),
        Precision(1),
        Precision(3),
        Precision(5),
        Precision(10),
        Recall(1),
        Recall(3),
        Recall(5),
        Recall(10),
        Mrr(10),
        Ndcg(10),
        Map(100),
    ];

    /// How many of the first documents count.
    pub fn cutoff(self) -> usize {
        match self {
            Accuracy(k) | Precision(k) | Recall(k) | Mrr(k) | Ndcg(k) | Map(k) => k,
        }
    }

    /// Of a query with `relevant` relevant documents, found at these `ranks` (from 1, ascending).
    pub(super) fn of(self, ranks: &[usize], relevant: usize) -> f64 {
        let cutoff = self.cutoff();
        let ranks = &ranks[..ranks.partition_point(|&rank| rank <= cutoff)];
        let found = ranks.len() as f64;
        let most = cutoff.min(relevant);
        match self {
            Accuracy(_) => found.min(1.0),
            Precision(_) => found / cutoff as f64,
            Recall(_) => found / relevant as f64,
            Mrr(_) => ranks.first().map_or(0.0, |&rank| 1.0 / rank as f64),
            Ndcg(_) => {
                ranks.iter().copied().map(discount).sum::<f64>() / (1..=most).map(discount).sum::<f64>()
            }
            Map(_) => {
                ranks.iter().zip(1..).map(|(&rank, n)| f64::from(n) / rank as f64).sum::<f64>() / most as f64
            }
        }
    }
}

fn discount(rank: usize) -> f64 {
    1.0 / ((rank + 1) as f64).log2()
}

impl fmt::Display for RetrievalMeasure {
    /// As sentence-transformers names them: `ndcg@10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Accuracy(_) => "accuracy",
            Precision(_) => "precision",
            Recall(_) => "recall",
            Mrr(_) => "mrr",
            Ndcg(_) => "ndcg",
            Map(_) => "map",
        };
        write!(f, "{name}@{}", self.cutoff())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_of_a_query_found_at_ranks_2_and_4_of_three() {
        let of = |measure: RetrievalMeasure| measure.of(&[2, 4], 3);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a}, expected {b}");
        near(of(Accuracy(1)), 0.0);
        near(of(Accuracy(3)), 1.0);
        near(of(Precision(5)), 0.4);
        near(of(Recall(3)), 1.0 / 3.0);
        near(of(Mrr(10)), 0.5);
        near(of(Map(100)), (0.5 + 0.5) / 3.0);
        near(of(Map(2)), 0.25);
        let ideal = 1.0 + 1.0 / 3f64.log2() + 0.5;
        near(of(Ndcg(10)), (1.0 / 3f64.log2() + 1.0 / 5f64.log2()) / ideal);
    }

    #[test]
    fn a_perfect_ranking_scores_one_and_an_empty_one_zero() {
        for measure in RetrievalMeasure::USUAL {
            let perfect: Vec<usize> = (1..=10).collect();
            let expected = if let Recall(k) = measure { k as f64 / 10.0 } else { 1.0 };
            assert!((measure.of(&perfect, 10) - expected).abs() < 1e-15, "{measure}");
            assert_eq!(measure.of(&[], 10), 0.0, "{measure}");
        }
    }
}
