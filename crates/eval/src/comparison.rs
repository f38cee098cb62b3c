use manyview_core::{Estimate, Summary};
use serde::{Deserialize, Serialize};

use crate::bootstrap::{interval, recentred};

/// The number of scores in [`ViewScores`].
pub(crate) const METRICS: usize = 5;

/// Scores of several views of the same texts against the same labels, made by [`crate::Clustering::compare`].
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Number of distinct labels, which is the number of clusters.
    pub classes: usize,
    pub(crate) views: Vec<View>,
}

/// The scores of one view: means over the k-means seeds, their standard deviation (0 for one seed), and 95%
/// intervals over texts and seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewScores {
    /// Harmonic mean of homogeneity and completeness.
    pub v_measure: Summary,
    /// 1 when each cluster holds one class only.
    pub homogeneity: Summary,
    /// 1 when each class lies in one cluster only.
    pub completeness: Summary,
    /// Adjusted mutual information.
    pub ami: Summary,
    /// Adjusted Rand index.
    pub ari: Summary,
}

/// A view, its scores, and its V-measure on each resample, moved to have the measured one as their mean.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) scores: ViewScores,
    pub(crate) resampled: Vec<f64>,
}

impl Comparison {
    /// The scores of one view; `None` when no view has that name.
    pub fn view(&self, name: &str) -> Option<&ViewScores> {
        self.find(name).map(|view| &view.scores)
    }

    /// V-measure of view `a` less that of `b`, with the 95% interval of the paired resamples; `None` when there is no
    /// such view.
    pub fn difference(&self, a: &str, b: &str) -> Option<Estimate> {
        Some(self.find(a)?.less(self.find(b)?))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&View> {
        self.views.iter().find(|view| view.name == name)
    }
}

impl View {
    /// From the scores of each seed and of each resample.
    pub(crate) fn new(name: String, seeds: &[[f64; METRICS]], resamples: &[[f64; METRICS]]) -> Self {
        let column =
            |from: &[[f64; METRICS]], metric: usize| from.iter().map(|s| s[metric]).collect::<Vec<_>>();
        let summary = |metric, least| summarize(&column(seeds, metric), column(resamples, metric), least);
        let scores = ViewScores {
            v_measure: summary(0, 0.0),
            homogeneity: summary(1, 0.0),
            completeness: summary(2, 0.0),
            ami: summary(3, -1.0),
            ari: summary(4, -1.0),
        };
        let resampled = recentred(scores.v_measure.mean, column(resamples, 0));
        Self { name, scores, resampled }
    }

    /// V-measure less that of `other`.
    pub(crate) fn less(&self, other: &Self) -> Estimate {
        let differences = self.resampled.iter().zip(&other.resampled).map(|(a, b)| a - b).collect();
        let (low, high) = interval(differences);
        Estimate { value: self.scores.v_measure.mean - other.scores.v_measure.mean, low, high }
    }
}

fn summarize(seeds: &[f64], resampled: Vec<f64>, least: f64) -> Summary {
    let count = seeds.len() as f64;
    let mean = seeds.iter().sum::<f64>() / count;
    let squares: f64 = seeds.iter().map(|s| (s - mean).powi(2)).sum();
    let std = if seeds.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
    let (low, high) = interval(recentred(mean, resampled));
    Summary { mean, std, low: low.clamp(least, 1.0), high: high.clamp(least, 1.0) }
}
