//! ROUGE-L of summaries, as the Python package `rouge-score` counts it with its stemmer.

mod porter;
mod subsequence;
mod words;

use std::collections::{HashMap, HashSet};
use subsequence::{common_length, common_places};
use words::words;

/// Overlap of a written text with a reference.
///
/// Words are runs of `a`–`z` and digits, so an accented letter splits a word and a text in another script scores 0:
/// [`Rouge::sees`] tells such texts.
///
/// ```
/// use manyview_eval::Rouge;
///
/// let rouge = Rouge::l("the cats sat on a mat", &["The cat sits on the mat."]);
/// assert_eq!((rouge.precision, rouge.recall), (4.0 / 6.0, 4.0 / 6.0)); // the, cat, on, mat
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rouge {
    /// The share of the text's words that are matched.
    pub precision: f64,
    /// The share of the reference's words that are matched.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

impl Rouge {
    /// ROUGE-L: the longest common subsequence of all words. Of several references the one with the best F1 counts, the
    /// first of equals.
    pub fn l<S: AsRef<str>>(text: &str, references: &[S]) -> Self {
        let found = words(text);
        best(references, |reference| {
            let expected = words(reference);
            Self::of(common_length(&expected, &found), expected.len(), found.len())
        })
    }

    /// ROUGE-Lsum: sentences are lines; for each line of the reference, the union of its longest common subsequences with
    /// all lines of the text. Of several references the one with the best F1 counts.
    pub fn l_sum<S: AsRef<str>>(text: &str, references: &[S]) -> Self {
        let found = lines(text);
        best(references, |reference| summary(&lines(reference), &found))
    }

    /// Whether a text has a word that ROUGE counts.
    pub fn sees(text: &str) -> bool {
        !words(text).is_empty()
    }

    fn of(matched: usize, expected: usize, found: usize) -> Self {
        if expected == 0 || found == 0 {
            return Self::default();
        }
        let (precision, recall) = (matched as f64 / found as f64, matched as f64 / expected as f64);
        let f1 = if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
        Self { precision, recall, f1 }
    }
}

fn best<S: AsRef<str>>(references: &[S], score: impl Fn(&str) -> Rouge) -> Rouge {
    let scores = references.iter().map(|reference| score(reference.as_ref()));
    scores.reduce(|best, other| if other.f1 > best.f1 { other } else { best }).unwrap_or_default()
}

fn lines(text: &str) -> Vec<Vec<String>> {
    text.split('\n').filter(|line| !line.is_empty()).map(words).collect()
}

/// Each word of the text is matched at most as often as it stands in it.
fn summary(expected: &[Vec<String>], found: &[Vec<String>]) -> Rouge {
    let mut left_expected = counts(expected);
    let mut left_found = counts(found);
    let mut matched = 0;
    for line in expected {
        let mut union: Vec<usize> = found
            .iter()
            .flat_map(|other| common_places(line, other))
            .collect::<HashSet<_>>()
            .into_iter()
            .collect();
        union.sort_unstable();
        for word in union.iter().filter_map(|&place| line.get(place)) {
            let (expected, found) = (left_expected.get_mut(word), left_found.get_mut(word));
            if let (Some(expected), Some(found)) = (expected, found)
                && *expected > 0
                && *found > 0
            {
                *expected -= 1;
                *found -= 1;
                matched += 1;
            }
        }
    }
    let total = |lines: &[Vec<String>]| lines.iter().map(Vec::len).sum();
    Rouge::of(matched, total(expected), total(found))
}

fn counts(lines: &[Vec<String>]) -> HashMap<&String, usize> {
    let mut counts = HashMap::new();
    lines.iter().flatten().for_each(|word| *counts.entry(word).or_default() += 1);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_other_scripts_score_nothing() {
        for (text, reference) in [("", "a word"), ("a word", ""), ("", ""), ("новости", "новости")]
        {
            assert_eq!(Rouge::l(text, &[reference]), Rouge::default());
            assert_eq!(Rouge::l_sum(text, &[reference]), Rouge::default());
        }
        assert_eq!(Rouge::l::<&str>("a", &[]), Rouge::default());
        assert!(!Rouge::sees("новости") && Rouge::sees("é1"));
    }

    #[test]
    fn lines_in_another_order_match_line_by_line_only() {
        let (text, reference) = ("one two three\nfour five six", "four five six\none two three");
        assert_eq!(Rouge::l(text, &[reference]).f1, 0.5);
        assert_eq!(Rouge::l_sum(text, &[reference]).f1, 1.0);
    }
}
