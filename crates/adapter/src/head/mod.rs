//! Heads: from base vectors to predicted scores, one for each dimension of an oracle.

mod config;
mod isotonic;
mod layer;
#[cfg(feature = "train")]
mod loss;
mod ridge;
#[cfg(feature = "train")]
mod scaling;
#[cfg(feature = "train")]
mod step;
#[cfg(feature = "train")]
mod training;

pub use config::{HeadConfig, Loss};
pub use isotonic::Isotonic;
pub use layer::Layer;
pub use ridge::{RidgeHead, RidgeHeadFit, SharedPenalty};
#[cfg(feature = "train")]
pub use {
    loss::DimensionErrors,
    training::{GradientHead, GradientHeadFit, HeadEpoch, MonitoredScores},
};

use crate::Result;
use manyview_core::{Embeddings, Error as CoreError, Targets, Transform};
use rayon::prelude::*;

/// Layers from a vector to predictions, a ReLU between two of them; then, where fitted, a rising curve for each dimension.
///
/// One layer is a linear head. A vector gets the same predictions alone and among others.
///
/// ```
/// # use manyview_adapter::{Head, Layer};
/// # use manyview_core::{Embeddings, Transform};
/// let sum = Layer::new(vec![1.0, 1.0], vec![0.5])?; // W [2, 1], b [1]
/// let head = Head::new(vec![sum])?;
/// let predicted = head.transform(&Embeddings::new(vec![3.0, 4.0], 2)?)?; // [1, 1]
/// assert_eq!(predicted.as_slice(), [7.5]);
/// # Ok::<(), manyview_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    layers: Vec<Layer>,
    calibration: Option<Vec<Isotonic>>,
}

impl Head {
    /// A head of these layers, in order; the output of each is the input of the next.
    ///
    /// # Errors
    /// No layer, or two that do not fit each other.
    pub fn new(layers: Vec<Layer>) -> Result<Self> {
        if layers.is_empty() {
            return Err(CoreError::Empty { what: "layers of a head".into() }.into());
        }
        for (i, pair) in layers.windows(2).enumerate() {
            if let [a, b] = pair
                && a.dim_out() != b.dim_in()
            {
                return Err(CoreError::Shape {
                    what: format!("layer {} of a head", i + 1),
                    expected: format!("[{}, any]", a.dim_out()),
                    found: format!("[{}, {}]", b.dim_in(), b.dim_out()),
                }
                .into());
            }
        }
        Ok(Self { layers, calibration: None })
    }

    /// The same head with its predictions calibrated by `curves`, one per dimension.
    ///
    /// # Errors
    /// Another number of curves.
    pub fn with_calibration(self, curves: Vec<Isotonic>) -> Result<Self> {
        if curves.len() != self.dim_out() {
            return Err(CoreError::Shape {
                what: "calibration of a head".into(),
                expected: format!("{} curves, one a dimension", self.dim_out()),
                found: format!("{} curves", curves.len()),
            }
            .into());
        }
        Ok(Self { calibration: Some(curves), ..self })
    }

    /// The same head, calibrated on predictions for rows it was not trained on: `held_out`, `[n, dim]`, by this head
    /// or one fitted without these rows, with targets `truth`, `[n, dim]`.
    ///
    /// # Errors
    /// Matrices of other shapes.
    pub fn calibrated(self, held_out: &Targets, truth: &Targets) -> Result<Self> {
        let columns = held_out.columns();
        let curves = columns.iter().zip(truth.columns()).map(|(x, y)| Isotonic::fit(x, &y));
        let curves = curves.collect::<Result<_>>()?;
        self.with_calibration(curves)
    }

    /// Dimension of the input vectors.
    pub fn dim_in(&self) -> usize {
        self.layers.first().map_or(0, Layer::dim_in)
    }

    /// Number of predictions per vector.
    pub fn dim_out(&self) -> usize {
        self.layers.last().map_or(0, Layer::dim_out)
    }

    /// The layers in order.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The curves that calibrate it, one a dimension.
    pub fn calibration(&self) -> Option<&[Isotonic]> {
        self.calibration.as_deref()
    }

    fn predict(&self, x: &[f32]) -> Vec<f64> {
        let mut values = x.to_vec();
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                values.iter_mut().for_each(|v| *v = v.max(0.0));
            }
            values = layer.apply(&values);
        }
        let predicted = values.into_iter().map(f64::from);
        match &self.calibration {
            Some(curves) => predicted.zip(curves).map(|(v, curve)| curve.at(v)).collect(),
            None => predicted.collect(),
        }
    }
}

impl Transform for Head {
    type Output = Targets;

    /// # Errors
    /// Vectors of another length, and predictions that leave the finite range.
    fn transform(&self, x: &Embeddings) -> manyview_core::Result<Targets> {
        if x.dim() != self.dim_in() {
            return Err(CoreError::Shape {
                what: "vectors given to a head".into(),
                expected: format!("[n, {}]", self.dim_in()),
                found: format!("[{}, {}]", x.n(), x.dim()),
            });
        }
        let predicted: Vec<f64> =
            x.as_slice().par_chunks_exact(x.dim()).flat_map_iter(|row| self.predict(row)).collect();
        Targets::new(predicted, self.dim_out())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::normal;

    fn layer(dim_in: usize, dim_out: usize, seed: u64) -> Layer {
        Layer::new(normal(dim_in, dim_out, seed).into_vec(), normal(1, dim_out, seed + 1).into_vec()).unwrap()
    }

    #[test]
    fn a_row_gets_the_same_predictions_alone_and_among_many() {
        let head = Head::new(vec![layer(37, 11, 1), layer(11, 3, 3)]).unwrap();
        let x = normal(500, 37, 5);
        let all = head.transform(&x).unwrap();
        for i in [0, 1, 77, 499] {
            let one = head.transform(&x.select(&[i]).unwrap()).unwrap();
            assert_eq!(one, all.select(&[i]).unwrap());
        }
    }

    #[test]
    fn a_relu_stands_between_layers_and_none_after_the_last() {
        let negate = |b: f32| Layer::new(vec![-1.0], vec![b]).unwrap();
        let head = Head::new(vec![negate(0.0), negate(0.0)]).unwrap();
        let predicted = head.transform(&Embeddings::new(vec![2.0, -2.0], 1).unwrap()).unwrap();
        assert_eq!(predicted.as_slice(), [0.0, -2.0]);
    }

    #[test]
    fn layers_and_curves_that_do_not_fit_are_refused() {
        assert!(Head::new(vec![]).is_err());
        let e = Head::new(vec![layer(4, 3, 1), layer(2, 1, 2)]).unwrap_err().to_string();
        assert!(e.contains("layer 1"), "{e}");
        let one = Isotonic::fit(&[0.0, 1.0], &[0.0, 1.0]).unwrap();
        assert!(Head::new(vec![layer(4, 3, 1)]).unwrap().with_calibration(vec![one]).is_err());
        let e = Head::new(vec![layer(4, 3, 1)]).unwrap().transform(&normal(2, 5, 1)).unwrap_err();
        assert!(e.to_string().contains("[n, 4]"), "{e}");
    }
}
