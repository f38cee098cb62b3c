//! Layers one behind the other under training: what they give, and the slope of each.
use crate::Result;
use crate::gradient::adamw::AdamW;
use crate::gradient::parameters::{Parameters, gradient_length};
use burn::tensor::Tensor;

/// Layers under training, each taking what the one before it gives.
#[derive(Clone, Copy)]
pub(crate) struct Network<'a> {
    pub(crate) layers: &'a [Parameters],
    /// Whether a rectifier stands between two layers.
    pub(crate) rectifies: bool,
    /// Whether the input is added to what the layers give.
    pub(crate) adds_input: bool,
}

/// What a network gives for some rows, and what went into each of its layers.
pub(crate) struct Pass {
    /// `[n, dim_out]`, not normalised.
    pub(crate) output: Tensor<2>,
    inputs: Vec<Tensor<2>>,
}

/// What went into a layer, `[n, dim_in]`, and the gradient of what came out, `[n, dim_out]`.
pub(crate) struct Slope {
    input: Tensor<2>,
    gradient: Tensor<2>,
}

impl Network<'_> {
    pub(crate) fn forward(&self, x: &Tensor<2>) -> Pass {
        let (mut inputs, mut output) = (Vec::with_capacity(self.layers.len()), x.clone());
        for (i, layer) in self.layers.iter().enumerate() {
            let input = if i > 0 && self.rectifies { output.clamp_min(0.0) } else { output };
            output = layer.forward(&input);
            inputs.push(input);
        }
        if self.adds_input {
            output = output + x.clone();
        }
        Pass { output, inputs }
    }

    /// The slope of each layer, from the gradient of the output.
    pub(crate) fn backward(&self, pass: Pass, gradient: Tensor<2>) -> Vec<Slope> {
        let mut slopes = Vec::with_capacity(self.layers.len());
        let mut of_output = gradient;
        for (i, (layer, input)) in self.layers.iter().zip(pass.inputs).enumerate().rev() {
            let gradient = of_output;
            of_output = match (i, self.rectifies) {
                (0, _) => gradient.clone(),
                (_, true) => layer.backward(&gradient).mask_fill(input.clone().lower_equal_elem(0.0), 0.0),
                (_, false) => layer.backward(&gradient),
            };
            slopes.push(Slope { input, gradient });
        }
        slopes.reverse();
        slopes
    }
}

/// The slopes of two sets of rows through one network.
pub(crate) fn join(a: Vec<Slope>, b: Vec<Slope>) -> Vec<Slope> {
    let joined = a.into_iter().zip(b).map(|(a, b)| Slope {
        input: Tensor::cat(vec![a.input, b.input], 0),
        gradient: Tensor::cat(vec![a.gradient, b.gradient], 0),
    });
    joined.collect()
}

/// One step of AdamW at rate `lr` along the slope of each layer, all of them together no longer than `clip`.
pub(crate) fn step(
    layers: &mut [Parameters],
    adamw: &AdamW,
    lr: f64,
    slopes: &[Slope],
    clip: Option<f64>,
) -> Result<()> {
    let factor = clip.and_then(|longest| {
        let lengths = layers.iter().zip(slopes).map(|(layer, slope)| slope.length(layer.is_biased()));
        let length = lengths.map(|length| length * length).sum::<f64>().sqrt();
        (length > longest).then(|| longest / length)
    });
    for (layer, slope) in layers.iter_mut().zip(slopes) {
        match factor {
            Some(factor) => layer.step(adamw, lr, &slope.input, &(slope.gradient.clone() * factor))?,
            None => layer.step(adamw, lr, &slope.input, &slope.gradient)?,
        }
    }
    Ok(())
}

impl Slope {
    /// The length of the gradient of weight and bias.
    fn length(&self, bias: bool) -> f64 {
        gradient_length(&self.input, &self.gradient, bias)
    }

    /// The gradient of weight and bias.
    #[cfg(all(test, feature = "flex"))]
    pub(crate) fn gradients(&self) -> (Tensor<2>, Tensor<2>) {
        let of_weight = self.input.clone().transpose().matmul(self.gradient.clone());
        (of_weight, self.gradient.clone().sum_dim(0))
    }
}
