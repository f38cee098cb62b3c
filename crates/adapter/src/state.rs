//! A training between two steps, in memory and on disk.
use crate::checkpoint::{Checkpoints, HISTORY};
use crate::gradient::Epoch;
use crate::gradient::parameters::{Moments, Parameters, Values};
use crate::weights::{Named, Weights};
use crate::{Linear, Result};
use burn::tensor::Device;
use manyview_core::Fingerprint;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Everything a training holds between two steps.
pub(crate) struct State {
    pub(crate) layers: Vec<Parameters>,
    pub(crate) so_far: SoFar,
    /// The layers of the best epoch, where something tells which is best.
    pub(crate) best: Option<Vec<Linear>>,
}

/// What was done and measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SoFar {
    /// Steps of all epochs.
    pub(crate) steps: usize,
    /// The epochs that are over.
    pub(crate) epochs: Vec<Record>,
    /// Batches of the epoch that is not.
    pub(crate) batches: usize,
    /// Sum of the loss over their rows.
    loss: f64,
    /// Sums over the same rows of what else is measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    figures: Vec<f64>,
    /// Learning rate of the last step.
    pub(crate) lr: f64,
}

/// What was measured in an epoch, with what a course measures beside the loss.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    #[serde(flatten)]
    pub(crate) epoch: Epoch,
    /// Of the training rows, each before the step it was part of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) train: Vec<f64>,
    /// Of the validation rows, after the epoch; none without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) val: Vec<f64>,
}

impl State {
    /// Before the first step.
    pub(crate) fn new(layers: &[Linear], device: &Device) -> Self {
        let layers = layers.iter().map(|layer| Parameters::new(layer, None, device)).collect();
        Self { layers, so_far: SoFar::default(), best: None }
    }

    /// The layers as they stand.
    pub(crate) fn linears(&self) -> Result<Vec<Linear>> {
        self.layers.iter().map(Parameters::linear).collect()
    }
}

impl SoFar {
    /// Adds what was measured of so many rows.
    pub(crate) fn add(&mut self, loss: f64, figures: &[f64], rows: usize) {
        self.loss += loss * rows as f64;
        self.figures.resize(figures.len(), 0.0);
        self.figures.iter_mut().zip(figures).for_each(|(sum, mean)| *sum += mean * rows as f64);
    }

    /// Ends an epoch of so many rows; gives the means over them of the loss and of what else is measured.
    pub(crate) fn end_epoch(&mut self, rows: usize) -> (f64, Vec<f64>) {
        self.batches = 0;
        let (loss, figures) = (std::mem::take(&mut self.loss), std::mem::take(&mut self.figures));
        (loss / rows as f64, figures.into_iter().map(|sum| sum / rows as f64).collect())
    }

    /// Whether it can be of a training of so many epochs of so many steps, that measures so many figures.
    fn fits(&self, epochs: usize, steps: usize, figures: usize) -> bool {
        let done = self.epochs.len();
        let in_order = self.epochs.iter().map(|record| record.epoch.epoch).eq(1..=done);
        let whole = |r: &Record| {
            let val = if r.epoch.val_loss.is_some() { figures } else { 0 };
            r.train.len() == figures && r.val.len() == val
        };
        let begun = if self.batches > 0 { figures } else { 0 };
        let measured = self.epochs.iter().all(whole) && self.figures.len() == begun;
        let within = if done < epochs { self.batches < steps } else { done == epochs && self.batches == 0 };
        in_order && measured && within && self.steps == done * steps + self.batches
    }

    /// The best epoch, from 1: of the highest score, else of the lowest validation loss, else the last.
    pub(crate) fn best_epoch(&self) -> usize {
        let of = |measure: fn(&Epoch) -> Option<f64>| {
            let measured = self.epochs.iter().filter_map(|r| Some((r.epoch.epoch, measure(&r.epoch)?)));
            measured.reduce(|best, e| if e.1 > best.1 { e } else { best }).map(|(epoch, _)| epoch)
        };
        of(|e| e.score).or_else(|| of(|e| e.val_loss.map(|l| -l))).unwrap_or(self.epochs.len())
    }
}

/// The states of one training on disk.
pub(crate) struct States {
    checkpoints: Checkpoints,
    device: Device,
    /// Of each layer.
    forms: Vec<Form>,
    /// Steps from one to the next; without it they are some seconds apart.
    every: Option<usize>,
    /// The step of the last.
    last: usize,
}

/// The shape of a layer.
struct Form {
    dim_in: usize,
    dim_out: usize,
    bias: bool,
}

impl States {
    /// Those below `root` of the training with that identity, which starts from `layers`.
    pub(crate) fn new(
        root: &Path,
        key: Fingerprint,
        layers: &[Linear],
        device: &Device,
        every: Option<usize>,
    ) -> Self {
        let forms = layers.iter().map(Form::of).collect();
        Self { checkpoints: Checkpoints::new(root, key), device: device.clone(), forms, every, last: 0 }
    }

    /// Whether after `step` steps the last one is old enough for another.
    pub(crate) fn is_due(&self, step: usize) -> bool {
        self.every.map_or_else(|| self.checkpoints.is_due(), |every| step >= self.last + every)
    }

    /// Writes `state`. Before the first step, and where it is on disk already, there is nothing to write.
    pub(crate) fn write(&mut self, state: &State) -> Result<()> {
        let step = state.so_far.steps;
        if !self.checkpoints.lacks(step) {
            return Ok(());
        }
        let layers = state.linears()?;
        let Some(moments) = state.layers.iter().map(Parameters::moments).collect::<Option<Vec<_>>>() else {
            return Ok(());
        };
        let mut tensors: Vec<(String, Vec<usize>, &[f32])> = Vec::new();
        for (i, (form, (layer, moments))) in self.forms.iter().zip(layers.iter().zip(&moments)).enumerate() {
            let mut add = |name: &str, weight, bias: Option<_>| {
                tensors.push((format!("{i}.{name}weight"), vec![form.dim_in, form.dim_out], weight));
                tensors.extend(bias.map(|b| (format!("{i}.{name}bias"), vec![form.dim_out], b)));
            };
            add("", layer.weight(), layer.bias());
            add("first_", &moments.first.weight, moments.first.bias.as_deref());
            add("second_", &moments.second.weight, moments.second.bias.as_deref());
            if let Some(best) = state.best.as_ref().and_then(|best| best.get(i)) {
                add("best_", best.weight(), best.bias());
            }
        }
        let named: Vec<Named<'_>> = tensors.iter().map(|(n, s, v)| (n.as_str(), s.clone(), *v)).collect();
        self.checkpoints.write(step, &named, &state.so_far)?;
        self.last = step;
        Ok(())
    }

    /// The latest state that is whole, of a training of so many epochs of so many steps, that measures so many figures.
    pub(crate) fn latest(&mut self, epochs: usize, steps: usize, figures: usize) -> Result<Option<State>> {
        let (forms, device) = (&self.forms, &self.device);
        let read = |tensors: &Weights<'_>, so_far: SoFar| {
            if !so_far.fits(epochs, steps, figures) {
                let found = format!("{} after {} steps", so_far.epochs.len(), so_far.steps);
                let expected = format!("up to {epochs} epochs in order, of {steps} steps each");
                return Err(tensors.beside(HISTORY, expected, found));
            }
            Ok((so_far.steps, state(tensors, so_far, forms, device)?))
        };
        let found = self.checkpoints.latest(read)?;
        self.last = found.as_ref().map_or(0, |state| state.so_far.steps);
        Ok(found)
    }
}

impl Form {
    fn of(layer: &Linear) -> Self {
        Self { dim_in: layer.dim_in(), dim_out: layer.dim_out(), bias: layer.bias().is_some() }
    }

    fn values(&self, tensors: &Weights<'_>, prefix: &str) -> Result<Values> {
        let weight = tensors.values(&format!("{prefix}weight"), &[self.dim_in, self.dim_out])?;
        let bias = self.bias.then(|| tensors.values(&format!("{prefix}bias"), &[self.dim_out]));
        Ok(Values { weight, bias: bias.transpose()? })
    }

    fn linear(&self, tensors: &Weights<'_>, prefix: &str) -> Result<Linear> {
        let Values { weight, bias } = self.values(tensors, prefix)?;
        Linear::new(weight, self.dim_in, bias)
    }
}

fn state(tensors: &Weights<'_>, so_far: SoFar, forms: &[Form], device: &Device) -> Result<State> {
    let layer = |(i, form): (usize, &Form)| {
        let moments = Moments {
            steps: so_far.steps,
            first: form.values(tensors, &format!("{i}.first_"))?,
            second: form.values(tensors, &format!("{i}.second_"))?,
        };
        Ok(Parameters::new(&form.linear(tensors, &format!("{i}."))?, Some(&moments), device))
    };
    let layers = forms.iter().enumerate().map(layer).collect::<Result<_>>()?;
    let best = |(i, form): (usize, &Form)| form.linear(tensors, &format!("{i}.best_"));
    let best = tensors.has("0.best_weight").then(|| forms.iter().enumerate().map(best).collect());
    Ok(State { layers, so_far, best: best.transpose()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_an_epoch_are_over_rows_and_begin_anew() {
        let mut so_far = SoFar { batches: 2, ..SoFar::default() };
        so_far.add(2.0, &[1.0, 8.0], 3);
        so_far.add(4.0, &[3.0, 0.0], 1);
        assert_eq!(so_far.end_epoch(4), (2.5, vec![1.5, 6.0]));
        assert_eq!(so_far.batches, 0);
        so_far.add(3.0, &[5.0], 2);
        assert_eq!(so_far.end_epoch(2), (3.0, vec![5.0]));
    }

    #[test]
    fn a_state_fits_a_training_that_could_have_come_to_it() {
        let after = |epochs: usize, batches: usize| {
            let epoch = |epoch| Record {
                epoch: Epoch { epoch, train_loss: 1.0, val_loss: None, score: None, lr: 0.1 },
                train: Vec::new(),
                val: Vec::new(),
            };
            let epochs: Vec<_> = (1..=epochs).map(epoch).collect();
            SoFar { steps: epochs.len() * 5 + batches, epochs, batches, ..SoFar::default() }
        };
        let fits = |so_far: SoFar| so_far.fits(3, 5, 0);
        assert!(fits(after(0, 0)) && fits(after(0, 4)) && fits(after(2, 3)) && fits(after(3, 0)));
        assert!(!fits(after(0, 5)) && !fits(after(2, 5)) && !fits(after(3, 1)) && !fits(after(4, 0)));
        assert!(!fits(SoFar { steps: 9, ..after(2, 0) }));
        let measured = |batches, figures| SoFar { figures, ..after(0, batches) }.fits(3, 5, 2);
        assert!(measured(0, vec![]) && measured(1, vec![1.0, 2.0]) && measured(2, vec![1.0, 2.0]));
        assert!(!after(1, 0).fits(3, 5, 2), "an epoch without its figures");
        assert!(!measured(0, vec![1.0, 2.0]) && !measured(1, vec![]) && !measured(1, vec![1.0]));
    }

    #[test]
    fn with_a_number_of_steps_a_checkpoint_is_due_after_as_many() {
        let root = tempfile::tempdir().unwrap();
        let key = Fingerprint::builder("a training").finish();
        let states = |every| States::new(root.path(), key.clone(), &[], &Device::flex(), every);
        let due = |states: &States| (0..5).map(|step| states.is_due(step)).collect::<Vec<_>>();
        assert_eq!(due(&states(Some(3))), [false, false, false, true, true]);
        assert_eq!(due(&States { last: 1, ..states(Some(3)) }), [false, false, false, false, true]);
        assert_eq!(due(&states(None)), [false; 5], "not so soon after the first");
    }
}
