use super::activation;
use super::dense::{Dense, QuantHints, Source};
use super::layers::Layers;
use super::norm::LayerNorm;
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::post_norm::{Activation, PostNorm};

/// The layers of BERT and its descendants; see [`PostNorm`].
pub(super) struct PostNormLayers {
    layers: Vec<Layer>,
    activation: Activation,
    heads: Heads,
    hidden: usize,
    intermediate: usize,
}

struct Layer {
    qkv: Dense,
    out: Dense,
    attention_norm: LayerNorm,
    up: Dense,
    down: Dense,
    output_norm: LayerNorm,
}

impl PostNormLayers {
    /// Loads layers whose input comes from the normalisation `before`.
    pub(super) fn load(config: &PostNorm, source: &Source<'_>, before: &LayerNorm) -> Result<Self> {
        let mut layers: Vec<Layer> = Vec::with_capacity(config.layers);
        for i in 0..config.layers {
            let before = layers.last().map_or(before, |layer| &layer.output_norm);
            let layer = Layer::load(config, source, i, before)?;
            layers.push(layer);
        }
        Ok(Self {
            layers,
            activation: config.activation,
            heads: config.heads,
            hidden: config.hidden,
            intermediate: config.intermediate,
        })
    }
}

impl Layers for PostNormLayers {
    fn count(&self) -> usize {
        self.layers.len()
    }

    fn heads(&self) -> Heads {
        self.heads
    }

    fn project(&self, layer: usize, states: &[f32], _first: usize, qkv: &mut [f32]) -> Result<()> {
        self.layers[layer].qkv.forward(states, self.hidden, qkv)
    }

    fn finish(&self, layer: usize, states: &mut [f32], attended: &[f32], inner: &mut Vec<f32>) -> Result<()> {
        let (layer, n) = (&self.layers[layer], self.hidden);
        layer.out.add(attended, n, states)?;
        layer.attention_norm.apply(states);
        inner.resize(states.len() / n * self.intermediate, 0.0);
        layer.up.forward(states, n, inner)?;
        activation::apply(self.activation, inner);
        layer.down.add(inner, self.intermediate, states)?;
        layer.output_norm.apply(states);
        Ok(())
    }
}

impl Layer {
    /// The layer `i`, whose input comes from the normalisation `before`.
    fn load(config: &PostNorm, source: &Source<'_>, i: usize, before: &LayerNorm) -> Result<Self> {
        let (hidden, inner, names) = (config.hidden, config.intermediate, (config.names)(i));
        let norm = |name: &str| LayerNorm::load(source.checkpoint, name, hidden, config.epsilon);
        let qkv = names.qkv.map(|name| (name, hidden));
        let attention_norm = norm(&names.attention_norm)?;
        let up = [(names.up, inner)];
        let hints = |norm, skip| QuantHints { skip, norm: Some(LayerNorm::affine(norm)) };
        Ok(Self {
            // Values are averaged straight into the result: what rounding takes from them matters most.
            qkv: Dense::fused(source, &qkv, hidden, hints(before, 2 * hidden))?,
            out: Dense::load(source, &names.out, hidden, hidden)?,
            up: Dense::fused(source, &up, hidden, hints(&attention_norm, 0))?,
            attention_norm,
            down: Dense::load(source, &names.down, inner, hidden)?,
            output_norm: norm(&names.output_norm)?,
        })
    }
}
