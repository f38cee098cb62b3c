//! A training between two steps, in memory and on disk.
use crate::checkpoint::{Checkpoints, HISTORY};
use crate::parameters::{Learnt, Moments, Parameter, values_of, with_values};
use crate::so_far::SoFar;
use crate::tensors::Tensors;
use crate::{Error, Result, TrainConfig};
use burn::module::Module;
use burn::optim::{AdamWState, AdaptiveMomentumState};
use burn::tensor::{Tensor, TensorData};
use manyview_core::Fingerprint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What the names of tensors of a checkpoint begin with.
const VALUE: &str = "value.";
const FIRST: &str = "first_moment.";
const SECOND: &str = "second_moment.";
const BEST: &str = "best.";

/// Everything a training holds between two steps.
pub(crate) struct State<M> {
    pub(crate) module: M,
    pub(crate) moments: Moments,
    pub(crate) so_far: SoFar,
    /// The module of the best epoch, where something tells which is best.
    pub(crate) best: Option<M>,
}

impl<M: Module> State<M> {
    /// Before the first step.
    pub(crate) fn new(module: M) -> Self {
        Self { module, moments: Moments::new(), so_far: SoFar::default(), best: None }
    }
}

/// The states of one training on disk.
pub(crate) struct States<'a> {
    checkpoints: Checkpoints,
    learnt: &'a Learnt,
}

/// What `history.json` of a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    so_far: SoFar,
    /// Steps that each parameter took, by path.
    parameter_steps: BTreeMap<String, usize>,
}

impl<'a> States<'a> {
    /// Those below `root` of the training of such parameters by `config` on what `key` identifies.
    pub(crate) fn new(
        root: &Path,
        key: &Fingerprint,
        config: &TrainConfig,
        learnt: &'a Learnt,
    ) -> Result<Self> {
        let every = config.checkpoint_every;
        let config = TrainConfig { checkpoint_every: None, ..config.clone() };
        let config = serde_json::to_vec(&config)
            .map_err(|e| Error::Unwritable { what: "training configuration", reason: e.to_string() })?;
        let mut run = Fingerprint::builder("manyview-training/3")
            .field("key", key.as_str().as_bytes())
            .field("config", &config);
        for (path, parameter) in &learnt.parameters {
            let shape: Vec<u8> = parameter.shape.iter().flat_map(|n| (*n as u64).to_le_bytes()).collect();
            run = run.field("path", path.as_bytes()).field("shape", &shape);
        }
        Ok(Self { checkpoints: Checkpoints::new(root, run.finish(), every), learnt })
    }

    /// Whether after `step` steps the last one is old enough for another.
    pub(crate) fn is_due(&self, step: usize) -> bool {
        self.checkpoints.is_due(step)
    }

    /// Writes `state`. Before the first step, and where it is on disk already, there is nothing to write.
    pub(crate) fn write<M: Module>(&mut self, state: &State<M>) -> Result<()> {
        let step = state.so_far.steps;
        if !self.checkpoints.lacks(step) {
            return Ok(());
        }
        let mut tensors = Vec::new();
        let mut add = |prefix: &str, values: BTreeMap<String, TensorData>| {
            tensors.extend(values.into_iter().map(|(path, data)| (format!("{prefix}{path}"), data)));
        };
        add(VALUE, values_of(&state.module, self.learnt));
        if let Some(best) = &state.best {
            add(BEST, values_of(best, self.learnt));
        }
        let mut parameter_steps = BTreeMap::new();
        for (path, parameter) in &self.learnt.parameters {
            let Some(AdamWState { momentum }) = state.moments.get(&parameter.id) else { continue };
            parameter_steps.insert(path.clone(), momentum.time);
            let of = |moment: &Tensor<1>| BTreeMap::from([(path.clone(), moment.clone().into_data())]);
            add(FIRST, of(&momentum.moment_1));
            add(SECOND, of(&momentum.moment_2));
        }
        let record = Record { so_far: state.so_far.clone(), parameter_steps };
        self.checkpoints.write(step, &tensors, &record)
    }

    /// The latest state that is whole, of the training of `module` in so many epochs of so many steps with so many
    /// metrics.
    pub(crate) fn latest<M: Module>(
        &mut self,
        module: &M,
        (epochs, steps, metrics): (usize, usize, usize),
    ) -> Result<Option<State<M>>> {
        let learnt = self.learnt;
        let read = |tensors: &Tensors<'_>, record: Record| {
            let so_far = &record.so_far;
            if !so_far.fits(epochs, steps, metrics) {
                let found = format!("{} after {} steps", so_far.epochs.len(), so_far.steps);
                let expected = format!("up to {epochs} epochs in order, of {steps} steps each");
                return Err(tensors.beside(HISTORY, expected, found));
            }
            Ok((so_far.steps, restored(module, learnt, tensors, record)?))
        };
        self.checkpoints.latest(read)
    }
}

fn restored<M: Module>(
    module: &M,
    learnt: &Learnt,
    tensors: &Tensors<'_>,
    record: Record,
) -> Result<State<M>> {
    let values = |prefix: &str| {
        let of = |(path, parameter): (&String, &Parameter)| {
            Ok((path.clone(), tensors.data(&format!("{prefix}{path}"), &parameter.shape)?))
        };
        learnt.parameters.iter().map(of).collect::<Result<BTreeMap<_, _>>>()
    };
    let mut moments = Moments::new();
    for (path, time) in &record.parameter_steps {
        let Some(parameter) = learnt.parameters.get(path) else {
            let found = format!("one named {path}");
            return Err(tensors.beside(HISTORY, "parameters of the module".into(), found));
        };
        let moment = |prefix: &str| {
            let flat = [parameter.shape.iter().product()];
            let data = tensors.data(&format!("{prefix}{path}"), &flat)?;
            let dtype = data.dtype();
            Ok::<_, Error>(Tensor::<1>::from_data(data, (&learnt.device, dtype)))
        };
        let momentum = AdaptiveMomentumState::new(*time, moment(FIRST)?, moment(SECOND)?);
        moments.insert(parameter.id, AdamWState::new(momentum));
    }
    let has_best = learnt.parameters.keys().next().is_some_and(|path| tensors.has(&format!("{BEST}{path}")));
    let best = has_best.then(|| Ok::<_, Error>(with_values(module.clone(), learnt, values(BEST)?)));
    Ok(State {
        module: with_values(module.clone(), learnt, values(VALUE)?),
        moments,
        so_far: record.so_far,
        best: best.transpose()?,
    })
}
