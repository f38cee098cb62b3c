/// Sorts texts of these lengths (in tokens) into batches of at most `budget` tokens, a longer text alone: indices into
/// the texts, shortest first. Those that several `streams` take last are smaller, down to an eighth, so that all end at
/// about the same time.
///
/// Texts of equal length stand together and keep their order, so that attention has few groups. Texts of different
/// `kinds` are never in one batch.
pub(crate) fn batches(lengths: &[usize], kinds: &[usize], budget: usize, streams: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&i| (kinds[i], lengths[i]));
    let least = if streams > 1 { budget / 8 } else { budget };
    let (mut all, mut batch, mut tokens, mut after) = (Vec::new(), Vec::new(), 0, 0);
    for i in order {
        let room = (after / streams.max(1)).clamp(least, budget);
        let full = |&last: &usize| kinds[last] != kinds[i] || tokens + lengths[i] > room;
        if batch.last().is_some_and(full) {
            all.push(std::mem::take(&mut batch));
            after += std::mem::take(&mut tokens);
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

/// Texts to read before others, by what they seem to be long: indices, the longest first, with about `tokens` tokens in
/// each window if a token is four bytes and no text has more than `most` tokens. Neighbours in a window are of like length.
pub(crate) fn windows(texts: &[&str], most: usize, tokens: usize) -> Vec<Vec<usize>> {
    let guess = |i: usize| (texts[i].len() / 4 + 1).min(most);
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(texts[i].len()));
    let (mut all, mut rest) = (Vec::new(), order.as_slice());
    while !rest.is_empty() {
        let mut sum = 0;
        let before = rest.iter().take_while(|&&i| {
            let room = sum < tokens;
            sum += guess(i);
            room
        });
        let (window, others) = rest.split_at(before.count().max(1));
        all.push(window.to_vec());
        rest = others;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_is_in_one_batch_within_the_budget(
            texts in prop::collection::vec((1usize..50, 0usize..3), 0..80), budget in 1usize..120,
            streams in 0usize..5
        ) {
            let (lengths, kinds): (Vec<usize>, Vec<usize>) = texts.into_iter().unzip();
            let all = batches(&lengths, &kinds, budget, streams);
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
    fn the_last_batches_are_small_and_the_others_full() {
        let sizes =
            |streams| batches(&[10; 100], &[0; 100], 80, streams).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(4), [3, 8, 8, 8, 8, 8, 8, 8, 8, 6, 5, 4, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(sizes(1), [4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8]);
    }

    #[test]
    fn windows_hold_every_text_once_the_longest_first() {
        let texts: Vec<String> = [3, 90, 40, 41, 900, 0, 3].iter().map(|&n| "x".repeat(n)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(windows(&texts, 50, 60), [vec![4, 1], vec![3, 2, 0, 6, 5]]);
        assert_eq!(windows(&texts, 50, 0).len(), texts.len());
        assert_eq!(windows(&[], 50, 60).len(), 0);
    }
}
