/// The documents that may be among the best `k`, judged by scores that are off by at most half of `slack`.
pub(super) struct Selection {
    k: usize,
    slack: f32,
    bound: f32,
    kept: Vec<(f32, usize)>,
}

impl Selection {
    pub(super) fn new(k: usize, slack: f32) -> Self {
        Self { k, slack, bound: f32::NEG_INFINITY, kept: Vec::new() }
    }

    /// Offers the scores of the documents from row `first` on.
    pub(super) fn offer(&mut self, first: usize, scores: &[f32]) {
        let candidates = scores.iter().zip(first..).filter(|(score, _)| **score >= self.bound);
        self.kept.extend(candidates.map(|(score, document)| (*score, document)));
        if self.kept.len() > self.k {
            let (_, kth, _) = self.kept.select_nth_unstable_by(self.k - 1, |a, b| b.0.total_cmp(&a.0));
            self.bound = kth.0 - self.slack;
            self.kept.retain(|(score, _)| *score >= self.bound);
        }
    }

    pub(super) fn documents(self) -> impl Iterator<Item = usize> {
        self.kept.into_iter().map(|(_, document)| document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(k: usize, slack: f32, chunks: &[&[f32]]) -> Vec<usize> {
        let mut selection = Selection::new(k, slack);
        let mut first = 0;
        for scores in chunks {
            selection.offer(first, scores);
            first += scores.len();
        }
        let mut documents: Vec<usize> = selection.documents().collect();
        documents.sort_unstable();
        documents
    }

    #[test]
    fn whatever_lies_within_the_slack_of_the_best_k_is_kept() {
        assert_eq!(selected(2, 0.0, &[&[0.1, 0.9, 0.5], &[0.3, 0.6]]), [1, 4]);
        assert_eq!(selected(2, 0.125, &[&[0.1, 0.9, 0.5], &[0.3, 0.6]]), [1, 2, 4]);
        assert_eq!(selected(9, 0.0, &[&[0.1, 0.9], &[0.3]]), [0, 1, 2]);
    }

    #[test]
    fn ties_at_the_bound_are_all_kept() {
        assert_eq!(selected(1, 0.0, &[&[0.5, 0.5], &[0.5, 0.4]]), [0, 1, 2]);
    }
}
