//! Losses of every shape and the gradients of their layers, beside PyTorch.
#[cfg(all(test, feature = "train"))]
#[allow(clippy::unwrap_used)] // a test: clippy does not see that behind `all`
mod tests {
    use crate::contrastive::TrainingPairs;
    use crate::gradient::TrainingPairs as TrainingVectors;
    use crate::network::{MapNetwork, MapsNetwork};
    use crate::{
        Contrastive, ContrastiveConfig, Device, Gradient, GradientConfig, Linear, Map, Maps, Shape, Sides,
    };
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::{Gradients, Tensor};
    use manyview_core::{Embeddings, Paired, QueryPassagePairs};
    use manyview_train::{Batch, TrainStep};
    use serde::Deserialize;

    const DIM: usize = 5;

    #[derive(Deserialize)]
    struct Golden {
        x: Vec<f32>,
        y: Vec<f32>,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        shape: Shape,
        loss: String,
        layers: Vec<Values>,
        value: f64,
        gradients: Vec<Values>,
    }

    #[derive(Deserialize)]
    struct Values {
        weight: Vec<f32>,
        bias: Vec<f32>,
    }

    struct Read(Gradients, Vec<Vec<f32>>);

    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.extend(param.val().grad_remove(&mut self.0).map(|g| g.into_data().iter().collect()));
        }
    }

    /// The loss of all rows, and the gradients of the parameters of `module`.
    fn measured<S: TrainStep>(step: &S, module: &S::Module) -> (f64, Vec<Vec<f32>>) {
        let examples: Vec<usize> = (0..step.examples()).collect();
        let batch = Batch { examples: &examples, epoch: 1, step: 0, seed: 0 };
        let loss = step.loss(module, &batch).unwrap().loss;
        let mut read = Read(loss.backward(), Vec::new());
        module.visit(&mut read);
        (f64::from(loss.into_scalar::<f32>()), read.1)
    }

    fn map(shape: Shape, layers: &[Values]) -> Map {
        let layers = layers.iter().map(|of| {
            let dim_in = of.weight.len() / of.bias.len();
            Linear::new(of.weight.clone(), dim_in, Some(of.bias.clone())).unwrap()
        });
        Map::new(shape, layers.collect()).unwrap()
    }

    #[test]
    fn losses_and_gradients_of_every_shape_and_side_are_those_of_pytorch() {
        let golden: Golden = serde_json::from_str(include_str!("../tests/golden/shapes.json")).unwrap();
        assert_eq!(golden.cases.len(), 4 * Shape::ALL.len());
        let rows = |values: &[f32]| Embeddings::new(values.to_vec(), DIM).unwrap();
        let (x, y) = (rows(&golden.x), rows(&golden.y));
        let device = Device::flex();
        let autodiff = device.clone().autodiff();
        for case in golden.cases {
            let (shape, half) = (case.shape, case.layers.len() / 2);
            let sides = match case.loss.as_str() {
                "query" => Some(Sides::Query),
                "both" => Some(Sides::Both),
                "dual" => Some(Sides::Dual),
                _ => None,
            };
            let (value, gradients) = match sides {
                None => {
                    let config =
                        GradientConfig { shape, mse_weight: 0.7, cosine_weight: 1.3, ..Default::default() };
                    let pairs = Paired::new(x.clone(), y.clone()).unwrap();
                    let step = TrainingVectors::new(&Gradient::new(config, device.clone()), &pairs);
                    measured(&step, &MapNetwork::new(&map(shape, &case.layers), &autodiff))
                }
                Some(sides) => {
                    let config = ContrastiveConfig {
                        shape,
                        sides,
                        scale: 3.0,
                        identity_penalty: 0.3,
                        ..Default::default()
                    };
                    let contrastive = Contrastive::new(config, device.clone());
                    let matched = QueryPassagePairs::new(x.clone(), y.clone(), (0..x.n()).collect()).unwrap();
                    let maps = match sides {
                        Sides::Query => Maps::Query(map(shape, &case.layers)),
                        Sides::Both => Maps::Both(map(shape, &case.layers)),
                        Sides::Dual => Maps::Dual {
                            query: map(shape, &case.layers[..half]),
                            passage: map(shape, &case.layers[half..]),
                        },
                    };
                    let step = TrainingPairs::new(&contrastive, &matched);
                    measured(&step, &MapsNetwork::new(&maps, &autodiff))
                }
            };
            let name = format!("{shape:?} {}", case.loss);
            assert!((value - case.value).abs() < 1e-5 * (1.0 + case.value), "{name}: {value} {}", case.value);
            let expected: Vec<&Vec<f32>> = case.gradients.iter().flat_map(|g| [&g.weight, &g.bias]).collect();
            assert_eq!(gradients.len(), expected.len(), "{name}");
            for (found, expected) in gradients.iter().zip(expected) {
                let largest = expected.iter().fold(0.0, |most: f32, v| most.max(v.abs()));
                let furthest = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(
                    largest > 0.0 && furthest < 1e-5 * (1.0 + largest),
                    "{name}: {furthest} of {largest}"
                );
            }
        }
    }
}
