//! What a checkpoint holds of the training of a map.
use super::parameters::{Moments, Parameters, Values};
use super::training::State;
use super::{Epoch, Gradient, Monitored};
use crate::checkpoint::{Checkpoints, hash, json};
use crate::weights::{Named, Weights};
use crate::{Linear, Result};
use burn::tensor::Device;
use manyview_core::Fingerprint;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The checkpoints of one training of a map.
pub(super) struct Snapshots {
    checkpoints: Checkpoints,
    form: Form,
}

/// What the tensors of a state look like.
struct Form {
    device: Device,
    /// dim_in and dim_out.
    shape: (usize, usize),
    bias: bool,
    monitored: bool,
}

#[derive(Serialize, Deserialize)]
struct History {
    steps: usize,
    epochs: Vec<Epoch>,
}

impl Snapshots {
    pub(super) fn new(root: &Path, gradient: &Gradient, data: &Monitored<'_>) -> Result<Self> {
        let form = Form {
            device: gradient.device.clone(),
            shape: (data.train.base().dim(), data.train.teacher().dim()),
            bias: gradient.config.bias,
            monitored: data.score.is_some() || data.validation.is_some(),
        };
        Ok(Self { checkpoints: Checkpoints::new(root, key(gradient, data)?), form })
    }

    /// Whether the last one is old enough for another.
    pub(super) fn is_due(&self) -> bool {
        self.checkpoints.is_due()
    }

    /// Writes `state`. Before the first epoch, and where it is on disk already, there is nothing to write.
    pub(super) fn write(&mut self, state: &State) -> Result<()> {
        let epoch = state.history.len();
        let Some(moments) = state.parameters.moments().filter(|_| self.checkpoints.lacks(epoch)) else {
            return Ok(());
        };
        let linear = state.parameters.linear()?;
        let tensors = tensors(&linear, &moments, state.best.as_ref());
        let named: Vec<Named<'_>> =
            tensors.iter().map(|(n, v)| (n.as_str(), self.form.shape_of(n), *v)).collect();
        let history = History { steps: moments.steps, epochs: state.history.clone() };
        self.checkpoints.write(epoch, &named, &history)
    }

    /// The latest state of this run that is whole.
    pub(super) fn latest(&mut self) -> Result<Option<State>> {
        self.checkpoints.latest(|tensors, history: History| {
            let state = self.form.state(tensors, history)?;
            Ok((state.history.len(), state))
        })
    }
}

impl Form {
    fn state(&self, tensors: &Weights<'_>, history: History) -> Result<State> {
        let linear = self.linear(tensors, "")?;
        let (first, second) = (self.values(tensors, "first_")?, self.values(tensors, "second_")?);
        let moments = Moments { steps: history.steps, first, second };
        Ok(State {
            parameters: Parameters::new(&linear, Some(&moments), &self.device),
            history: history.epochs,
            best: self.monitored.then(|| self.linear(tensors, "best_")).transpose()?,
        })
    }

    fn shape_of(&self, name: &str) -> Vec<usize> {
        if name.ends_with("bias") { vec![self.shape.1] } else { vec![self.shape.0, self.shape.1] }
    }

    fn values(&self, tensors: &Weights<'_>, prefix: &str) -> Result<Values> {
        let of = |kind: &str| {
            let name = format!("{prefix}{kind}");
            tensors.values(&name, &self.shape_of(&name))
        };
        Ok(Values { weight: of("weight")?, bias: self.bias.then(|| of("bias")).transpose()? })
    }

    fn linear(&self, tensors: &Weights<'_>, prefix: &str) -> Result<Linear> {
        let Values { weight, bias } = self.values(tensors, prefix)?;
        Linear::new(weight, self.shape.0, bias)
    }
}

fn tensors<'a>(
    linear: &'a Linear,
    moments: &'a Moments,
    best: Option<&'a Linear>,
) -> Vec<(String, &'a [f32])> {
    let mut tensors: Vec<(String, &[f32])> = Vec::new();
    let mut add = |prefix: &str, weight, bias: Option<_>| {
        tensors.push((format!("{prefix}weight"), weight));
        tensors.extend(bias.map(|b| (format!("{prefix}bias"), b)));
    };
    add("", linear.weight(), linear.bias());
    add("first_", &moments.first.weight, moments.first.bias.as_deref());
    add("second_", &moments.second.weight, moments.second.bias.as_deref());
    if let Some(best) = best {
        add("best_", best.weight(), best.bias());
    }
    tensors
}

/// What a run depends on: configuration, data, device, and whether there is a score.
fn key(gradient: &Gradient, data: &Monitored<'_>) -> Result<Fingerprint> {
    let mut key = Fingerprint::builder("manyview-training/1")
        .field("config", &json(&gradient.config)?)
        .field("device", format!("{:?}", gradient.device).as_bytes())
        .field("score", &[u8::from(data.score.is_some())]);
    for (name, pairs) in [("train", Some(&data.train)), ("validation", data.validation.as_ref())] {
        for x in pairs.iter().flat_map(|p| [p.base(), p.teacher()]) {
            key = key.field(name, &(x.dim() as u64).to_le_bytes()).field(name, &hash(x));
        }
    }
    Ok(key.finish())
}
