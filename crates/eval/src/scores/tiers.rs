use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, at_least, same_length};
use crate::paired::finite;

/// Tiers that thresholds cut figures into: tier 0 lies below the first threshold, and a figure equal to a threshold
/// belongs to the tier above it.
///
/// ```
/// use manyview_eval::Tiers;
///
/// let tiers = Tiers::new(vec![3.0, 7.0])?; // low, middle, high
/// let scores = tiers.scores(&[1.0, 5.0, 7.0, 9.0], &[2.0, 7.5, 8.0, 6.0])?;
/// assert_eq!((scores[0].f1, scores[2].precision, scores[2].texts), (1.0, 0.5, 2));
/// # Ok::<(), manyview_eval::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tiers {
    thresholds: Vec<f64>,
}

/// How well texts of one tier are found, equal to scikit-learn's `precision_recall_fscore_support`. A share of no
/// texts is 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierScore {
    /// Share of the texts predicted in the tier that lie in it.
    pub precision: f64,
    /// Share of the texts in the tier that are predicted there.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Number of texts in the tier.
    pub texts: usize,
}

impl Tiers {
    /// One tier more than there are `thresholds`, which ascend.
    ///
    /// # Errors
    /// [`Error::Range`] without thresholds, [`manyview_core::Error::NonFinite`] for a NaN or an infinity,
    /// [`Error::Setting`] naming a threshold that is not above the one before it.
    pub fn new(thresholds: Vec<f64>) -> Result<Self> {
        at_least("thresholds", 1, thresholds.len())?;
        finite("thresholds", &thresholds)?;
        match thresholds.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => Err(Error::Setting {
                what: "thresholds",
                expected: "each above the one before it",
                found: pair[1],
            }),
            None => Ok(Self { thresholds }),
        }
    }

    /// The tier of a figure.
    pub fn tier(&self, figure: f64) -> usize {
        self.thresholds.partition_point(|&threshold| threshold <= figure)
    }

    /// The score of each tier, the lowest first, for the predictions `found`, `[n]`, against `truth`, `[n]`.
    ///
    /// # Errors
    /// [`Error::Range`] when `truth` is empty, [`Error::Length`] unless both have one length,
    /// [`manyview_core::Error::NonFinite`] for a NaN, [`Error::OneClass`] when all true figures lie in one tier.
    pub fn scores(&self, truth: &[f64], found: &[f64]) -> Result<Vec<TierScore>> {
        at_least("texts", 1, truth.len())?;
        same_length("predictions", truth.len(), found.len())?;
        finite("true figures", truth)?;
        finite("predictions", found)?;
        let tiers = self.thresholds.len() + 1;
        let (mut inside, mut predicted, mut both) = (vec![0; tiers], vec![0; tiers], vec![0; tiers]);
        for (&truth, &found) in truth.iter().zip(found) {
            let (truth, found) = (self.tier(truth), self.tier(found));
            inside[truth] += 1;
            predicted[found] += 1;
            both[truth] += usize::from(truth == found);
        }
        if inside.contains(&truth.len()) {
            return Err(Error::OneClass);
        }
        let score = |tier: usize| TierScore {
            precision: share(both[tier], predicted[tier]),
            recall: share(both[tier], inside[tier]),
            f1: share(2 * both[tier], inside[tier] + predicted[tier]),
            texts: inside[tier],
        };
        Ok((0..tiers).map(score).collect())
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_at_a_threshold_belongs_above_it() {
        let tiers = Tiers::new(vec![0.0, 1.5]).unwrap();
        assert_eq!([-1.0, 0.0, 1.4, 1.5, 9.0].map(|v| tiers.tier(v)), [0, 1, 1, 2, 2]);
    }

    #[test]
    fn a_tier_that_nothing_enters_scores_zero() {
        let scores = Tiers::new(vec![1.0, 2.0]).unwrap().scores(&[0.0, 3.0], &[0.5, 0.5]).unwrap();
        assert_eq!(scores[1], TierScore { precision: 0.0, recall: 0.0, f1: 0.0, texts: 0 });
        assert_eq!((scores[0].precision, scores[0].recall), (0.5, 1.0));
        assert_eq!((scores[2].precision, scores[2].recall, scores[2].texts), (0.0, 0.0, 1));
    }

    #[test]
    fn thresholds_and_figures_without_sense_are_refused() {
        assert!(matches!(Tiers::new(vec![]), Err(Error::Range { .. })));
        assert!(matches!(Tiers::new(vec![1.0, 1.0]), Err(Error::Setting { .. })));
        assert!(matches!(Tiers::new(vec![f64::NAN]), Err(Error::Core(_))));
        let tiers = Tiers::new(vec![1.0]).unwrap();
        assert!(matches!(tiers.scores(&[], &[]), Err(Error::Range { .. })));
        assert!(matches!(tiers.scores(&[0.0, 2.0], &[0.0]), Err(Error::Length { .. })));
        assert!(matches!(tiers.scores(&[2.0, 3.0], &[0.0, 2.0]), Err(Error::OneClass)));
        assert!(matches!(tiers.scores(&[0.0, 2.0], &[0.0, f64::NAN]), Err(Error::Core(_))));
    }
}
