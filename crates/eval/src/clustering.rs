use manyview_core::{Embeddings, Progress};
use rayon::prelude::*;

use crate::bootstrap::Resample;
use crate::comparison::{Comparison, METRICS, View};
use crate::contingency::{Contingency, Table, dense};
use crate::error::{Error, Result, at_least, same_length};
use crate::expected::Logarithms;
use crate::kmeans::KMeans;

/// How views are clustered and compared: k-means over several seeds, with as many clusters as there are labels, and a
/// paired bootstrap over texts and seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clustering {
    /// Number of k-means runs a view, each under its own seed.
    pub seeds: usize,
    /// Restarts of each run.
    pub restarts: usize,
    /// Number of bootstrap resamples, at least 20.
    pub resamples: usize,
    /// The first seed.
    pub seed: u64,
}

impl Default for Clustering {
    /// 10 seeds of 10 restarts, 1000 resamples, first seed 0.
    fn default() -> Self {
        Self { seeds: 10, restarts: 10, resamples: 1000, seed: 0 }
    }
}

impl Clustering {
    /// Clusters each view, `[n, dim]` with a `dim` of its own, on rows divided by their length, and scores the
    /// clusters against `truth`, `[n]`.
    ///
    /// Intervals: each resample draws texts and seeds with replacement, the same for all views, and takes all five
    /// scores of every view as means over its seeds. An interval is the middle 95% of those means, moved so that
    /// their mean is the measured score, and cut at the ends of the score's range.
    ///
    /// # Errors
    /// [`Error::Range`] for zero seeds or restarts, fewer than 20 resamples or 3 texts; [`Error::Length`] when a
    /// view has other than `n` rows; [`Error::OneClass`], [`Error::AllDistinct`]; [`Error::Views`] without views or
    /// with two of one name; [`manyview_core::Error::ZeroRow`] naming the view and row without a direction;
    /// [`manyview_core::Error::Interrupted`] when `progress` asked to stop.
    pub fn compare(
        &self,
        views: &[(&str, &Embeddings)],
        truth: &[usize],
        progress: &dyn Progress,
    ) -> Result<Comparison> {
        let (truth, classes) = dense(truth.iter().copied());
        self.check(views, truth.len(), classes)?;

        progress.begin("evaluate", (views.len() * self.seeds + self.resamples) as u64);
        let found = self.cluster(views, &truth, classes, progress)?;
        let logs = Logarithms::up_to(truth.len());
        let measured: Vec<Vec<[f64; METRICS]>> =
            found.iter().map(|seeds| seeds.iter().map(|c| scores(&c.table(), &logs)).collect()).collect();
        let resampled: Vec<Vec<[f64; METRICS]>> = (0..self.resamples)
            .into_par_iter()
            .map(|index| {
                let resample = Resample::draw(self.seed, index, &truth, self.seeds);
                go_on(progress)?;
                Ok(found.iter().map(|seeds| resampled_scores(seeds, &resample, &logs)).collect())
            })
            .collect::<Result<_>>()?;
        progress.end();

        let views = views.iter().enumerate().map(|(v, (name, _))| {
            let resampled: Vec<_> = resampled.iter().map(|scores| scores[v]).collect();
            View::new((*name).to_owned(), &measured[v], &resampled)
        });
        Ok(Comparison { classes, views: views.collect() })
    }

    fn check(&self, views: &[(&str, &Embeddings)], n: usize, classes: usize) -> Result<()> {
        at_least("seeds", 1, self.seeds)?;
        at_least("restarts", 1, self.restarts)?;
        at_least("resamples", 20, self.resamples)?;
        if views.is_empty() {
            return Err(Error::Views { found: "none".into() });
        }
        for (i, (name, x)) in views.iter().enumerate() {
            if views[..i].iter().any(|(earlier, _)| earlier == name) {
                return Err(Error::Views { found: format!("two under {name:?}") });
            }
            same_length(format!("labels for view {name:?}"), x.n(), n)?;
        }
        at_least("texts to cluster", 3, n)?;
        if classes < 2 {
            return Err(Error::OneClass);
        }
        if classes == n {
            return Err(Error::AllDistinct { n });
        }
        Ok(())
    }

    /// The clusters of each view under each seed, against `truth`.
    fn cluster(
        &self,
        views: &[(&str, &Embeddings)],
        truth: &[usize],
        classes: usize,
        progress: &dyn Progress,
    ) -> Result<Vec<Vec<Contingency>>> {
        let one = |x: &Embeddings, seed: usize| {
            go_on(progress)?;
            let seed = self.seed.wrapping_add(seed as u64);
            let kmeans = KMeans { restarts: self.restarts, seed, ..KMeans::new(classes) };
            Ok(Contingency::new(truth, &kmeans.fit(x)?.labels))
        };
        views
            .par_iter()
            .map(|(name, x)| {
                let x = directions(name, x)?;
                (0..self.seeds).into_par_iter().map(|seed| one(&x, seed)).collect()
            })
            .collect()
    }
}

/// Counts one step, unless the user asked to stop.
fn go_on(progress: &dyn Progress) -> Result<()> {
    progress.advance(1);
    match progress.stopped() {
        true => Err(manyview_core::Error::Interrupted.into()),
        false => Ok(()),
    }
}

/// The rows divided by their length.
fn directions(name: &str, x: &Embeddings) -> Result<Embeddings> {
    Ok(x.clone().normalized().map_err(|e| match e {
        manyview_core::Error::ZeroRow { row, .. } => {
            manyview_core::Error::ZeroRow { what: format!("view {name:?}"), row }
        }
        e => e,
    })?)
}

/// The scores of one view on a resample: means over its seeds.
fn resampled_scores(found: &[Contingency], resample: &Resample, logs: &Logarithms) -> [f64; METRICS] {
    let mut sum = [0.0; METRICS];
    for (seed, found) in found.iter().enumerate() {
        let times = resample.seeds.iter().filter(|&&s| s == seed).count();
        if times > 0 {
            let scores = scores(&found.count(resample.texts.iter().copied()), logs);
            sum.iter_mut().zip(scores).for_each(|(sum, score)| *sum += times as f64 * score);
        }
    }
    sum.map(|sum| sum / resample.seeds.len() as f64)
}

/// V-measure, homogeneity, completeness, AMI, ARI.
fn scores(table: &Table, logs: &Logarithms) -> [f64; METRICS] {
    let v = table.v_measure(logs);
    let (ami, ari) = (table.adjusted_mutual_info(logs), table.adjusted_rand_index());
    [v.v_measure, v.homogeneity, v.completeness, ami, ari]
}
