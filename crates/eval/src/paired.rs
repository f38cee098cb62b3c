use manyview_core::Estimate;
use rayon::prelude::*;
use std::collections::BTreeMap;

use crate::bootstrap::{interval, recentred, texts};
use crate::error::{Error, Result, at_least, same_length};

/// The fewest resamples that carry an interval.
const LEAST: usize = 20;

/// How certain a figure over texts or queries is: the middle 95% of the figure over resamples of them, moved so that
/// their mean is the measured figure.
///
/// Resample `i` of one seed is the same for every view, so the interval of a difference is a paired one.
///
/// ```
/// use manyview_eval::Bootstrap;
///
/// let (a, b) = ([0.9, 0.4, 0.7, 0.8], [0.8, 0.3, 0.6, 0.7]); // one figure a query
/// let gain = Bootstrap::default().difference(&a, &b)?;
/// assert!((gain.value - 0.1).abs() < 1e-12 && gain.low > 0.09);
/// # Ok::<(), manyview_eval::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples, at least 20.
    pub resamples: usize,
    /// The seed of all resamples.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 1000 resamples of seed 0.
    fn default() -> Self {
        Self { resamples: 1000, seed: 0 }
    }
}

impl Bootstrap {
    /// The mean of `figures`, `[n]`, one a text or query.
    ///
    /// # Errors
    /// [`Error::Range`] for fewer than 20 resamples or 2 figures, [`manyview_core::Error::NonFinite`] for a NaN.
    pub fn mean(&self, figures: &[f64]) -> Result<Estimate> {
        finite("figures", figures)?;
        let Estimate { value, low, high } = self.estimate(figures.len(), |at| Ok(mean(figures, at)))?;
        let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let most = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Ok(Estimate { value, low: low.max(least), high: high.min(most) })
    }

    /// The mean of `a`, `[n]`, less that of `b`, `[n]`, both over the same texts or queries.
    ///
    /// # Errors
    /// As [`Bootstrap::mean`]; [`Error::Length`] unless both have one length.
    pub fn difference(&self, a: &[f64], b: &[f64]) -> Result<Estimate> {
        same_length("figures of the second view", a.len(), b.len())?;
        finite("figures of the first view", a)?;
        finite("figures of the second view", b)?;
        self.mean(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
    }

    /// The mean of `figures`, `[n]`, where those of one document belong together: whole documents are resampled, so
    /// that many questions on few documents do not look more certain than they are. `documents`, `[n]`, says which
    /// document each figure is of, by any number.
    ///
    /// # Errors
    /// As [`Bootstrap::mean`], with at least 2 documents; [`Error::Length`] unless both have one length.
    pub fn mean_over_documents(&self, figures: &[f64], documents: &[usize]) -> Result<Estimate> {
        same_length("documents", figures.len(), documents.len())?;
        finite("figures", figures)?;
        let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for (figure, document) in figures.iter().zip(documents) {
            let (sum, count) = sums.entry(*document).or_default();
            *sum += figure;
            *count += 1.0;
        }
        let sums: Vec<(f64, f64)> = sums.into_values().collect();
        self.estimate(sums.len(), |at| {
            let chosen = at.iter().filter_map(|&document| sums.get(document));
            let (sum, count) = chosen.fold((0.0, 0.0), |(sum, count), own| (sum + own.0, count + own.1));
            Ok(sum / count)
        })
    }

    /// Any figure of rows, where those of one document belong together: whole documents are resampled, and `figure`
    /// gets the rows of the chosen ones, those of a document again for each time that it was drawn. `documents`, `[n]`,
    /// says which document each row is of.
    ///
    /// # Errors
    /// [`Error::Range`] for fewer than 20 resamples or 2 documents; what `figure` returns.
    pub fn over_documents<F>(&self, documents: &[usize], figure: F) -> Result<Estimate>
    where
        F: Fn(&[usize]) -> Result<f64> + Sync,
    {
        let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        documents.iter().enumerate().for_each(|(row, document)| rows.entry(*document).or_default().push(row));
        let rows: Vec<Vec<usize>> = rows.into_values().collect();
        self.estimate(rows.len(), |at| {
            figure(
                &at.iter().filter_map(|&document| rows.get(document)).flatten().copied().collect::<Vec<_>>(),
            )
        })
    }

    /// Any figure of chosen texts out of `n`. Resamples in which it is not defined (all values the same) are left
    /// out; where fewer than 20 remain, that is the error.
    pub(crate) fn estimate<F>(&self, n: usize, figure: F) -> Result<Estimate>
    where
        F: Fn(&[usize]) -> Result<f64> + Sync,
    {
        at_least("resamples", LEAST, self.resamples)?;
        at_least("texts or queries to resample", 2, n)?;
        let value = figure(&(0..n).collect::<Vec<_>>())?;
        let resampled: Vec<f64> = (0..self.resamples)
            .into_par_iter()
            .map(|index| match figure(&texts(self.seed, index, n)) {
                Err(Error::Constant { .. }) => Ok(None),
                figure => figure.map(Some),
            })
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect();
        at_least("resamples whose values differ", LEAST, resampled.len())?;
        let (low, high) = interval(recentred(value, resampled));
        Ok(Estimate { value, low, high })
    }
}

fn mean(figures: &[f64], at: &[usize]) -> f64 {
    at.iter().map(|&i| figures[i]).sum::<f64>() / at.len() as f64
}

/// Fails for a NaN or an infinity.
pub(crate) fn finite(what: &str, figures: &[f64]) -> Result<()> {
    match figures.iter().position(|v| !v.is_finite()) {
        Some(row) => Err(Error::Core(manyview_core::Error::NonFinite { what: what.into(), row })),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 figures spread over 0 to 1, without order.
    fn spread() -> Vec<f64> {
        (0..200).map(|i| f64::from(i * 37 % 200) / 199.0).collect()
    }

    #[test]
    fn the_interval_of_a_mean_is_two_standard_errors_each_way() {
        let estimate = Bootstrap { resamples: 4000, seed: 1 }.mean(&spread()).unwrap();
        let error = 1.96 * (1.0 / 12.0f64).sqrt() / 200f64.sqrt();
        assert!((estimate.value - 0.5).abs() < 1e-12, "{estimate:?}");
        assert!((estimate.high - 0.5 - error).abs() < 0.1 * error, "{estimate:?}, expected {error} each way");
        assert!((0.5 - estimate.low - error).abs() < 0.1 * error, "{estimate:?}, expected {error} each way");
    }

    #[test]
    fn a_constant_gain_is_certain_although_each_mean_is_not() {
        let low = spread();
        let high: Vec<f64> = low.iter().map(|v| v + 0.25).collect();
        let gain = Bootstrap::default().difference(&high, &low).unwrap();
        assert!((gain.high - gain.low).abs() < 1e-12 && (gain.value - 0.25).abs() < 1e-12, "{gain:?}");
        let one = Bootstrap::default().mean(&low).unwrap();
        assert!(one.high - one.low > 0.05, "{one:?}");
    }

    #[test]
    fn intervals_are_repeatable_and_change_with_the_seed() {
        let of = |seed| Bootstrap { seed, ..Bootstrap::default() }.mean(&spread()).unwrap();
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
    }

    #[test]
    fn questions_on_one_document_are_no_more_certain_than_the_document() {
        let documents: Vec<usize> = (0..200).map(|i| i / 10).collect();
        let figures: Vec<f64> = documents.iter().map(|d| f64::from(u8::from(d % 2 == 0))).collect();
        let bootstrap = Bootstrap { resamples: 4000, seed: 1 };
        let (grouped, apart) =
            (bootstrap.mean_over_documents(&figures, &documents).unwrap(), bootstrap.mean(&figures).unwrap());
        assert_eq!(grouped.value, 0.5);
        let wider = (grouped.high - grouped.low) / (apart.high - apart.low);
        assert!((2.8..3.5).contains(&wider), "{wider}, expected about √10");
        let each: Vec<usize> = (0..200).collect();
        assert_eq!(bootstrap.mean_over_documents(&figures, &each).unwrap().low, apart.low);
        let mean = |rows: &[usize]| Ok(rows.iter().map(|&row| figures[row]).sum::<f64>() / rows.len() as f64);
        let other = bootstrap.over_documents(&documents, mean).unwrap();
        assert!((other.low - grouped.low).abs() < 1e-12 && (other.high - grouped.high).abs() < 1e-12);
        assert!(bootstrap.mean_over_documents(&figures, &[3; 200]).is_err());
        assert!(bootstrap.mean_over_documents(&figures, &[3]).is_err());
    }

    #[test]
    fn no_figures_nan_and_two_lengths_are_refused() {
        let bootstrap = Bootstrap::default();
        assert!(matches!(bootstrap.mean(&[]), Err(Error::Range { found: 0, .. })));
        assert!(matches!(bootstrap.difference(&[1.0, 2.0], &[1.0]), Err(Error::Length { .. })));
        let nan = bootstrap.mean(&[0.0, f64::NAN]).unwrap_err();
        assert!(matches!(nan, Error::Core(manyview_core::Error::NonFinite { row: 1, .. })), "{nan}");
        assert!(matches!(Bootstrap { resamples: 3, seed: 0 }.mean(&[0.0, 1.0]), Err(Error::Range { .. })));
    }
}
