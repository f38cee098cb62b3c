use std::fmt;

use manyview_core::{Estimate, Targets};

use super::ranks::{correlation, mean, ranks};
use crate::error::{Error, Result, at_least, same_length};
use crate::paired::Bootstrap;

/// A measure of predicted figures, equal to that of scikit-learn or SciPy.
///
/// ```
/// use manyview_eval::{Bootstrap, RegressionMeasure::Mae, Targets};
///
/// let truth = Targets::new(vec![1.0, 2.0, 3.0, 4.0], 1)?; // [4, 1]
/// let near = Targets::new(vec![1.5, 2.5, 3.5, 4.5], 1)?;
/// let far = Targets::new(vec![3.0, 4.0, 5.0, 6.0], 1)?;
/// assert_eq!(Mae.overall(&truth, &near)?, 0.5);
/// let less = Mae.difference(&truth, &near, &far, &Bootstrap::default())?;
/// assert_eq!((less.value, less.high), (-1.5, -1.5)); // surely less error
/// # Ok::<(), manyview_eval::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegressionMeasure {
    /// Mean absolute error, in the unit of the figures.
    Mae,
    /// Root of the mean squared error, in the unit of the figures.
    Rmse,
    /// Correlation of ranks, -1 to 1; equal figures share the mean of their ranks.
    Spearman,
    /// Share of the variance that is explained: 1 at best, 0 for the mean of the truth, below 0 for worse.
    R2,
}

use RegressionMeasure::{Mae, R2, Rmse, Spearman};

impl RegressionMeasure {
    /// All four.
    pub const ALL: [Self; 4] = [Mae, Rmse, Spearman, R2];

    /// Of each dimension of the predictions `found`, `[n, dim]`, against `truth`, `[n, dim]`.
    ///
    /// # Errors
    /// [`Error::Length`] for another number of texts, [`manyview_core::Error::Shape`] for another `dim`;
    /// [`Error::Constant`] where R2 or Spearman meet a dimension of one value in the truth, or Spearman in the
    /// predictions.
    pub fn per_dimension(self, truth: &Targets, found: &Targets) -> Result<Vec<f64>> {
        same_shape(truth, found)?;
        let all: Vec<usize> = (0..truth.n()).collect();
        self.of_texts(&truth.columns(), &found.columns(), &all)
    }

    /// The mean over the dimensions, as scikit-learn's `uniform_average`.
    ///
    /// # Errors
    /// As [`RegressionMeasure::per_dimension`].
    pub fn overall(self, truth: &Targets, found: &Targets) -> Result<f64> {
        self.per_dimension(truth, found).map(|of| mean(&of))
    }

    /// The overall figure with its 95% interval over texts. Resamples in which it is not defined, because all texts
    /// drawn hold one value, are left out.
    ///
    /// # Errors
    /// As [`RegressionMeasure::per_dimension`]; [`Error::Range`] for fewer than 2 texts or 20 resamples.
    pub fn estimate(self, truth: &Targets, found: &Targets, bootstrap: &Bootstrap) -> Result<Estimate> {
        same_shape(truth, found)?;
        let (values, found) = (truth.columns(), found.columns());
        let Estimate { value, low, high } =
            bootstrap.estimate(truth.n(), |at| self.of_texts(&values, &found, at).map(|of| mean(&of)))?;
        let (least, most) = self.range();
        Ok(Estimate { value, low: low.max(least), high: high.min(most) })
    }

    /// The overall figure of the predictions `a` less that of `b`, with the 95% interval of resamples that both share.
    ///
    /// # Errors
    /// As [`RegressionMeasure::estimate`].
    pub fn difference(
        self,
        truth: &Targets,
        a: &Targets,
        b: &Targets,
        bootstrap: &Bootstrap,
    ) -> Result<Estimate> {
        same_shape(truth, a)?;
        same_shape(truth, b)?;
        let (values, a, b) = (truth.columns(), a.columns(), b.columns());
        bootstrap.estimate(truth.n(), |at| {
            let a = mean(&self.of_texts(&values, &a, at)?);
            Ok(a - mean(&self.of_texts(&values, &b, at)?))
        })
    }

    /// The share of the overall figure of `b` that the predictions `a` take away, 1 − a / b: what is gained over a
    /// baseline where less is better. Resamples are shared.
    ///
    /// # Errors
    /// As [`RegressionMeasure::estimate`]; [`Error::Constant`] where the figure of `b` is 0.
    pub fn reduction(
        self,
        truth: &Targets,
        a: &Targets,
        b: &Targets,
        bootstrap: &Bootstrap,
    ) -> Result<Estimate> {
        same_shape(truth, a)?;
        same_shape(truth, b)?;
        let (values, a, b) = (truth.columns(), a.columns(), b.columns());
        bootstrap.estimate(truth.n(), |at| {
            let a = mean(&self.of_texts(&values, &a, at)?);
            match mean(&self.of_texts(&values, &b, at)?) {
                0.0 => Err(Error::Constant { what: "errors of the baseline", dimension: 0 }),
                b => Ok(1.0 - a / b),
            }
        })
    }

    /// Of each dimension, over the texts `at` only.
    fn of_texts(self, truth: &[Vec<f64>], found: &[Vec<f64>], at: &[usize]) -> Result<Vec<f64>> {
        let chosen = |column: &Vec<f64>| at.iter().map(|&i| column[i]).collect::<Vec<f64>>();
        let of = |(dimension, (truth, found))| self.of(&chosen(truth), &chosen(found), dimension);
        truth.iter().zip(found).enumerate().map(of).collect()
    }

    fn of(self, truth: &[f64], found: &[f64], dimension: usize) -> Result<f64> {
        let errors = truth.iter().zip(found).map(|(t, f)| t - f);
        let squared = || errors.clone().map(|e| e * e).sum::<f64>();
        match self {
            Mae => Ok(errors.clone().map(f64::abs).sum::<f64>() / truth.len() as f64),
            Rmse => Ok((squared() / truth.len() as f64).sqrt()),
            Spearman => {
                varied("true figures", truth, dimension)?;
                varied("predicted figures", found, dimension)?;
                Ok(correlation(&ranks(truth), &ranks(found)))
            }
            R2 => {
                varied("true figures", truth, dimension)?;
                let mean = mean(truth);
                Ok(1.0 - squared() / truth.iter().map(|t| (t - mean).powi(2)).sum::<f64>())
            }
        }
    }

    /// The least and the most it can be.
    fn range(self) -> (f64, f64) {
        match self {
            Mae | Rmse => (0.0, f64::INFINITY),
            Spearman => (-1.0, 1.0),
            R2 => (f64::NEG_INFINITY, 1.0),
        }
    }
}

impl fmt::Display for RegressionMeasure {
    /// `mae`, `rmse`, `spearman`, `r2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mae => "mae",
            Rmse => "rmse",
            Spearman => "spearman",
            R2 => "r2",
        })
    }
}

fn same_shape(truth: &Targets, found: &Targets) -> Result<()> {
    at_least("texts", 1, truth.n())?;
    same_length("predictions", truth.n(), found.n())?;
    if truth.dim() != found.dim() {
        return Err(Error::Core(manyview_core::Error::Shape {
            what: "predictions".into(),
            expected: format!("{} figures a text", truth.dim()),
            found: format!("{} figures a text", found.dim()),
        }));
    }
    Ok(())
}

fn varied(what: &'static str, values: &[f64], dimension: usize) -> Result<()> {
    if values.windows(2).any(|pair| pair[0] != pair[1]) {
        Ok(())
    } else {
        Err(Error::Constant { what, dimension })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[f64]) -> Targets {
        Targets::new(values.to_vec(), 1).unwrap()
    }

    #[test]
    fn figures_of_four_texts_by_hand() {
        let (truth, found) = (column(&[1.0, 2.0, 3.0, 4.0]), column(&[2.0, 2.0, 2.0, 5.0]));
        let of = |measure: RegressionMeasure| measure.overall(&truth, &found).unwrap();
        assert_eq!([of(Mae), of(Rmse), of(R2)], [0.75, 0.75f64.sqrt(), 1.0 - 3.0 / 5.0]);
        assert!((of(Spearman) - 0.6f64.sqrt()).abs() < 1e-15, "{}", of(Spearman)); // ranks 1 2 3 4 and 2 2 2 4
    }

    #[test]
    fn a_perfect_prediction_has_no_error_and_the_mean_no_share_of_the_variance() {
        let truth = column(&[1.0, 5.0, 2.0, 8.0]);
        let best = RegressionMeasure::ALL.map(|m| m.overall(&truth, &truth).unwrap());
        assert_eq!(best[..2], [0.0, 0.0]);
        assert!(best[2..].iter().all(|v| (v - 1.0).abs() < 1e-15), "{best:?}");
        assert_eq!(R2.overall(&truth, &column(&[4.0; 4])).unwrap(), 0.0);
    }

    #[test]
    fn one_value_has_no_ranks_and_no_variance() {
        let (one, some) = (column(&[2.0; 4]), column(&[1.0, 2.0, 3.0, 4.0]));
        let refused = |m: RegressionMeasure, t, f| matches!(m.overall(t, f), Err(Error::Constant { .. }));
        assert!(refused(R2, &one, &some) && refused(Spearman, &one, &some) && refused(Spearman, &some, &one));
        assert!(Mae.overall(&one, &some).is_ok() && R2.overall(&some, &one).is_ok());
    }

    #[test]
    fn other_shapes_are_refused() {
        let (three, two) = (column(&[1.0, 2.0, 3.0]), column(&[1.0, 2.0]));
        let wide = Targets::new(vec![0.0; 6], 2).unwrap();
        assert!(matches!(Mae.overall(&three, &two), Err(Error::Length { expected: 3, found: 2, .. })));
        let shape = Mae.overall(&three, &wide);
        assert!(matches!(shape, Err(Error::Core(manyview_core::Error::Shape { .. }))));
        let difference = Mae.difference(&three, &three, &two, &Bootstrap::default());
        assert!(matches!(difference, Err(Error::Length { .. })));
    }

    #[test]
    fn a_reduction_is_the_share_of_the_error_that_is_gone() {
        let truth = column(&[1.0, 2.0, 3.0, 4.0]);
        let (near, far) = (column(&[1.5, 2.5, 3.5, 4.5]), column(&[3.0, 4.0, 5.0, 6.0]));
        let of = |a, b| Mae.reduction(&truth, a, b, &Bootstrap::default());
        assert_eq!(of(&near, &far).unwrap().value, 0.75);
        assert_eq!(of(&far, &near).unwrap().high, -3.0);
        assert!(matches!(of(&near, &truth), Err(Error::Constant { .. })));
    }

    #[test]
    fn resamples_of_one_value_are_left_out() {
        let (truth, found) = (column(&[0.0, 0.0, 0.0, 1.0]), column(&[0.1, 0.0, 0.2, 0.9]));
        let estimate = Spearman.estimate(&truth, &found, &Bootstrap::default()).unwrap();
        assert!(estimate.low < estimate.value && estimate.high <= 1.0, "{estimate:?}");
        assert!(R2.estimate(&column(&[1.0; 4]), &found, &Bootstrap::default()).is_err());
    }
}
