use manyview_core::{Embeddings, Targets};

use super::ranks::mean;
use crate::error::{Result, at_least, same_length};
use crate::retrieval::search;

/// Predicts the mean over the `k` known texts of highest cosine: what the vectors know without any fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearestMean {
    /// Number of neighbours; all known texts when there are fewer.
    pub k: usize,
}

impl NearestMean {
    /// Predictions for `queries`, `[q, dim]`, from `known` texts, `[n, dim]`, with their `targets`, `[n, d]`: shape
    /// `[q, d]`. Of equally near texts the first count.
    ///
    /// # Errors
    /// [`crate::Error::Length`] unless every known text has targets; otherwise as [`crate::search`].
    pub fn predict(&self, known: &Embeddings, targets: &Targets, queries: &Embeddings) -> Result<Targets> {
        same_length("targets of known texts", known.n(), targets.n())?;
        at_least("k of nearest neighbours", 1, self.k)?;
        let ranking = search(queries, known, self.k)?;
        let columns = targets.columns();
        let predicted = ranking.hits().flat_map(|hits| {
            columns
                .iter()
                .map(|column| mean(&hits.iter().map(|hit| column[hit.document]).collect::<Vec<_>>()))
        });
        Ok(Targets::new(predicted.collect(), targets.dim())?)
    }
}

/// The mean of `known` targets, `[any, d]`, for each of `n` texts: `[n, d]`, the least that a prediction has to beat.
///
/// # Errors
/// [`crate::Error::Range`] when `n` is 0.
pub fn mean_prediction(known: &Targets, n: usize) -> Result<Targets> {
    at_least("texts to predict", 1, n)?;
    let means: Vec<f64> = known.columns().iter().map(|column| mean(column)).collect();
    Ok(Targets::new(means.repeat(n), known.dim())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, RegressionMeasure};

    fn angles(degrees: &[f32]) -> Embeddings {
        Embeddings::from_rows(degrees.iter().map(|d| [d.to_radians().cos(), d.to_radians().sin()])).unwrap()
    }

    #[test]
    fn neighbours_predict_the_mean_of_their_figures() {
        let known = angles(&[0.0, 10.0, 80.0, 90.0]);
        let targets = Targets::new(vec![1.0, -1.0, 2.0, -2.0, 7.0, -7.0, 9.0, -9.0], 2).unwrap();
        let queries = angles(&[4.0, 86.0]);
        let predict = |k| NearestMean { k }.predict(&known, &targets, &queries).unwrap();
        assert_eq!(predict(1), Targets::new(vec![1.0, -1.0, 9.0, -9.0], 2).unwrap());
        assert_eq!(predict(2), Targets::new(vec![1.5, -1.5, 8.0, -8.0], 2).unwrap());
        assert_eq!(predict(99), mean_prediction(&targets, 2).unwrap());
    }

    #[test]
    fn the_mean_of_the_truth_explains_nothing() {
        let truth = Targets::new(vec![1.0, 2.0, 6.0], 1).unwrap();
        let r2 = RegressionMeasure::R2.overall(&truth, &mean_prediction(&truth, 3).unwrap()).unwrap();
        assert_eq!(r2, 0.0);
    }

    #[test]
    fn targets_of_other_texts_and_no_neighbours_are_refused() {
        let (known, targets) = (angles(&[0.0, 10.0]), Targets::new(vec![1.0], 1).unwrap());
        let predict = |k, targets: &Targets| NearestMean { k }.predict(&known, targets, &known);
        assert!(matches!(predict(1, &targets), Err(Error::Length { expected: 2, found: 1, .. })));
        let two = Targets::new(vec![1.0, 2.0], 1).unwrap();
        assert!(matches!(predict(0, &two), Err(Error::Range { .. })));
        assert!(matches!(mean_prediction(&two, 0), Err(Error::Range { .. })));
    }
}
