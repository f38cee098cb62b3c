//! What a run tells of itself on disk.
use super::Step;
use crate::{Error, Result};
use manyview_core::publish::write_whole;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const METRICS: &str = "training_metrics.jsonl";
const PROGRESS: &str = "training_progress.json";
/// How often the second is written between two checkpoints.
const OFTEN: Duration = Duration::from_secs(1);

/// `training_progress.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingProgress {
    /// Whether the encoder is there.
    pub training_completed: bool,
    /// Steps done.
    pub steps: u64,
    /// Steps there will be.
    pub total_steps: u64,
    /// Pairs to learn from.
    pub train_examples: usize,
    /// Seconds of training so far, those before an interruption included.
    pub duration_seconds: f64,
}

/// The two files, and the metrics of all steps so far: as lines, since a number read back may differ in its last bit.
pub(super) struct Journal {
    dir: PathBuf,
    lines: Vec<String>,
    metrics: File,
    /// When the progress was written last.
    told: Instant,
}

impl Journal {
    /// Goes on after `steps` steps: what an interrupted run told of later ones is forgotten.
    pub(super) fn open(dir: &Path, steps: u64) -> Result<(Self, f64)> {
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let path = dir.join(METRICS);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<String> = text.lines().take(steps as usize).map(String::from).collect();
        let whole = lines.len() as u64 == steps && lines.iter().zip(1..).all(|(line, n)| is_step(line, n));
        let lines = if whole { lines } else { Vec::new() };
        write_whole(&path, text_of(&lines).as_bytes())?;
        let metrics = OpenOptions::new().append(true).open(&path).map_err(Error::io(&path))?;
        let path = dir.join(PROGRESS);
        let before = fs::read(&path).ok().and_then(|b| serde_json::from_slice::<TrainingProgress>(&b).ok());
        let seconds = before.filter(|_| whole && steps > 0).map_or(0.0, |p| p.duration_seconds);
        Ok((Self { dir: dir.into(), lines, metrics, told: Instant::now() }, seconds))
    }

    /// Appends a step, and now and then how far the run is.
    pub(super) fn tell(&mut self, step: &Step, progress: &TrainingProgress) -> Result<()> {
        let path = self.dir.join(METRICS);
        let line = serde_json::to_string(step).map_err(|e| Error::file(&path, e.to_string()))?;
        self.metrics.write_all(format!("{line}\n").as_bytes()).map_err(Error::io(&path))?;
        self.lines.push(line);
        if self.told.elapsed() < OFTEN {
            return Ok(());
        }
        self.tell_progress(progress)
    }

    /// Mean loss over the steps of each of so many passes.
    pub(super) fn losses(&self, epochs: usize) -> Vec<f64> {
        let mut sums = vec![(0.0, 0u32); epochs];
        for step in self.lines.iter().filter_map(|line| serde_json::from_str::<Step>(line).ok()) {
            if let Some((sum, n)) = sums.get_mut(step.epoch.wrapping_sub(1)) {
                (*sum, *n) = (*sum + step.loss, *n + 1);
            }
        }
        sums.into_iter().map(|(sum, n)| sum / f64::from(n.max(1))).collect()
    }

    /// Sees to it that all steps are on the disk before the checkpoint after them is, and says how far the run is.
    pub(super) fn settle(&mut self, progress: &TrainingProgress) -> Result<()> {
        let path = self.dir.join(METRICS);
        self.metrics.sync_data().map_err(Error::io(&path))?;
        self.tell_progress(progress)
    }

    fn tell_progress(&mut self, progress: &TrainingProgress) -> Result<()> {
        let path = self.dir.join(PROGRESS);
        let text = serde_json::to_vec_pretty(progress).map_err(|e| Error::file(&path, e.to_string()))?;
        self.told = Instant::now();
        Ok(write_whole(&path, &text)?)
    }
}

fn is_step(line: &str, number: u64) -> bool {
    serde_json::from_str::<Step>(line).is_ok_and(|step| step.step == number)
}

fn text_of(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}
