use super::METRICS;
use crate::run::VariantDir;
use crate::{Error, Result};
use manyview_core::Progress;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far training is, for whoever looks in from outside.
const PROGRESS: &str = "training_progress.json";
/// How often the first is written while training.
const OFTEN: Duration = Duration::from_secs(1);

/// What `training_progress.json` holds.
#[derive(Clone, Debug, Serialize)]
struct TrainingProgress {
    training_completed: bool,
    duration_seconds: f64,
    train_examples: usize,
    eval_examples: usize,
    epoch: usize,
    epochs: usize,
}

/// A line of `training_metrics.jsonl`.
#[derive(Clone, Debug, Serialize)]
struct Line {
    epoch: usize,
    step: u64,
    loss: Option<f64>,
    lr: Option<f64>,
    #[serde(rename = "val_ndcg@10", skip_serializing_if = "Option::is_none")]
    val_ndcg: Option<f64>,
}

/// Writes down how training goes beside telling another of it.
pub(super) struct Journal<'a> {
    dir: &'a VariantDir,
    inner: &'a dyn Progress,
    start: Instant,
    state: Mutex<State>,
}

struct State {
    progress: TrainingProgress,
    /// When it was written last.
    written: Instant,
    metrics: File,
    /// Epochs of which there is a line.
    lines: usize,
}

impl<'a> Journal<'a> {
    /// Begins: so many pairs to learn from and to choose by, in so many epochs. Lines of an earlier training go: those of
    /// one that goes on are told again.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn begin(
        dir: &'a VariantDir,
        inner: &'a dyn Progress,
        train_examples: usize,
        eval_examples: usize,
        epochs: usize,
    ) -> Result<Self> {
        let progress = TrainingProgress {
            training_completed: false,
            duration_seconds: 0.0,
            train_examples,
            eval_examples,
            epoch: 0,
            epochs,
        };
        dir.write(PROGRESS, &progress)?;
        let path = dir.path().join(METRICS);
        let metrics = File::create(&path).map_err(Error::io(path))?;
        let start = Instant::now();
        let state = State { progress, written: start, metrics, lines: 0 };
        Ok(Self { dir, inner, start, state: Mutex::new(state) })
    }

    /// Ends.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn end(self) -> Result<()> {
        let duration_seconds = self.start.elapsed().as_secs_f64();
        let State { progress, metrics, lines, .. } =
            self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        metrics.sync_data().map_err(Error::io(self.dir.path().join(METRICS)))?;
        let done = TrainingProgress { training_completed: true, duration_seconds, epoch: lines, ..progress };
        self.dir.write(PROGRESS, &done)
    }
}

impl Progress for Journal<'_> {
    fn begin(&self, stage: &str, total: u64) {
        self.inner.begin(stage, total);
    }

    fn advance(&self, by: u64) {
        self.inner.advance(by);
        let Ok(mut state) = self.state.lock() else { return };
        state.progress.epoch += usize::try_from(by).unwrap_or(usize::MAX);
        state.progress.duration_seconds = self.start.elapsed().as_secs_f64();
        if state.written.elapsed() >= OFTEN {
            // Nothing that is learnt depends on this file: where it cannot be written, training goes on.
            if let Err(error) = self.dir.write(PROGRESS, &state.progress) {
                tracing::warn!(%error, "the progress of training was not written");
            }
            state.written = Instant::now();
        }
    }

    fn measured(&self, step: u64, values: &[(&str, f64)]) {
        self.inner.measured(step, values);
        let Ok(mut state) = self.state.lock() else { return };
        state.lines += 1;
        let value = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let (epoch, loss, lr, val_ndcg) = (state.lines, value("loss"), value("lr"), value("score"));
        let line = serde_json::to_string(&Line { epoch, step, loss, lr, val_ndcg });
        let line = line.map_err(std::io::Error::from);
        let written = line.and_then(|line| state.metrics.write_all(format!("{line}\n").as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, "the metrics of an epoch were not written");
        }
    }

    fn end(&self) {
        self.inner.end();
    }

    fn stopped(&self) -> bool {
        self.inner.stopped()
    }
}
