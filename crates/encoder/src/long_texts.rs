//! Texts that are longer than the encoder reads: cut, or read in windows that overlap.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What becomes of a text that is longer than the encoder reads. Vectors of long texts depend on it, so it is part of
/// the fingerprint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongTexts {
    /// Its end is cut.
    #[default]
    Cut,
    /// It is read whole, in windows that overlap by an eighth: the mean of their vectors, weighted by their tokens.
    Windows,
}

impl LongTexts {
    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Windows => "windows",
        }
    }
}

/// The parts of a text to read one by one, from the bytes that each of its tokens stands for: windows of at most `room`
/// tokens and of like length, as few as there can be.
pub(crate) fn windows(tokens: &[Range<usize>], room: usize) -> Vec<Range<usize>> {
    let room = room.max(1);
    let overlap = room / 8;
    let n = tokens.len().saturating_sub(overlap).div_ceil(room - overlap).max(1);
    let size = (tokens.len() + (n - 1) * overlap).div_ceil(n);
    let window = |i: usize| {
        let first = i * size.saturating_sub(overlap);
        let last = (first + size).min(tokens.len());
        Some(tokens.get(first)?.start..tokens.get(last.checked_sub(1)?)?.end)
    };
    (0..n).filter_map(window).collect()
}

/// A part of a text, of whole characters.
pub(crate) fn part<'a>(text: &'a str, range: &Range<usize>) -> &'a str {
    let start = (0..=range.start).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let end = (range.end..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
    &text[start..end]
}

/// The mean of the rows of each text's parts, `[texts, dim]`, weighted by their tokens. `owners` are the texts of the
/// parts, in order.
pub(crate) fn weighted_means(
    rows: &[f32],
    dim: usize,
    owners: &[usize],
    tokens: &[usize],
    n: usize,
) -> Vec<f32> {
    let mut totals = vec![0usize; n];
    owners.iter().zip(tokens).for_each(|(&owner, &tokens)| totals[owner] += tokens);
    let mut means = vec![0f32; n * dim];
    for ((row, &owner), &tokens) in rows.chunks_exact(dim).zip(owners).zip(tokens) {
        let weight = tokens as f32 / totals[owner] as f32;
        let mean = &mut means[owner * dim..(owner + 1) * dim];
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_token_is_in_a_window_and_no_window_is_too_long(n in 1usize..3000, room in 1usize..600) {
            let tokens: Vec<Range<usize>> = (0..n).map(|i| 3 * i..3 * i + 2).collect();
            let found = windows(&tokens, room);
            let overlap = room / 8;
            prop_assert_eq!(found.len(), if n <= room { 1 } else { (n - overlap).div_ceil(room - overlap) });
            prop_assert_eq!(found[0].start, 0);
            prop_assert_eq!(found[found.len() - 1].end, 3 * (n - 1) + 2);
            for window in &found {
                prop_assert!(window.start < window.end && (window.end - window.start).div_ceil(3) <= room);
            }
            for pair in found.windows(2) {
                let shared = (pair[0].end + 1).saturating_sub(pair[1].start) / 3;
                prop_assert!(shared >= overlap && pair[1].end > pair[0].end, "{pair:?}");
            }
        }
    }

    #[test]
    fn means_are_weighted_by_tokens() {
        let rows = [1.0, 0.0, 0.0, 1.0, 5.0, 5.0];
        assert_eq!(weighted_means(&rows, 2, &[0, 0, 1], &[3, 1, 7], 2), [0.75, 0.25, 5.0, 5.0]);
    }
}
