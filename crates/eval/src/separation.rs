use crate::error::{Result, at_least};
use crate::paired::finite;

/// How well a score tells two kinds apart: the share of pairs of one of `above`, `[n]`, and one of `below`, `[m]`, in
/// which that of `above` has the higher score; equal scores count half. 0.5 by chance, 1 where all are apart: the area
/// under the ROC curve.
///
/// ```
/// assert_eq!(manyview_eval::roc_auc(&[0.9, 0.8, 0.4], &[0.5, 0.4])?, 4.5 / 6.0);
/// # Ok::<(), manyview_eval::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Range`] where one kind is missing, [`manyview_core::Error::NonFinite`] for a NaN.
pub fn roc_auc(above: &[f64], below: &[f64]) -> Result<f64> {
    at_least("scores of the upper kind", 1, above.len())?;
    at_least("scores of the lower kind", 1, below.len())?;
    finite("scores of the upper kind", above)?;
    finite("scores of the lower kind", below)?;
    let mut sorted = below.to_vec();
    sorted.sort_by(f64::total_cmp);
    let won: f64 = above
        .iter()
        .map(|score| {
            let (lower, upper) =
                (sorted.partition_point(|b| b < score), sorted.partition_point(|b| b <= score));
            (lower + upper) as f64 / 2.0
        })
        .sum();
    Ok(won / (above.len() as f64 * below.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::roc_auc;

    #[test]
    fn kinds_that_are_apart_score_one_and_the_same_kind_a_half() {
        assert_eq!(roc_auc(&[2.0, 3.0], &[1.0, 0.0, -1.0]).unwrap(), 1.0);
        assert_eq!(roc_auc(&[0.0], &[1.0]).unwrap(), 0.0);
        let same: Vec<f64> = (0..50).map(f64::from).collect();
        assert_eq!(roc_auc(&same, &same).unwrap(), 0.5);
        assert_eq!(roc_auc(&[0.0, -0.0], &[0.0]).unwrap(), 0.5);
        assert!(roc_auc(&[], &[1.0]).is_err() && roc_auc(&[f64::NAN], &[1.0]).is_err());
    }
}
