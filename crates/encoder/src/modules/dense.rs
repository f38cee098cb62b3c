use super::activation::Activation;
use super::{config, size};
use crate::checkpoint::Checkpoint;
use crate::native::{Dense as Layer, Source};
use crate::{Error, Result, Weights};
use serde_json::Value;
use std::path::Path;

/// A linear layer with an activation, and perhaps its input added to what it gives.
pub(super) struct Dense {
    layer: Layer,
    activation: Activation,
    residual: Residual,
    dim_in: usize,
    dim_out: usize,
}

enum Residual {
    None,
    Input,
    Projected(Box<Layer>),
}

impl Dense {
    pub(super) fn load(dir: &Path, dim_in: usize) -> Result<Self> {
        let known = ["in_features", "out_features", "bias", "activation_function", "use_residual"];
        let config = config(dir, &known)?;
        let dim_in = size(dir, &config, "in_features", Some(dim_in))?;
        let dim_out = size(dir, &config, "out_features", None)?;
        let has_bias = config.get("bias").is_none_or(|bias| bias == &Value::Bool(true));
        let activation = match config.get("activation_function").map(|name| name.as_str().unwrap_or_default())
        {
            None => Activation::Tanh, // what its constructor takes
            Some(name) => Activation::of_class(name).ok_or_else(|| Error::Unsupported {
                path: dir.join(super::CONFIG),
                what: "activation_function",
                found: name.into(),
                supported: Activation::NAMES.into(),
            })?,
        };
        let with_input = config.get("use_residual") == Some(&Value::Bool(true));
        let mut tensors = vec!["linear.weight"];
        tensors.extend(has_bias.then_some("linear.bias"));
        tensors.extend((with_input && dim_in != dim_out).then_some("residual.weight"));
        let checkpoint = Checkpoint::of_module(dir, &tensors)?;
        let source = Source { checkpoint: &checkpoint, weights: Weights::F32 };
        let load = |name: &str| Layer::load(&source, name, dim_in, dim_out);
        let residual = match with_input {
            false => Residual::None,
            true if dim_in == dim_out => Residual::Input,
            true => Residual::Projected(Box::new(load("residual")?)),
        };
        Ok(Self { layer: load("linear")?, activation, residual, dim_in, dim_out })
    }

    pub(super) fn dim_out(&self) -> usize {
        self.dim_out
    }

    /// Rows `[texts, dim_in]` to rows `[texts, dim_out]`.
    pub(super) fn apply(&self, rows: &[f32]) -> Result<Vec<f32>> {
        let mut out = vec![0f32; rows.len() / self.dim_in * self.dim_out];
        self.layer.forward(rows, self.dim_in, &mut out)?;
        self.activation.apply(&mut out);
        match &self.residual {
            Residual::None => {}
            Residual::Input => out.iter_mut().zip(rows).for_each(|(value, input)| *value += input),
            Residual::Projected(layer) => layer.add(rows, self.dim_in, &mut out)?,
        }
        Ok(out)
    }
}
