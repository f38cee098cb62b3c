//! Maps under training.
use crate::gradient::adamw::AdamW;
use crate::gradient::parameters::{Parameters, gradient_length};
use crate::{Map, Maps, Result, Shape};
use burn::tensor::{Device, Tensor};

/// One map on a device.
pub(super) struct Network {
    shape: Shape,
    layers: Vec<Parameters>,
}

/// What a map gives for some rows, and what went into each of its layers.
pub(super) struct Pass {
    /// `[n, dim_out]`, not normalised.
    pub(super) output: Tensor<2>,
    inputs: Vec<Tensor<2>>,
}

/// What went into a layer, `[n, dim_in]`, and the gradient of what came out, `[n, dim_out]`.
pub(super) struct Slope {
    input: Tensor<2>,
    gradient: Tensor<2>,
}

impl Network {
    fn new(map: &Map, device: &Device) -> Self {
        let layers = map.layers().iter().map(|layer| Parameters::new(layer, None, device));
        Self { shape: map.shape(), layers: layers.collect() }
    }

    pub(super) fn forward(&self, x: &Tensor<2>) -> Pass {
        let (mut inputs, mut output) = (Vec::with_capacity(self.layers.len()), x.clone());
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 && self.shape.rectifies() {
                output = output.clamp_min(0.0);
            }
            inputs.push(output);
            output = inputs.last().map_or_else(|| x.clone(), |input| layer.forward(input));
        }
        if self.shape.adds_input() {
            output = output + x.clone();
        }
        Pass { output, inputs }
    }

    /// The slope of each layer, from the gradient of the output.
    pub(super) fn backward(&self, pass: Pass, gradient: Tensor<2>) -> Vec<Slope> {
        let mut slopes = Vec::with_capacity(self.layers.len());
        let mut gradient = Some(gradient);
        for (i, (layer, input)) in self.layers.iter().zip(pass.inputs).enumerate().rev() {
            let Some(of_output) = gradient.take() else { break };
            if i > 0 {
                let of_input = layer.backward(&of_output);
                gradient = Some(match self.shape.rectifies() {
                    true => of_input.mask_fill(input.clone().lower_equal_elem(0.0), 0.0),
                    false => of_input,
                });
            }
            slopes.push(Slope { input, gradient: of_output });
        }
        slopes.reverse();
        slopes
    }

    fn map(&self) -> Result<Map> {
        Map::new(self.shape, self.layers.iter().map(Parameters::linear).collect::<Result<_>>()?)
    }

    fn squared_length(&self, slopes: &[Slope]) -> f64 {
        let lengths = self.layers.iter().zip(slopes);
        lengths.map(|(layer, s)| gradient_length(&s.input, &s.gradient, layer.is_biased()).powi(2)).sum()
    }

    fn step(&mut self, adamw: &AdamW, lr: f64, slopes: &[Slope], factor: Option<f64>) -> Result<()> {
        for (layer, slope) in self.layers.iter_mut().zip(slopes) {
            match factor {
                Some(factor) => layer.step(adamw, lr, &slope.input, &(slope.gradient.clone() * factor))?,
                None => layer.step(adamw, lr, &slope.input, &slope.gradient)?,
            }
        }
        Ok(())
    }
}

/// The maps of one adapter on a device.
pub(super) enum Networks {
    Query(Network),
    Both(Network),
    Dual(Network, Network),
}

impl Networks {
    pub(super) fn new(maps: &Maps, device: &Device) -> Self {
        let network = |map| Network::new(map, device);
        match maps {
            Maps::Query(map) => Self::Query(network(map)),
            Maps::Both(map) => Self::Both(network(map)),
            Maps::Dual { query, passage } => Self::Dual(network(query), network(passage)),
        }
    }

    pub(super) fn query(&self) -> &Network {
        match self {
            Self::Query(network) | Self::Both(network) | Self::Dual(network, _) => network,
        }
    }

    pub(super) fn passage(&self) -> Option<&Network> {
        match self {
            Self::Query(_) => None,
            Self::Both(network) | Self::Dual(_, network) => Some(network),
        }
    }

    pub(super) fn maps(&self) -> Result<Maps> {
        Ok(match self {
            Self::Query(network) => Maps::Query(network.map()?),
            Self::Both(network) => Maps::Both(network.map()?),
            Self::Dual(query, passage) => Maps::Dual { query: query.map()?, passage: passage.map()? },
        })
    }

    /// One step of AdamW at rate `lr` along the slopes of both sides, no longer than `clip`.
    pub(super) fn step(
        &mut self,
        adamw: &AdamW,
        lr: f64,
        query: Vec<Slope>,
        passage: Vec<Slope>,
        clip: Option<f64>,
    ) -> Result<()> {
        let (query, passage) = match self {
            Self::Both(_) => (join(query, passage), Vec::new()),
            Self::Query(_) | Self::Dual(..) => (query, passage),
        };
        let factor = clip.and_then(|longest| {
            let of_passages = self.passage().map_or(0.0, |network| network.squared_length(&passage));
            let length = (self.query().squared_length(&query) + of_passages).sqrt();
            (length > longest).then(|| longest / length)
        });
        match self {
            Self::Query(network) | Self::Both(network) => network.step(adamw, lr, &query, factor),
            Self::Dual(a, b) => {
                a.step(adamw, lr, &query, factor)?;
                b.step(adamw, lr, &passage, factor)
            }
        }
    }
}

/// The slopes of two sets of rows through one map.
fn join(a: Vec<Slope>, b: Vec<Slope>) -> Vec<Slope> {
    let joined = a.into_iter().zip(b).map(|(a, b)| Slope {
        input: Tensor::cat(vec![a.input, b.input], 0),
        gradient: Tensor::cat(vec![a.gradient, b.gradient], 0),
    });
    joined.collect()
}
