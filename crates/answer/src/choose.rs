use crate::Span;
use std::ops::Range;

/// The `k` best of `scores`, the best first; of equals the earlier.
///
/// ```
/// assert_eq!(manyview_answer::best(&[0.2, 0.9, 0.9, 0.1], 3), [1, 2, 0]);
/// ```
pub fn best(scores: &[f32], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order.truncate(k);
    order
}

/// As many of `chosen` as have no more than `words` words together, the first of them always, in the order of the text.
pub fn in_order(text: &str, spans: &[Span], chosen: &[usize], words: usize) -> Vec<usize> {
    let mut left = words;
    let mut kept = Vec::new();
    for &i in chosen {
        let own = spans.get(i).map_or(0, |span| count(text, &span.bytes));
        if kept.is_empty() || own <= left {
            left = left.saturating_sub(own);
            kept.push(i);
        }
    }
    kept.sort_unstable();
    kept
}

/// The spans around span `at`: neighbours of its paragraph, the better first, while they have no more than `words`
/// words together. The whole paragraph where it is short enough.
pub fn section(text: &str, spans: &[Span], scores: &[f32], at: usize, words: usize) -> Range<usize> {
    let Some(centre) = spans.get(at) else { return at..at };
    let mut left = words.saturating_sub(count(text, &centre.bytes));
    let mut range = at..at + 1;
    let fits = |i: Option<usize>, left: usize| {
        let i = i?;
        let span = spans.get(i).filter(|span| span.paragraph == centre.paragraph)?;
        let own = count(text, &span.bytes);
        (own <= left).then(|| (i, own, scores.get(i).copied().unwrap_or(f32::MIN)))
    };
    loop {
        let (above, below) = (fits(range.start.checked_sub(1), left), fits(Some(range.end), left));
        let next = match (above, below) {
            (Some(above), Some(below)) => {
                if above.2 > below.2 {
                    above
                } else {
                    below
                }
            }
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => return range,
        };
        left -= next.1;
        range = range.start.min(next.0)..range.end.max(next.0 + 1);
    }
}

fn count(text: &str, bytes: &Range<usize>) -> usize {
    text.get(bytes.clone()).unwrap_or_default().split_whitespace().count()
}
