//! Which passages are false negatives of a query: they answer it, though it was not matched with them.
use manyview_core::{Embeddings, QueryPassagePairs};
use std::collections::HashMap;

/// Passages that say the same, and queries that ask the same.
pub(super) struct FalseNegativeMask {
    /// The set of each passage: those with equal vectors or of one group.
    passage: Vec<usize>,
    /// The passages of each set, ascending.
    members: Vec<Vec<usize>>,
    /// The set of each query: those with equal vectors.
    query: Vec<usize>,
    /// The positives of each set of queries, ascending.
    answers: Vec<Vec<usize>>,
}

impl FalseNegativeMask {
    pub(super) fn new(data: &QueryPassagePairs) -> Self {
        let (query, n) = dense(&equal(data.queries()));
        let mut answers = vec![Vec::new(); n];
        for (set, positive) in query.iter().zip(data.positive()) {
            if let Some(answers) = answers.get_mut(*set) {
                answers.push(*positive);
            }
        }
        answers.iter_mut().for_each(|a: &mut Vec<usize>| {
            a.sort_unstable();
            a.dedup();
        });
        let equal = equal(data.passages());
        let (passage, m) =
            dense(&data.groups().map_or_else(|| equal.clone(), |groups| merged(groups, &equal)));
        let mut members = vec![Vec::new(); m];
        for (p, set) in passage.iter().enumerate() {
            if let Some(members) = members.get_mut(*set) {
                members.push(p);
            }
        }
        Self { passage, members, query, answers }
    }

    /// Whether `passage` is no negative of `query`, whose positive is `positive`.
    pub(super) fn masks(&self, query: usize, positive: usize, passage: usize) -> bool {
        let known = self.query.get(query).and_then(|set| self.answers.get(*set));
        self.passage.get(passage) == self.passage.get(positive)
            || known.is_some_and(|answers| answers.binary_search(&passage).is_ok())
    }

    /// All passages that are no negatives of `query`, ascending.
    pub(super) fn masked(&self, query: usize, positive: usize) -> Vec<usize> {
        let same = self.passage.get(positive).and_then(|set| self.members.get(*set));
        let known = self.query.get(query).and_then(|set| self.answers.get(*set));
        let mut all: Vec<usize> = same.into_iter().chain(known).flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// For each row the first that equals it.
fn equal(x: &Embeddings) -> Vec<usize> {
    let mut first = HashMap::with_capacity(x.n());
    let bits = |row: &[f32]| row.iter().map(|v| (v + 0.0).to_bits()).collect::<Vec<u32>>(); // −0 is 0
    let rows = x.rows().enumerate();
    rows.map(|(i, row)| {
        let hash: [u8; 32] = {
            let mut hasher = blake3::Hasher::new();
            bits(row).iter().for_each(|b| {
                hasher.update(&b.to_le_bytes());
            });
            hasher.finalize().into()
        };
        *first.entry(hash).or_insert(i)
    })
    .collect()
}

/// Sets that hold both the rows of one group and the rows that equal each other.
fn merged(groups: &[usize], equal: &[usize]) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..groups.len()).collect();
    let mut first = HashMap::new();
    for (i, (group, same)) in groups.iter().zip(equal).enumerate() {
        let of_group = *first.entry(*group).or_insert(i);
        for other in [of_group, *same] {
            let (a, b) = (root(&mut parent, i), root(&mut parent, other));
            if let Some(p) = parent.get_mut(a.max(b)) {
                *p = a.min(b);
            }
        }
    }
    (0..groups.len()).map(|i| root(&mut parent, i)).collect()
}

/// The representative of `i`; what lies on the way points nearer to it afterwards.
fn root(parent: &mut [usize], mut i: usize) -> usize {
    while let Some(p) = parent.get(i).copied().filter(|p| *p != i) {
        let above = parent.get(p).copied().unwrap_or(p);
        if let Some(at) = parent.get_mut(i) {
            *at = above;
        }
        i = above;
    }
    i
}

/// Sets numbered from 0 in order of appearance, and how many there are.
fn dense(sets: &[usize]) -> (Vec<usize>, usize) {
    let mut numbers = HashMap::new();
    let of = sets.iter().map(|set| {
        let next = numbers.len();
        *numbers.entry(*set).or_insert(next)
    });
    (of.collect(), numbers.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six passages: 1 and 4 are equal; four queries: 0 and 3 are equal.
    fn matched() -> QueryPassagePairs {
        let rows = |values: &[f32]| Embeddings::from_rows(values.iter().map(|v| [*v, 1.0])).unwrap();
        let (queries, passages) = (rows(&[0.0, 1.0, 2.0, -0.0]), rows(&[0.0, 1.0, 2.0, 3.0, 1.0, 5.0]));
        QueryPassagePairs::new(queries, passages, vec![0, 1, 2, 5]).unwrap()
    }

    #[test]
    fn equal_passages_and_other_answers_to_an_equal_query_are_masked() {
        let mask = FalseNegativeMask::new(&matched());
        assert_eq!(mask.masked(0, 0), [0, 5]);
        assert_eq!(mask.masked(1, 1), [1, 4]);
        assert_eq!(mask.masked(2, 2), [2]);
        assert_eq!(mask.masked(3, 5), [0, 5]);
    }

    #[test]
    fn a_group_masks_its_own_and_all_that_equals_one_of_them() {
        let mask = FalseNegativeMask::new(&matched().with_groups(vec![7, 7, 0, 1, 2, 3]).unwrap());
        assert_eq!(mask.masked(1, 1), [0, 1, 4]);
        assert_eq!(mask.masked(2, 2), [2]);
        let chained = FalseNegativeMask::new(&matched().with_groups(vec![7, 7, 9, 9, 9, 3]).unwrap());
        assert_eq!(chained.masked(2, 2), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn one_question_and_the_whole_list_agree() {
        let mask = FalseNegativeMask::new(&matched().with_groups(vec![7, 7, 0, 0, 2, 3]).unwrap());
        for (query, positive) in matched().positive().iter().enumerate() {
            let asked: Vec<usize> = (0..6).filter(|p| mask.masks(query, *positive, *p)).collect();
            assert_eq!(asked, mask.masked(query, *positive));
        }
    }
}
