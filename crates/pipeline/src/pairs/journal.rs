use crate::Result;
use crate::run_dir::Member;
use manyview_adapter::Epoch;
use manyview_core::Progress;
use serde::Serialize;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How far training is, for whoever looks in from outside.
const PROGRESS: &str = "training_progress.json";
/// Every epoch, one JSON object a line.
const METRICS: &str = "training_metrics.jsonl";
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
    step: usize,
    loss: f64,
    lr: f64,
    #[serde(rename = "val_ndcg@10", skip_serializing_if = "Option::is_none")]
    val_ndcg: Option<f64>,
}

/// Writes down how training goes beside telling another of it.
pub(super) struct Journal<'a> {
    member: &'a Member,
    inner: &'a dyn Progress,
    start: Instant,
    state: Mutex<(TrainingProgress, Instant)>,
}

impl<'a> Journal<'a> {
    /// Begins: so many pairs to learn from and to choose by, in so many epochs.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn begin(
        member: &'a Member,
        inner: &'a dyn Progress,
        train_examples: usize,
        eval_examples: usize,
        epochs: usize,
    ) -> Result<Self> {
        let state = TrainingProgress {
            training_completed: false,
            duration_seconds: 0.0,
            train_examples,
            eval_examples,
            epoch: 0,
            epochs,
        };
        member.write(PROGRESS, &state)?;
        let start = Instant::now();
        Ok(Self { member, inner, start, state: Mutex::new((state, start)) })
    }

    /// Ends: the epochs there were, of so many steps each.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn end(self, history: &[Epoch], steps: usize) -> Result<()> {
        let mut lines = String::new();
        for epoch in history {
            let line = Line {
                epoch: epoch.epoch,
                step: epoch.epoch * steps,
                loss: epoch.train_loss,
                lr: epoch.lr,
                val_ndcg: epoch.score,
            };
            let text =
                serde_json::to_string(&line).map_err(|e| crate::Error::setting(METRICS, e.to_string()))?;
            lines += &text;
            lines.push('\n');
        }
        self.member.write_text(METRICS, &lines)?;
        let duration = self.start.elapsed().as_secs_f64();
        let (mut state, _) = self.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.training_completed = true;
        state.duration_seconds = duration;
        state.epoch = history.len();
        self.member.write(PROGRESS, &state)
    }
}

impl Progress for Journal<'_> {
    fn begin(&self, stage: &str, total: u64) {
        self.inner.begin(stage, total);
    }

    fn advance(&self, by: u64) {
        self.inner.advance(by);
        let Ok(mut held) = self.state.lock() else { return };
        let (state, written) = &mut *held;
        state.epoch += usize::try_from(by).unwrap_or(usize::MAX);
        state.duration_seconds = self.start.elapsed().as_secs_f64();
        if written.elapsed() >= OFTEN {
            // Nothing that is learnt depends on this file: where it cannot be written, training goes on.
            if let Err(error) = self.member.write(PROGRESS, state) {
                tracing::warn!(%error, "the progress of training was not written");
            }
            *written = Instant::now();
        }
    }

    fn end(&self) {
        self.inner.end();
    }

    fn stopped(&self) -> bool {
        self.inner.stopped()
    }
}
