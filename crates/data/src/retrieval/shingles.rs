use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Words a shingle.
const WORDS: usize = 3;

/// The runs of three words of a text, each once; the text as a whole where it has fewer. Case and punctuation do not
/// count.
pub(super) fn shingles(text: &str) -> Vec<u64> {
    let words = words(text);
    let hash = |run: &[String]| {
        let mut hasher = DefaultHasher::new();
        run.hash(&mut hasher);
        hasher.finish()
    };
    let mut found: Vec<u64> = match words.len() {
        0 => Vec::new(),
        n if n < WORDS => vec![hash(&words)],
        _ => words.windows(WORDS).map(hash).collect(),
    };
    found.sort_unstable();
    found.dedup();
    found
}

/// The words of a text in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// Whether each of `new` shares with one of `known` at least `least` of all shingles the two have (Jaccard's index).
///
/// Exact, and fast: sets that alike share one of their rarest shingles, so only those are looked up.
pub(super) fn resembles(known: &[Vec<u64>], new: &[Vec<u64>], least: f64) -> Vec<bool> {
    let mut frequency: HashMap<u64, usize> = HashMap::new();
    known.iter().flatten().for_each(|s| *frequency.entry(*s).or_default() += 1);
    let rarest = |set: &Vec<u64>| -> Vec<u64> {
        let mut order = set.clone();
        order.sort_unstable_by_key(|s| (frequency.get(s).copied().unwrap_or(0), *s));
        order.truncate(
            set.len() + 1 - ((least * set.len() as f64 - 1e-9).ceil() as usize).clamp(1, set.len().max(1)),
        );
        order
    };
    let mut index: HashMap<u64, Vec<usize>> = HashMap::new();
    for (row, set) in known.iter().enumerate() {
        rarest(set).into_iter().for_each(|s| index.entry(s).or_default().push(row));
    }
    let alike = |set: &Vec<u64>| {
        let candidates: HashSet<usize> =
            rarest(set).iter().filter_map(|s| index.get(s)).flatten().copied().collect();
        candidates.into_iter().any(|row| known.get(row).is_some_and(|k| jaccard(k, set) >= least))
    };
    new.iter().map(alike).collect()
}

/// Of two sorted sets.
fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let common = a.iter().filter(|s| b.binary_search(s).is_ok()).count();
    let all = a.len() + b.len() - common;
    if all == 0 { 0.0 } else { common as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_with_one_word_changed_at_its_end_resembles_and_another_does_not() {
        let long = "the quick brown fox jumps over the lazy dog and runs far away";
        let known = [shingles(long), shingles("yes")];
        let new =
            [long.replace("away", "off"), "Yes!".into(), "a different text altogether".into(), "".into()];
        let new: Vec<_> = new.iter().map(|t| shingles(t)).collect();
        assert_eq!(resembles(&known, &new, 0.8), [true, true, false, false]);
    }

    proptest! {
        #[test]
        fn looking_up_the_rarest_finds_what_comparing_all_does(
            known in prop::collection::vec(prop::collection::btree_set(0u64..30, 0..12), 0..12),
            new in prop::collection::vec(prop::collection::btree_set(0u64..30, 0..12), 0..12),
            least in 0.2f64..1.0,
        ) {
            let sets = |s: Vec<std::collections::BTreeSet<u64>>| -> Vec<Vec<u64>> {
                s.into_iter().map(|s| s.into_iter().collect()).collect()
            };
            let (known, new) = (sets(known), sets(new));
            let all: Vec<bool> =
                new.iter().map(|n| known.iter().any(|k| jaccard(k, n) >= least)).collect();
            prop_assert_eq!(resembles(&known, &new, least), all);
        }
    }
}
