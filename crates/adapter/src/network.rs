//! Maps and heads as burn modules.
use crate::blocked_linear::BlockedLinear;
use crate::{Linear, Map, Maps, Result, Shape};
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};

/// A trainable [`Map`].
#[derive(Module, Debug)]
pub(crate) struct MapNetwork {
    layers: Vec<BlockedLinear>,
    #[module(skip)]
    shape: Shape,
}

impl MapNetwork {
    pub(crate) fn new(map: &Map, device: &Device) -> Self {
        Self {
            layers: map.layers().iter().map(|l| BlockedLinear::new(l, device)).collect(),
            shape: map.shape(),
        }
    }

    /// What the map gives for `x`, `[n, dim_in]`, before rows are normalised: `[n, dim_out]`.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let output = match (self.layers.as_slice(), self.shape) {
            ([value, gate], Shape::Gated) => {
                value.forward(x.clone()) * activation::sigmoid(gate.forward(x.clone()))
            }
            (layers, shape) => through(layers, x.clone(), shape.has_relu()),
        };
        if self.shape.is_residual() { output + x } else { output }
    }

    /// The map as it stands.
    pub(crate) fn to_map(&self) -> Result<Map> {
        Map::new(self.shape, self.layers.iter().map(BlockedLinear::to_linear).collect::<Result<_>>()?)
    }
}

/// [`Maps`] that can learn.
#[derive(Module, Debug)]
pub(crate) struct MapsNetwork {
    pub(crate) query: MapNetwork,
    /// Of passages, where they have a map of their own.
    pub(crate) passage: Option<MapNetwork>,
}

impl MapsNetwork {
    pub(crate) fn new(maps: &Maps, device: &Device) -> Self {
        let passage = match maps {
            Maps::Dual { passage, .. } => Some(MapNetwork::new(passage, device)),
            _ => None,
        };
        Self { query: MapNetwork::new(maps.query(), device), passage }
    }
}

/// The trainable layers of a head, with a ReLU between two of them.
#[derive(Module, Debug)]
pub(crate) struct HeadNetwork {
    layers: Vec<BlockedLinear>,
}

impl HeadNetwork {
    pub(crate) fn new(layers: &[Linear], device: &Device) -> Self {
        Self { layers: layers.iter().map(|l| BlockedLinear::new(l, device)).collect() }
    }

    /// `[n, dim_in]` to `[n, dim_out]`.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        through(&self.layers, x, true)
    }

    /// The layers as they stand.
    pub(crate) fn linears(&self) -> Result<Vec<Linear>> {
        self.layers.iter().map(BlockedLinear::to_linear).collect()
    }
}

/// Each layer takes what the one before it gives.
fn through(layers: &[BlockedLinear], x: Tensor<2>, has_relu: bool) -> Tensor<2> {
    layers.iter().enumerate().fold(x, |x, (i, layer)| {
        layer.forward(if i > 0 && has_relu { activation::relu(x) } else { x }) // [n, dim_out of the layer]
    })
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;
    use crate::test_data::normal;
    use burn::tensor::TensorData;
    use manyview_core::{Embeddings, Transform};

    #[test]
    fn every_shape_gives_what_its_map_gives_and_comes_back() {
        let device = Device::flex();
        let x = normal(7, 5, 1);
        for shape in Shape::ALL {
            let layers = shape.dims(5, Some(4), 5).into_iter().enumerate().map(|(i, (dim_in, dim_out))| {
                let seed = 2 + i as u64;
                let bias = normal(1, dim_out, seed + 9).into_vec();
                Linear::new(normal(dim_in, dim_out, seed).into_vec(), dim_in, Some(bias)).unwrap()
            });
            let map = Map::new(shape, layers.collect()).unwrap();
            let network = MapNetwork::new(&map, &device);
            let rows = Tensor::from_data(TensorData::new(x.as_slice().to_vec(), [7, 5]), &device);
            let found = network.forward(rows).into_data().iter::<f32>().collect();
            let found = Embeddings::new(found, 5).unwrap().normalized().unwrap();
            let expected = map.transform(&x).unwrap();
            let furthest = found.as_slice().iter().zip(expected.as_slice()).map(|(a, b)| (a - b).abs());
            assert!(furthest.fold(0.0, f32::max) < 1e-6, "{shape:?}");
            assert_eq!(network.to_map().unwrap(), map);
        }
    }
}
