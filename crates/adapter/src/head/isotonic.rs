use crate::{Error, Result};
use manyview_core::Error as CoreError;
use serde::{Deserialize, Serialize};

/// The rising curve nearest to some points in squared distance, found by pooling adjacent violators: straight between
/// its knots, constant beyond them.
///
/// ```
/// # use manyview_adapter::Isotonic;
/// let curve = Isotonic::fit(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 5.0])?;
/// assert_eq!([0.0, 2.0, 2.9, 3.5, 9.0].map(|x| curve.at(x)), [1.0, 2.5, 2.5, 3.75, 5.0]);
/// # Ok::<(), manyview_adapter::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(f64, f64)>", into = "Vec<(f64, f64)>")]
pub struct Isotonic {
    knots: Vec<(f64, f64)>,
}

/// Points that share a value.
struct Block {
    from: f64,
    to: f64,
    sum: f64,
    weight: f64,
}

impl Isotonic {
    /// The curve through the points `(x[i], y[i])`.
    ///
    /// # Errors
    /// No points, lists of different lengths, a NaN or an infinity.
    pub fn fit(x: &[f64], y: &[f64]) -> Result<Self> {
        if x.is_empty() {
            return Err(CoreError::Empty { what: "points of a rising curve".into() }.into());
        }
        if x.len() != y.len() {
            return Err(CoreError::Shape {
                what: "points of a rising curve".into(),
                expected: format!("{} values of y, one for each x", x.len()),
                found: format!("{} values", y.len()),
            }
            .into());
        }
        let mut points: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
        if let Some(row) = points.iter().position(|(x, y)| !(x.is_finite() && y.is_finite())) {
            return Err(CoreError::NonFinite { what: "points of a rising curve".into(), row }.into());
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut blocks: Vec<Block> = Vec::new();
        for equal in points.chunk_by(|a, b| a.0 == b.0) {
            let x = equal.first().map_or(0.0, |p| p.0);
            let sum = equal.iter().map(|p| p.1).sum();
            let mut block = Block { from: x, to: x, sum, weight: equal.len() as f64 };
            while let Some(last) = blocks.pop_if(|last| last.sum * block.weight >= block.sum * last.weight) {
                block = Block {
                    from: last.from,
                    to: block.to,
                    sum: last.sum + block.sum,
                    weight: last.weight + block.weight,
                };
            }
            blocks.push(block);
        }
        let ends = blocks.iter().flat_map(|b| [(b.from, b.sum / b.weight), (b.to, b.sum / b.weight)]);
        let mut knots: Vec<(f64, f64)> = ends.collect();
        knots.dedup();
        Ok(Self { knots })
    }

    /// Its value at `x`.
    pub fn at(&self, x: f64) -> f64 {
        let next = self.knots.partition_point(|knot| knot.0 <= x);
        match (next.checked_sub(1).and_then(|i| self.knots.get(i)), self.knots.get(next)) {
            (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
            (Some((_, y)), None) | (None, Some((_, y))) => *y,
            (None, None) => x,
        }
    }

    /// Its knots, `(x, y)`, rising in both.
    pub fn knots(&self) -> &[(f64, f64)] {
        &self.knots
    }
}

impl TryFrom<Vec<(f64, f64)>> for Isotonic {
    type Error = Error;

    fn try_from(knots: Vec<(f64, f64)>) -> Result<Self> {
        let rising = knots.windows(2).all(|w| matches!(w, [a, b] if a.0 < b.0 && a.1 <= b.1));
        match rising && !knots.is_empty() && knots.iter().all(|k| k.0.is_finite() && k.1.is_finite()) {
            true => Ok(Self { knots }),
            false => Err(Error::Setting {
                name: "knots of a rising curve",
                expected: "finite points that rise",
                found: format!("{knots:?}"),
            }),
        }
    }
}

impl From<Isotonic> for Vec<(f64, f64)> {
    fn from(curve: Isotonic) -> Self {
        curve.knots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_and_keeps_the_mean_of_its_points() {
        let x: Vec<f64> = (0..200).map(|i| f64::from(i * 37 % 101)).collect();
        let y: Vec<f64> = (0..200).map(|i| f64::from(i * 53 % 89)).collect();
        let curve = Isotonic::fit(&x, &y).unwrap();
        assert!(curve.knots().windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1));
        let (fitted, given): (f64, f64) = (x.iter().map(|x| curve.at(*x)).sum(), y.iter().sum());
        assert!((fitted - given).abs() < 1e-9, "{fitted} {given}");
    }

    #[test]
    fn falling_points_give_their_mean_and_one_point_its_value() {
        let falling = Isotonic::fit(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]).unwrap();
        assert_eq!([0.0, 1.5, 9.0].map(|x| falling.at(x)), [2.0; 3]);
        assert_eq!(Isotonic::fit(&[5.0], &[7.0]).unwrap().at(-1.0), 7.0);
    }

    #[test]
    fn points_without_sense_and_knots_that_fall_are_refused() {
        assert!(Isotonic::fit(&[], &[]).is_err());
        assert!(Isotonic::fit(&[1.0], &[]).is_err());
        assert!(Isotonic::fit(&[1.0], &[f64::NAN]).is_err());
        assert!(serde_json::from_str::<Isotonic>("[[1.0, 2.0], [2.0, 1.0]]").is_err());
        let curve = Isotonic::fit(&[1.0, 2.0, 4.0], &[1.0, 3.0, 3.5]).unwrap();
        let json = serde_json::to_string(&curve).unwrap();
        assert_eq!(serde_json::from_str::<Isotonic>(&json).unwrap(), curve);
    }
}
