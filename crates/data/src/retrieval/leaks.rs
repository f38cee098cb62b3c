use super::TextPairs;
use super::shingles::{resembles, shingles, words};
use crate::Split;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};

/// What validation and test pairs share with the parts before them; all zero where nothing leaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakReport {
    /// Documents whose pairs stand in more than one part.
    pub documents: usize,
    /// Passages of a part that stand in an earlier one.
    pub passages: Repeats,
    /// Queries of a part that stand in an earlier one.
    pub queries: Repeats,
}

/// Texts that stand in an earlier part as well; of training, validation and test, in that order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// With the same words, case and punctuation aside.
    pub exact: usize,
    /// With at least four fifths of their runs of three words in common, and not the same.
    pub near: usize,
}

/// What two texts must have in common to be nearly the same.
const LEAST: f64 = 0.8;

impl LeakReport {
    /// Looks for texts and documents of `pairs` that stand in more than one part of `split`.
    pub fn of(pairs: &TextPairs, split: &Split) -> Self {
        let parts = [&split.train, &split.val, &split.test];
        let groups = parts.map(|rows| rows.iter().map(|&row| pairs.groups[row]).collect::<BTreeSet<_>>());
        let [train, val, test] = &groups;
        let documents = val.intersection(train).chain(test.intersection(train)).chain(test.intersection(val));
        let passages = parts.map(|rows| {
            let held: BTreeSet<usize> = rows.iter().map(|&row| pairs.positive[row]).collect();
            held.into_iter().map(|passage| pairs.passages[passage].as_str()).collect::<Vec<_>>()
        });
        let queries =
            parts.map(|rows| rows.iter().map(|&row| pairs.queries[row].as_str()).collect::<Vec<_>>());
        Self {
            documents: documents.collect::<BTreeSet<_>>().len(),
            passages: repeats(&passages),
            queries: repeats(&queries),
        }
    }

    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

fn repeats(parts: &[Vec<&str>; 3]) -> Repeats {
    let mut found = Repeats::default();
    let (mut seen, mut known) = (HashSet::new(), Vec::new());
    for part in parts {
        let plain: Vec<String> = part.iter().map(|text| words(text).join(" ")).collect();
        let sets: Vec<Vec<u64>> = part.iter().map(|text| shingles(text)).collect();
        let near = if known.is_empty() { vec![false; sets.len()] } else { resembles(&known, &sets, LEAST) };
        for (text, near) in plain.iter().zip(near) {
            match seen.contains(text) {
                true => found.exact += 1,
                false => found.near += usize::from(near),
            }
        }
        seen.extend(plain);
        known.extend(sets);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "the quick brown fox jumps over the lazy dog and then it runs far away";

    fn pairs(rows: &[(&str, &str)]) -> TextPairs {
        let of = |i: usize| rows.iter().map(|r| Some([r.0, r.1][i].to_string())).collect();
        TextPairs::of_columns(of(0), of(1), None, None)
    }

    #[test]
    fn equal_and_nearly_equal_texts_of_other_parts_are_counted() {
        let near = LONG.replace("away", "off");
        let shout = LONG.to_uppercase() + "!";
        let pairs = pairs(&[("a b c", LONG), ("A, b c?", "x"), ("d", &near), ("e", &shout), ("f", "y")]);
        let split = Split { train: vec![0], val: vec![1, 2], test: vec![3, 4] };
        let leaks = LeakReport::of(&pairs, &split);
        assert_eq!(leaks.passages, Repeats { exact: 1, near: 1 });
        assert_eq!(leaks.queries, Repeats { exact: 1, near: 0 });
        assert_eq!(leaks.documents, 1); // whose pairs share a query, or a passage, word for word
    }

    #[test]
    fn a_passage_in_two_parts_is_a_document_in_two() {
        let pairs = pairs(&[("a", LONG), ("b", LONG), ("c", "x")]);
        let split = Split { train: vec![0, 2], val: vec![], test: vec![1] };
        let leaks = LeakReport::of(&pairs, &split);
        assert_eq!((leaks.documents, leaks.passages.exact), (1, 1));
        assert!(!leaks.is_clean());
    }
}
