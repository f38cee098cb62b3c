use crate::linear::by_blocks;
use crate::{Linear, Result};
use manyview_core::{Embeddings, Error as CoreError, Transform};
use serde::{Deserialize, Serialize};

/// What a [`Map`] computes before each row is normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `x W + b`.
    #[default]
    Linear,
    /// `x + x A B + b`, with A `[dim, rank]` and B `[rank, dim]`.
    LowRank,
    /// `x + relu(x W₁ + b₁) W₂ + b₂`.
    Residual,
    /// `relu(x W₁ + b₁) W₂ + b₂`.
    Mlp,
    /// `x + (x W₁ + b₁) ⊙ σ(x W₂ + b₂)`: a gated linear unit (Dauphin et al. 2017) on a residual connection. The gate opens
    /// for each value of each text by itself.
    Gated,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Linear, Self::LowRank, Self::Residual, Self::Mlp, Self::Gated];

    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::LowRank => "low_rank",
            Self::Residual => "residual",
            Self::Mlp => "mlp",
            Self::Gated => "gated",
        }
    }

    /// Whether the input is added to the output of the layers.
    pub(crate) fn is_residual(self) -> bool {
        matches!(self, Self::LowRank | Self::Residual | Self::Gated)
    }

    /// Whether there is a ReLU between two layers.
    pub(crate) fn has_relu(self) -> bool {
        matches!(self, Self::Residual | Self::Mlp)
    }

    /// Default number of hidden units for vectors of dimension `dim`; none for shapes without a hidden layer.
    pub(crate) fn default_width(self, dim: usize) -> Option<usize> {
        match self {
            Self::Linear | Self::Gated => None,
            Self::LowRank => Some(16),
            Self::Residual => Some(dim),
            Self::Mlp => Some(2 * dim),
        }
    }

    /// Length of what goes into each layer and of what comes out.
    pub(crate) fn dims(self, dim_in: usize, width: Option<usize>, dim_out: usize) -> Vec<(usize, usize)> {
        match (self, width) {
            (Self::Linear, _) => vec![(dim_in, dim_out)],
            (Self::Gated, _) => vec![(dim_in, dim_out); 2],
            (_, width) => {
                let width = width.unwrap_or_default();
                vec![(dim_in, width), (width, dim_out)]
            }
        }
    }
}

/// A map of one [`Shape`], followed by L2 normalisation of each row.
///
/// ```
/// # use manyview_adapter::{Linear, Map, Shape};
/// # use manyview_core::{Embeddings, Transform};
/// let a = Linear::new(vec![1.0, 0.0], 2, None)?; // A [2, 1]
/// let b = Linear::new(vec![0.0, 1.0], 1, None)?; // B [1, 2]
/// let map = Map::new(Shape::LowRank, vec![a, b])?;
/// let y = map.transform(&Embeddings::new(vec![3.0, 1.0], 2)?)?; // (3, 1) + (0, 3)
/// assert_eq!(y.row(0), [0.6, 0.8]);
/// # Ok::<(), manyview_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    shape: Shape,
    layers: Vec<Linear>,
}

impl Map {
    /// Takes the layers of a shape in the order in which they are computed, none of them followed by a normalisation.
    ///
    /// # Errors
    /// Another number of layers than the shape has, layers that do not fit each other, and an output of another length
    /// than an input that is added to it.
    pub fn new(shape: Shape, layers: Vec<Linear>) -> Result<Self> {
        let refused = |what: &str, expected: String, found: String| {
            Err(CoreError::Shape { what: format!("{} map, {what}", shape.as_str()), expected, found }.into())
        };
        let [first, last] =
            [layers.first(), layers.last()].map(|l| l.map_or((0, 0), |l| (l.dim_in(), l.dim_out())));
        let dims = shape.dims(first.0, Some(first.1), last.1);
        if layers.len() != dims.len() {
            return refused("layers", dims.len().to_string(), layers.len().to_string());
        }
        let found: Vec<_> = layers.iter().map(|l| (l.dim_in(), l.dim_out())).collect();
        if found != dims {
            return refused("dimensions of layers", format!("{dims:?}"), format!("{found:?}"));
        }
        let map = Self { shape, layers };
        if shape.is_residual() && map.dim_in() != map.dim_out() {
            return refused(
                "output",
                format!("{} values, as the input", map.dim_in()),
                map.dim_out().to_string(),
            );
        }
        Ok(map)
    }

    /// What it computes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Its layers, in the order in which they are computed.
    pub fn layers(&self) -> &[Linear] {
        &self.layers
    }

    /// The linear map, if the shape is linear.
    pub fn as_linear(&self) -> Option<&Linear> {
        self.layers.first().filter(|_| self.shape == Shape::Linear)
    }

    /// Dimension of the input vectors.
    pub fn dim_in(&self) -> usize {
        self.layers.first().map_or(0, Linear::dim_in)
    }

    /// Dimension of the output vectors.
    pub fn dim_out(&self) -> usize {
        self.layers.last().map_or(0, Linear::dim_out)
    }

    /// Number of hidden units, for shapes with a hidden layer.
    pub fn width(&self) -> Option<usize> {
        self.layers.first().map(Linear::dim_out).filter(|_| self.shape.default_width(1).is_some())
    }

    /// Adds the map of some rows, not normalised, to zeros.
    fn apply(&self, x: &[f32], y: &mut [f32]) {
        match (self.layers.as_slice(), self.shape) {
            ([value, gate], Shape::Gated) => {
                let mut opened = vec![0.0; y.len()];
                gate.affine(x, &mut opened);
                value.affine(x, y);
                y.iter_mut().zip(opened).for_each(|(y, gate)| *y /= 1.0 + (-gate).exp());
            }
            ([first, second], shape) => {
                let mut hidden = vec![0.0; x.len() / first.dim_in() * first.dim_out()];
                first.affine(x, &mut hidden);
                if shape.has_relu() {
                    hidden.iter_mut().for_each(|v| *v = v.max(0.0));
                }
                second.affine(&hidden, y);
            }
            (layers, _) => layers.iter().for_each(|layer| layer.affine(x, y)),
        }
        if self.shape.is_residual() {
            y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
        }
    }
}

impl From<Linear> for Map {
    fn from(linear: Linear) -> Self {
        Self { shape: Shape::Linear, layers: vec![linear] }
    }
}

impl Transform for Map {
    type Output = Embeddings;

    fn transform(&self, x: &Embeddings) -> manyview_core::Result<Embeddings> {
        by_blocks(x, (self.dim_in(), self.dim_out()), |x, y| self.apply(x, y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::normal;

    fn layer(dim_in: usize, dim_out: usize, seed: u64) -> Linear {
        Linear::new(normal(dim_in, dim_out, seed).into_vec(), dim_in, Some(vec![0.5; dim_out])).unwrap()
    }

    #[test]
    fn every_shape_computes_its_formula() {
        let x = normal(3, 2, 1);
        let layers = || vec![layer(2, 3, 2), layer(3, 2, 3)];
        let through = |layer: &Linear, x: &[f32]| -> Vec<f32> {
            let column = |j: usize| {
                let sum = x.iter().enumerate().map(|(i, v)| v * layer.weight()[i * layer.dim_out() + j]);
                sum.sum::<f32>() + 0.5
            };
            (0..layer.dim_out()).map(column).collect()
        };
        for shape in [Shape::LowRank, Shape::Residual, Shape::Mlp, Shape::Gated] {
            let layers = if shape == Shape::Gated { vec![layer(2, 2, 2), layer(2, 2, 3)] } else { layers() };
            let found = Map::new(shape, layers.clone()).unwrap().transform(&x).unwrap();
            let expected = x.rows().map(|row| {
                let mut hidden = through(&layers[0], row);
                let mut y = if shape == Shape::Gated {
                    let gates = through(&layers[1], row);
                    hidden.iter().zip(gates).map(|(v, gate)| v / (1.0 + (-gate).exp())).collect()
                } else {
                    if shape != Shape::LowRank {
                        hidden.iter_mut().for_each(|v| *v = v.max(0.0));
                    }
                    through(&layers[1], &hidden)
                };
                if shape != Shape::Mlp {
                    y.iter_mut().zip(row).for_each(|(y, x)| *y += x);
                }
                y
            });
            let expected = Embeddings::from_rows(expected).unwrap().normalized().unwrap();
            let furthest = found.as_slice().iter().zip(expected.as_slice()).map(|(a, b)| (a - b).abs());
            assert!(furthest.fold(0.0, f32::max) < 1e-6, "{shape:?}");
        }
    }

    #[test]
    fn a_linear_map_is_what_it_was_before() {
        let (x, linear) = (normal(5, 4, 1), layer(4, 3, 2));
        let map = Map::from(linear.clone());
        assert_eq!(map.transform(&x).unwrap(), linear.transform(&x).unwrap());
        assert_eq!(map.as_linear(), Some(&linear));
    }

    #[test]
    fn layers_that_are_no_map_of_their_shape_are_refused() {
        for (shape, layers) in [
            (Shape::Linear, vec![]),
            (Shape::Linear, vec![layer(2, 2, 1), layer(2, 2, 2)]),
            (Shape::Mlp, vec![layer(2, 2, 1)]),
            (Shape::Mlp, vec![layer(2, 3, 1), layer(2, 3, 2)]),
            (Shape::Residual, vec![layer(2, 3, 1), layer(3, 3, 2)]),
            (Shape::Gated, vec![layer(2, 3, 1), layer(3, 2, 2)]),
            (Shape::Gated, vec![layer(2, 3, 1), layer(2, 3, 2)]),
        ] {
            let e = Map::new(shape, layers).unwrap_err();
            assert!(e.to_string().starts_with(shape.as_str()), "{e}");
        }
        assert!(Map::new(Shape::Mlp, vec![layer(2, 5, 1), layer(5, 3, 2)]).is_ok());
    }
}
