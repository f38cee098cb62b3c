use super::batch::{Batch, Batches};
use super::loss::Loss;
use super::unit::Unit;
use super::{Contrastive, MonitoredMatches};
use crate::gradient::adamw::AdamW;
use crate::gradient::parameters::{Parameters, select, tensor};
use crate::network::{self, Network, Pass, Slope};
use crate::training::{Course, Measured};
use crate::{Linear, Map, Maps, Result, Sides};
use burn::tensor::Tensor;
use manyview_core::Embeddings;

/// The matches of [`Contrastive`] on its device.
pub(super) struct Matches<'a> {
    contrastive: &'a Contrastive,
    data: &'a MonitoredMatches<'a>,
    batches: Batches<'a>,
    adamw: AdamW,
    queries: Tensor<2>,
    /// Of length 1 where they are not mapped.
    passages: Tensor<2>,
}

/// One side of a batch: what is compared, and how it came about where it is mapped.
struct Side {
    rows: Tensor<2>,
    mapped: Option<(Pass, Unit)>,
}

impl<'a> Matches<'a> {
    pub(super) fn new(contrastive: &'a Contrastive, data: &'a MonitoredMatches<'a>) -> Self {
        let config = &contrastive.config;
        let on_device = |x: &Embeddings| tensor(x.as_slice().to_vec(), x.dim(), &contrastive.device);
        let passages = on_device(data.train.passages());
        Self {
            batches: Batches::new(config, &data.train),
            adamw: AdamW::new(config.weight_decay, &contrastive.device),
            queries: on_device(data.train.queries()),
            passages: if config.sides == Sides::Query { Unit::new(passages).rows } else { passages },
            contrastive,
            data,
        }
    }

    /// The maps of layers, those of queries first.
    pub(super) fn maps(&self, layers: Vec<Linear>) -> Result<Maps> {
        let (shape, mut query) = (self.contrastive.config.map, layers);
        let passage = query.split_off(shape.layers().min(query.len()));
        let query = Map::new(shape, query)?;
        Ok(match self.contrastive.config.sides {
            Sides::Query => Maps::Query(query),
            Sides::Both => Maps::Both(query),
            Sides::Dual => Maps::Dual { query, passage: Map::new(shape, passage)? },
        })
    }

    /// The map of queries, and that of passages where they are mapped.
    fn networks<'l>(&self, layers: &'l [Parameters]) -> (Network<'l>, Option<Network<'l>>) {
        let shape = self.contrastive.config.map;
        let (query, passage) = layers.split_at(shape.layers().min(layers.len()));
        let passage = match self.contrastive.config.sides {
            Sides::Query => None,
            Sides::Both => Some(query),
            Sides::Dual => Some(passage),
        };
        let network =
            |layers| Network { layers, rectifies: shape.rectifies(), adds_input: shape.adds_input() };
        (network(query), passage.map(network))
    }

    /// The loss of a batch and the slope of each layer.
    fn slopes(&self, layers: &[Parameters], batch: &Batch) -> (f64, Vec<Slope>) {
        let config = &self.contrastive.config;
        let (query, passage) = self.networks(layers);
        let x = select(&self.queries, &batch.queries);
        let p = batch
            .passages
            .as_ref()
            .map_or_else(|| self.passages.clone(), |rows| select(&self.passages, rows));
        let (of_x, of_p) = (Side::new(&x, Some(query)), Side::new(&p, passage));
        let Loss { mut value, queries, passages } =
            Loss::of(config, &batch.lesson, &of_x.rows, &of_p.rows, passage.is_some());
        let mut slopes = of_x.backward(query, &x, queries, config.recovery, &mut value);
        if let Some((network, gradient)) = passage.zip(passages) {
            let others = of_p.backward(network, &p, gradient, config.recovery, &mut value);
            match config.sides {
                Sides::Dual => slopes.extend(others),
                _ => slopes = network::join(slopes, others),
            }
        }
        (value, slopes)
    }
}

impl Side {
    fn new(x: &Tensor<2>, network: Option<Network<'_>>) -> Self {
        let mapped = network.map(|network| {
            let pass = network.forward(x);
            let unit = Unit::new(pass.output.clone());
            (pass, unit)
        });
        Self { rows: mapped.as_ref().map_or_else(|| x.clone(), |(_, unit)| unit.rows.clone()), mapped }
    }

    /// The slope of each layer of `network`, from the gradient of the rows it gave for `x`. Adds to the loss what it
    /// costs to be away from `x`: `recovery` · mean |A(x) − x|².
    fn backward(
        self,
        network: Network<'_>,
        x: &Tensor<2>,
        gradient: Tensor<2>,
        recovery: f64,
        loss: &mut f64,
    ) -> Vec<Slope> {
        let Some((pass, unit)) = self.mapped else { return Vec::new() };
        let mut gradient = unit.backward(gradient);
        if recovery > 0.0 {
            let (moved, weight) = (pass.output.clone() - x.clone(), recovery / x.dims()[0] as f64);
            *loss += weight * f64::from(moved.clone().square().sum().into_scalar::<f32>());
            gradient = gradient + moved * (2.0 * weight);
        }
        network.backward(pass, gradient)
    }
}

impl Course for Matches<'_> {
    fn rows(&self) -> usize {
        self.data.train.queries().n()
    }

    fn step(&self, layers: &mut [Parameters], lr: f64, rows: &[usize]) -> Result<Measured> {
        let (loss, slopes) = self.slopes(layers, &self.batches.of(rows));
        network::step(layers, &self.adamw, lr, &slopes, self.contrastive.config.clip)?;
        Ok(loss.into())
    }

    fn measure(&self, layers: &[Parameters]) -> Result<(Option<Measured>, Option<f64>)> {
        let Some(score) = self.data.score else { return Ok((None, None)) };
        let maps = self.maps(layers.iter().map(Parameters::linear).collect::<Result<_>>()?)?;
        Ok((None, Some(score(&maps)?)))
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::gradient::parameters::tensor;
    use crate::test_data::normal;
    use crate::{ContrastiveConfig, Shape};
    use burn::tensor::{Device, activation};
    use manyview_core::{Matched, Quiet};

    const DIM: usize = 5;

    /// A map written with the tensors of its layers.
    fn mapped(shape: Shape, layers: &[(Tensor<2>, Tensor<2>)], x: &Tensor<2>) -> Tensor<2> {
        let through = |x: Tensor<2>, (w, b): &(Tensor<2>, Tensor<2>)| x.matmul(w.clone()) + b.clone();
        let first = through(x.clone(), &layers[0]);
        match shape {
            Shape::Linear => first,
            Shape::LowRank => x.clone() + through(first, &layers[1]),
            Shape::Residual => x.clone() + through(first.clamp_min(0.0), &layers[1]),
            Shape::Mlp => through(first.clamp_min(0.0), &layers[1]),
        }
    }

    #[test]
    fn the_gradient_of_every_shape_and_side_is_that_of_automatic_differentiation() {
        let (n, recovery) = (6, 0.3);
        let (q, p) = (normal(n, DIM, 1), normal(n, DIM, 2));
        for map in [Shape::Linear, Shape::LowRank, Shape::Residual, Shape::Mlp] {
            for sides in [Sides::Query, Sides::Both, Sides::Dual] {
                let config = ContrastiveConfig { map, sides, recovery, scale: 3.0, ..Default::default() };
                let contrastive = Contrastive::new(config, Device::flex());
                let train = Matched::new(q.clone(), p.clone(), (0..n).collect()).unwrap();
                let data = MonitoredMatches { train, score: None, progress: &Quiet };
                let matches = Matches::new(&contrastive, &data);
                let dims = if map == Shape::Linear { vec![(DIM, DIM)] } else { vec![(DIM, 7), (7, DIM)] };
                let dims = dims.repeat(if sides == Sides::Dual { 2 } else { 1 });
                let values = |i: usize, (a, b): (usize, usize)| {
                    (normal(a, b, 10 + i as u64).into_vec(), normal(1, b, 20 + i as u64).into_vec())
                };
                let layers: Vec<Parameters> = dims
                    .iter()
                    .enumerate()
                    .map(|(i, dims)| {
                        let (weight, bias) = values(i, *dims);
                        let linear = Linear::new(weight, dims.0, Some(bias)).unwrap();
                        Parameters::new(&linear, None, &contrastive.device)
                    })
                    .collect();
                let batch = matches.batches.of(&(0..n).collect::<Vec<_>>());
                let (found, slopes) = matches.slopes(&layers, &batch);

                let device = Device::flex().autodiff();
                let leaf = |values: Vec<f32>, dim| tensor(values, dim, &device).require_grad();
                let leaves: Vec<_> = dims
                    .iter()
                    .enumerate()
                    .map(|(i, dims)| {
                        let (weight, bias) = values(i, *dims);
                        (leaf(weight, dims.1), leaf(bias, dims.1))
                    })
                    .collect();
                let (x, y) = (leaf(q.clone().into_vec(), DIM), leaf(p.clone().into_vec(), DIM));
                let unit = |x: &Tensor<2>| x.clone() / x.clone().square().sum_dim(1).sqrt();
                let away = |a: &Tensor<2>, x: &Tensor<2>| (a.clone() - x.clone()).square().sum() / n as f64;
                let of_x = mapped(map, &leaves, &x);
                let of_y = match sides {
                    Sides::Query => y.clone(),
                    Sides::Both => mapped(map, &leaves, &y),
                    Sides::Dual => mapped(map, &leaves[map.layers()..], &y),
                };
                let logits = unit(&of_x).matmul(unit(&of_y).transpose()) * 3.0;
                let own = activation::log_softmax(logits, 1) * Tensor::<2>::eye(n, &device);
                let loss = own.sum().neg() / n as f64 + (away(&of_x, &x) + away(&of_y, &y)) * recovery;
                let gradients = loss.backward();
                assert!(
                    (found - f64::from(loss.into_scalar::<f32>())).abs() < 1e-4 * found,
                    "{map:?} {sides:?}"
                );
                assert_eq!(slopes.len(), leaves.len());
                for ((weight, bias), slope) in leaves.iter().zip(slopes) {
                    let (of_weight, of_bias) = slope.gradients();
                    for (leaf, found) in [(weight, of_weight), (bias, of_bias)] {
                        let expected = leaf.grad(&gradients).unwrap();
                        let largest: f32 = expected.clone().abs().max().into_scalar();
                        let furthest: f32 = (found - expected).abs().max().into_scalar();
                        assert!(
                            furthest < 1e-5 * (1.0 + largest),
                            "{map:?} {sides:?}: {furthest} of {largest}"
                        );
                    }
                }
            }
        }
    }
}
