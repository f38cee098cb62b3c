//! Initialisation of maps.
use crate::{Error, Linear, Map, Result, Shape, matrix};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The initial map of a shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MapStart {
    pub(crate) shape: Shape,
    /// Values between two layers, if not those of [`Shape::default_width`].
    pub(crate) width: Option<usize>,
    pub(crate) bias: bool,
}

impl MapStart {
    /// The identity, in a form that can be trained.
    pub(crate) fn identity(&self, dim: usize, rng: &mut ChaCha8Rng) -> Result<Map> {
        let width = self.width(dim)?;
        if self.shape == Shape::Mlp && width.is_some_and(|width| width < 2 * dim) {
            return Err(Error::Setting {
                name: "width",
                expected: "at least twice the length of a vector, so that an mlp starts at the identity",
                found: width.unwrap_or_default().to_string(),
            });
        }
        let dims = self.shape.dims(dim, width, dim);
        let weights = match (self.shape, width) {
            (Shape::Gated, _) => vec![vec![0.0; dim * dim], uniform((dim, dim), rng)],
            (shape, Some(width)) => {
                let (mut first, mut second) = (uniform((dim, width), rng), vec![0.0; width * dim]);
                if shape == Shape::Mlp {
                    give_back(&mut first, &mut second, dim, width);
                }
                vec![first, second]
            }
            (_, None) => vec![matrix::identity(dim)],
        };
        self.map(weights, &dims)
    }

    /// Uniform values within ±1/√dim_in of each layer.
    pub(crate) fn random(&self, dim_in: usize, dim_out: usize, rng: &mut ChaCha8Rng) -> Result<Map> {
        let dims = self.shape.dims(dim_in, self.width(dim_in)?, dim_out);
        self.map(dims.iter().map(|dims| uniform(*dims, rng)).collect(), &dims)
    }

    fn map(&self, weights: Vec<Vec<f32>>, dims: &[(usize, usize)]) -> Result<Map> {
        let layers = weights.into_iter().zip(dims).enumerate().map(|(i, (weight, (dim_in, dim_out)))| {
            // A bias of the first of two matrices says nothing that one of the second cannot.
            let bias = self.bias && !(self.shape == Shape::LowRank && i == 0);
            Linear::new(weight, *dim_in, bias.then(|| vec![0.0; *dim_out]))
        });
        Map::new(self.shape, layers.collect::<Result<_>>()?)
    }

    fn width(&self, dim: usize) -> Result<Option<usize>> {
        let refused = |expected, found: usize| {
            Err(Error::Setting { name: "width", expected, found: found.to_string() })
        };
        match (self.shape.default_width(dim), self.width) {
            (None, Some(found)) => {
                refused("none, as linear and gated maps have nothing between layers", found)
            }
            (_, Some(0)) => refused("at least 1", 0),
            (default, width) => Ok(width.or(default)),
        }
    }
}

/// Sets the first two hidden units of each value so that they restore it: x = relu(x) − relu(−x).
fn give_back(first: &mut [f32], second: &mut [f32], dim: usize, width: usize) {
    for (i, row) in first.chunks_exact_mut(width).enumerate() {
        for (j, v) in row.iter_mut().enumerate().take(2 * dim) {
            *v = f32::from(j == i) - f32::from(j == dim + i);
        }
    }
    for (j, row) in second.chunks_exact_mut(dim).enumerate().take(2 * dim) {
        let sign = if j < dim { 1.0 } else { -1.0 };
        row.iter_mut().skip(j % dim).take(1).for_each(|v| *v = sign);
    }
}

fn uniform((dim_in, dim_out): (usize, usize), rng: &mut ChaCha8Rng) -> Vec<f32> {
    let bound = (dim_in as f32).sqrt().recip();
    (0..dim_in * dim_out).map(|_| rng.random_range(-bound..bound)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::normal;
    use manyview_core::Transform;
    use rand::SeedableRng;

    #[test]
    fn every_shape_starts_at_the_identity() {
        let x = normal(5, 6, 1);
        let same = x.clone().normalized().unwrap();
        for (shape, width) in [
            (Shape::Linear, None),
            (Shape::LowRank, None),
            (Shape::LowRank, Some(1)),
            (Shape::Residual, None),
            (Shape::Residual, Some(3)),
            (Shape::Mlp, None),
            (Shape::Mlp, Some(17)),
            (Shape::Gated, None),
        ] {
            for bias in [false, true] {
                let mut rng = ChaCha8Rng::seed_from_u64(0);
                let map = MapStart { shape, width, bias }.identity(6, &mut rng).unwrap();
                assert_eq!(map.transform(&x).unwrap(), same, "{shape:?}");
                assert_eq!(map.layers().iter().any(|l| l.bias().is_some()), bias);
            }
        }
    }

    #[test]
    fn a_width_that_a_shape_cannot_have_is_refused_by_name() {
        for (shape, width) in [(Shape::Mlp, 11), (Shape::LowRank, 0), (Shape::Linear, 6), (Shape::Gated, 6)] {
            let start = MapStart { shape, width: Some(width), bias: false };
            let e = start.identity(6, &mut ChaCha8Rng::seed_from_u64(0)).unwrap_err();
            assert!(e.to_string().starts_with("width"), "{e}");
        }
    }
}
