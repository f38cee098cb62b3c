//! Agreement of clusters with classes, equal to scikit-learn's scores of the same names.

use serde::{Deserialize, Serialize};

use crate::contingency::{Contingency, Table};
use crate::error::{Result, at_least, same_length};
use crate::expected::Logarithms;

/// How pure the clusters are, how whole the classes, and the harmonic mean of both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VMeasure {
    /// 1 when each cluster holds one class only.
    pub homogeneity: f64,
    /// 1 when each class lies in one cluster only.
    pub completeness: f64,
    /// The harmonic mean of homogeneity and completeness.
    pub v_measure: f64,
}

/// Homogeneity, completeness and V-measure of the clusters `found`, `[n]`, against the classes `truth`, `[n]`.
///
/// # Errors
/// [`crate::Error::Length`] unless both have one length, [`crate::Error::Range`] when they are empty.
pub fn v_measure(truth: &[usize], found: &[usize]) -> Result<VMeasure> {
    let table = table(truth, found)?;
    Ok(table.v_measure(&Logarithms::up_to(table.total)))
}

/// Mutual information beyond chance over the most there could be (the arithmetic mean of the two entropies): about 0
/// for clusters by chance, 1 for a perfect match.
///
/// # Errors
/// As [`v_measure`].
pub fn adjusted_mutual_info(truth: &[usize], found: &[usize]) -> Result<f64> {
    let table = table(truth, found)?;
    Ok(table.adjusted_mutual_info(&Logarithms::up_to(table.total)))
}

/// Share of pairs of texts on which both labelings agree, beyond chance: about 0 for clusters by chance, 1 for a
/// perfect match.
///
/// # Errors
/// As [`v_measure`].
pub fn adjusted_rand_index(truth: &[usize], found: &[usize]) -> Result<f64> {
    Ok(table(truth, found)?.adjusted_rand_index())
}

fn table(truth: &[usize], found: &[usize]) -> Result<Table> {
    at_least("labels", 1, truth.len())?;
    same_length("clusters", truth.len(), found.len())?;
    Ok(Contingency::new(truth, found).table())
}

impl Table {
    pub(crate) fn v_measure(&self, logs: &Logarithms) -> VMeasure {
        let information = self.information(logs);
        let share = |entropy: f64| if entropy > 0.0 { (information / entropy).min(1.0) } else { 1.0 };
        let homogeneity = share(self.entropy(&self.classes, logs));
        let completeness = share(self.entropy(&self.clusters, logs));
        let sum = homogeneity + completeness;
        let v_measure = if sum > 0.0 { 2.0 * homogeneity * completeness / sum } else { 0.0 };
        VMeasure { homogeneity, completeness, v_measure }
    }

    pub(crate) fn adjusted_mutual_info(&self, logs: &Logarithms) -> f64 {
        let (classes, clusters) = (occurring(&self.classes), occurring(&self.clusters));
        if classes == clusters && (classes == 1 || classes == self.total) {
            return 1.0;
        }
        if classes == 1 || clusters == 1 {
            return 0.0;
        }
        let expected = logs.expected_information(self);
        let most = (self.entropy(&self.classes, logs) + self.entropy(&self.clusters, logs)) / 2.0;
        (self.information(logs) - expected) / (most - expected)
    }

    pub(crate) fn adjusted_rand_index(&self) -> f64 {
        let pairs = |n: usize| n as f64 * (n as f64 - 1.0) / 2.0;
        let both: f64 = self.cells.iter().map(|c| pairs(c.count)).sum();
        let classes: f64 = self.classes.iter().map(|&c| pairs(c)).sum();
        let clusters: f64 = self.clusters.iter().map(|&c| pairs(c)).sum();
        if both == classes && both == clusters {
            return 1.0;
        }
        let expected = classes * clusters / pairs(self.total);
        (both - expected) / ((classes + clusters) / 2.0 - expected)
    }

    /// Mutual information in nats.
    fn information(&self, logs: &Logarithms) -> f64 {
        if occurring(&self.classes) == 1 || occurring(&self.clusters) == 1 {
            return 0.0;
        }
        let all = logs.ln(self.total);
        let share = |c: &crate::contingency::Cell| {
            let margins = logs.ln(self.classes[c.class]) + logs.ln(self.clusters[c.cluster]);
            c.count as f64 * ((logs.ln(c.count) - margins) + all)
        };
        (self.cells.iter().map(share).sum::<f64>() / self.total as f64).max(0.0)
    }

    /// Entropy in nats of the labeling with these counts.
    fn entropy(&self, counts: &[usize], logs: &Logarithms) -> f64 {
        if occurring(counts) == 1 {
            return 0.0;
        }
        let all = logs.ln(self.total);
        counts.iter().map(|&c| c as f64 * (all - logs.ln(c))).sum::<f64>() / self.total as f64
    }
}

/// How many of the labels occur.
fn occurring(counts: &[usize]) -> usize {
    counts.iter().filter(|&&c| c > 0).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use proptest::prelude::*;

    #[test]
    fn a_split_class_is_homogeneous_but_not_complete() {
        let v = v_measure(&[0, 0, 1, 1], &[0, 1, 2, 2]).unwrap();
        assert!((v.homogeneity - 1.0).abs() < 1e-15);
        assert!((v.completeness - 2.0 / 3.0).abs() < 1e-15);
        assert!((v.v_measure - 0.8).abs() < 1e-15);
    }

    #[test]
    fn the_names_of_labels_do_not_matter() {
        let (truth, found) = ([0, 0, 1, 1, 2], [0, 1, 1, 1, 2]);
        let renamed = found.map(|l| usize::MAX - 3 * l);
        assert_eq!(v_measure(&truth, &found).unwrap(), v_measure(&truth, &renamed).unwrap());
        assert_eq!(
            adjusted_rand_index(&truth, &found).unwrap(),
            adjusted_rand_index(&truth, &renamed).unwrap()
        );
    }

    #[test]
    fn lists_of_other_lengths_and_empty_ones_are_refused() {
        assert!(matches!(v_measure(&[0, 1], &[0]), Err(Error::Length { expected: 2, found: 1, .. })));
        assert!(matches!(adjusted_rand_index(&[], &[]), Err(Error::Range { .. })));
    }

    proptest! {
        #[test]
        fn v_measure_lies_in_zero_to_one_and_its_parts_swap(
            pairs in prop::collection::vec((0usize..6, 0usize..6), 1..60)
        ) {
            let (truth, found): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let there = v_measure(&truth, &found).unwrap();
            let back = v_measure(&found, &truth).unwrap();
            for share in [there.homogeneity, there.completeness, there.v_measure] {
                prop_assert!((0.0..=1.0).contains(&share), "{}", share);
            }
            prop_assert!((there.homogeneity - back.completeness).abs() < 1e-12);
            prop_assert!((there.completeness - back.homogeneity).abs() < 1e-12);
            prop_assert!((there.v_measure - back.v_measure).abs() < 1e-12);
        }
    }
}
