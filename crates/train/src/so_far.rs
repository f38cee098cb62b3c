use crate::Epoch;
use serde::{Deserialize, Serialize};

/// Where a training is and what it measured so far: all of it that is no tensor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SoFar {
    /// Steps of all epochs.
    pub(crate) steps: usize,
    /// The epochs that are over.
    pub(crate) epochs: Vec<Epoch>,
    /// Batches of the epoch that is not.
    pub(crate) batches: usize,
    /// Sum of the loss over their examples.
    loss: f64,
    /// Sums of the metrics over the same examples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<f64>,
    /// Learning rate of the last step.
    pub(crate) lr: f64,
}

impl SoFar {
    /// Adds what was measured of so many examples.
    pub(crate) fn add(&mut self, loss: f64, metrics: &[f64], examples: usize) {
        self.loss += loss * examples as f64;
        self.metrics.resize(metrics.len(), 0.0);
        self.metrics.iter_mut().zip(metrics).for_each(|(sum, mean)| *sum += mean * examples as f64);
    }

    /// Ends an epoch of so many examples; gives the means over them of the loss and of the metrics.
    pub(crate) fn end_epoch(&mut self, examples: usize) -> (f64, Vec<f64>) {
        self.batches = 0;
        let (loss, metrics) = (std::mem::take(&mut self.loss), std::mem::take(&mut self.metrics));
        (loss / examples as f64, metrics.into_iter().map(|sum| sum / examples as f64).collect())
    }

    /// Whether it can be of a training of so many epochs of so many steps, with so many metrics.
    pub(crate) fn fits(&self, epochs: usize, steps: usize, metrics: usize) -> bool {
        let done = self.epochs.len();
        let in_order = self.epochs.iter().map(|e| e.epoch).eq(1..=done);
        let whole = |e: &Epoch| {
            let val = if e.val_loss.is_some() { metrics } else { 0 };
            e.train_metrics.len() == metrics && e.val_metrics.len() == val
        };
        let begun = if self.batches > 0 { metrics } else { 0 };
        let measured = self.epochs.iter().all(whole) && self.metrics.len() == begun;
        let within = if done < epochs { self.batches < steps } else { done == epochs && self.batches == 0 };
        in_order && measured && within && self.steps == done * steps + self.batches
    }

    /// The best epoch, from 1: of the highest score, else of the lowest validation loss, else the last.
    pub(crate) fn best_epoch(&self) -> usize {
        let of = |measure: fn(&Epoch) -> Option<f64>| {
            let measured = self.epochs.iter().filter_map(|e| Some((e.epoch, measure(e)?)));
            measured.reduce(|best, e| if e.1 > best.1 { e } else { best }).map(|(epoch, _)| epoch)
        };
        of(|e| e.score).or_else(|| of(|e| e.val_loss.map(|l| -l))).unwrap_or(self.epochs.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_an_epoch_are_over_examples_and_begin_anew() {
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
            let epoch = |epoch| Epoch {
                epoch,
                train_loss: 1.0,
                val_loss: None,
                score: None,
                lr: 0.1,
                train_metrics: Vec::new(),
                val_metrics: Vec::new(),
            };
            let epochs: Vec<_> = (1..=epochs).map(epoch).collect();
            SoFar { steps: epochs.len() * 5 + batches, epochs, batches, ..SoFar::default() }
        };
        let fits = |so_far: SoFar| so_far.fits(3, 5, 0);
        assert!(fits(after(0, 0)) && fits(after(0, 4)) && fits(after(2, 3)) && fits(after(3, 0)));
        assert!(!fits(after(0, 5)) && !fits(after(2, 5)) && !fits(after(3, 1)) && !fits(after(4, 0)));
        assert!(!fits(SoFar { steps: 9, ..after(2, 0) }));
        let measured = |batches, metrics| SoFar { metrics, ..after(0, batches) }.fits(3, 5, 2);
        assert!(measured(0, vec![]) && measured(1, vec![1.0, 2.0]) && measured(2, vec![1.0, 2.0]));
        assert!(!after(1, 0).fits(3, 5, 2), "an epoch without its metrics");
        assert!(!measured(0, vec![1.0, 2.0]) && !measured(1, vec![]) && !measured(1, vec![1.0]));
    }
}
