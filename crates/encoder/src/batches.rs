/// Texts that go through the model together: indices into the texts, shortest first.
pub(crate) type Batch = Vec<usize>;

/// Sorts texts of these lengths (in tokens) into batches of at most `budget` tokens, a longer text alone.
///
/// Texts of equal length stand together and keep their order, so that attention has few groups. Texts of different
/// `kinds` are never in one batch.
pub(crate) fn batches(lengths: &[usize], kinds: &[usize], budget: usize) -> Vec<Batch> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&i| (kinds[i], lengths[i]));
    let (mut all, mut batch, mut tokens) = (Vec::new(), Vec::new(), 0);
    for i in order {
        let full = |&last: &usize| kinds[last] != kinds[i] || tokens + lengths[i] > budget;
        if batch.last().is_some_and(full) {
            all.push(std::mem::take(&mut batch));
            tokens = 0;
        }
        tokens += lengths[i];
        batch.push(i);
    }
    if !batch.is_empty() {
        all.push(batch);
    }
    all.reverse(); // the longest first: the last to finish is short
    all
}

/// Runs of equal lengths: (first text, first token, texts, tokens of each).
pub(crate) fn runs(lengths: &[usize]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut token = 0;
    for &length in lengths {
        match runs.last_mut() {
            Some(run) if run.length == length => run.texts += 1,
            _ => runs.push(Run { token, texts: 1, length }),
        }
        token += length;
    }
    runs
}

/// Neighbouring texts of equal length in a packed batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Where its first token stands.
    pub(crate) token: usize,
    /// Number of texts.
    pub(crate) texts: usize,
    /// Tokens of each.
    pub(crate) length: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_is_in_one_batch_within_the_budget(
            texts in prop::collection::vec((1usize..50, 0usize..3), 0..80), budget in 1usize..120
        ) {
            let (lengths, kinds): (Vec<usize>, Vec<usize>) = texts.into_iter().unzip();
            let all = batches(&lengths, &kinds, budget);
            let mut seen: Vec<usize> = all.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for batch in &all {
                let tokens: usize = batch.iter().map(|&i| lengths[i]).sum();
                prop_assert!(batch.len() == 1 || tokens <= budget);
                prop_assert!(batch.iter().all(|&i| kinds[i] == kinds[batch[0]]));
                prop_assert!(batch.is_sorted_by_key(|&i| lengths[i]));
            }
        }
    }

    #[test]
    fn equal_neighbours_make_one_run() {
        let found = runs(&[2, 2, 3]);
        assert_eq!(found, [Run { token: 0, texts: 2, length: 2 }, Run { token: 4, texts: 1, length: 3 }]);
    }
}
