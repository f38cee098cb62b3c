//! A training of a head between two epochs, in memory and on disk.
use super::network::{Moments, Network};
use super::{HeadEpoch, Layer, saved};
use crate::Result;
use crate::checkpoint::Checkpoints;
use crate::weights::{Named, Weights};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct History {
    steps: usize,
    epochs: Vec<HeadEpoch>,
}

/// Everything a run holds between two epochs.
pub(super) struct State {
    pub(super) network: Network,
    pub(super) history: Vec<HeadEpoch>,
    /// The layers of the best epoch, where something tells which is best.
    pub(super) best: Option<Vec<Layer>>,
}

impl State {
    /// The best epoch, from 1: of the lowest validation loss, else the last.
    pub(super) fn best_epoch(&self) -> usize {
        let measured = self.history.iter().filter_map(|e| Some((e.epoch, e.val_loss?)));
        let best = measured.reduce(|best, e| if e.1 < best.1 { e } else { best });
        best.map_or(self.history.len(), |(epoch, _)| epoch)
    }

    pub(super) fn write(&self, checkpoints: &mut Checkpoints) -> Result<()> {
        let epoch = self.history.len();
        let Some(moments) = self.network.moments()?.filter(|_| checkpoints.lacks(epoch)) else {
            return Ok(());
        };
        let layers = self.network.layers()?;
        let mut named: Vec<(String, Vec<usize>, &[f32])> = Vec::new();
        let parts =
            [("", Some(&layers)), ("first_", Some(&moments.first)), ("second_", Some(&moments.second))];
        for (prefix, layers) in parts.into_iter().chain([("best_", self.best.as_ref())]) {
            for (i, layer) in layers.into_iter().flatten().enumerate() {
                let shape = vec![layer.dim_in(), layer.dim_out()];
                named.push((format!("{prefix}{i}.weight"), shape, layer.weight()));
                named.push((format!("{prefix}{i}.bias"), vec![layer.dim_out()], layer.bias()));
            }
        }
        let named: Vec<Named<'_>> = named.iter().map(|(n, s, v)| (n.as_str(), s.clone(), *v)).collect();
        checkpoints.write(epoch, &named, &History { steps: moments.steps, epochs: self.history.clone() })
    }

    pub(super) fn read(
        tensors: &Weights<'_>,
        history: History,
        dims: &[usize],
        monitored: bool,
        device: &Device,
    ) -> Result<Self> {
        let layers = |prefix: &str| saved::layers(tensors, prefix, dims);
        let moments = Moments { steps: history.steps, first: layers("first_")?, second: layers("second_")? };
        Ok(Self {
            network: Network::new(&layers("")?, Some(&moments), device),
            history: history.epochs,
            best: monitored.then(|| layers("best_")).transpose()?,
        })
    }
}
