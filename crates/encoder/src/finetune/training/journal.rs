//! Progress and metrics of a run on disk.
use super::StepMetrics;
use crate::{Error, Result};
use manyview_core::Fingerprint;
use manyview_core::publish::write_whole;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const METRICS: &str = "training_metrics.jsonl";
const PROGRESS: &str = "training_progress.json";
/// How often the second is written between two checkpoints.
const OFTEN: Duration = Duration::from_secs(1);

/// `training_progress.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingProgress {
    /// Identity of everything the result depends on.
    pub run: Fingerprint,
    /// Whether the encoder is complete.
    pub training_completed: bool,
    /// Steps done.
    pub steps: usize,
    /// Steps of the whole run.
    pub total_steps: usize,
    /// Number of training pairs or texts.
    pub train_examples: usize,
    /// Seconds of training so far, including those before an interruption.
    pub duration_seconds: f64,
}

/// The two files. They are opened at the first step, or at the end, when it is known from which step the run resumes;
/// lines of later steps of an interrupted run are dropped.
pub(super) struct Journal {
    dir: PathBuf,
    run: Fingerprint,
    total: usize,
    examples: usize,
    started: Instant,
    open: Option<Open>,
}

struct Open {
    metrics: File,
    /// Seconds of the run before this process.
    before: f64,
    /// When the progress was written last.
    told: Instant,
}

impl Journal {
    /// Of a run of so many steps on so many examples, in `dir`.
    pub(super) fn new(dir: &Path, run: &Fingerprint, total: usize, examples: usize) -> Self {
        Self { dir: dir.into(), run: run.clone(), total, examples, started: Instant::now(), open: None }
    }

    /// Appends a step, and updates the progress from time to time.
    pub(super) fn tell(&mut self, step: &StepMetrics) -> Result<()> {
        let path = self.dir.join(METRICS);
        let line = serde_json::to_string(step).map_err(|e| Error::file(&path, e.to_string()))?;
        let open = self.opened(step.step - 1)?;
        open.metrics.write_all(format!("{line}\n").as_bytes()).map_err(Error::io(&path))?;
        match step.step > 1 && open.told.elapsed() < OFTEN {
            true => Ok(()),
            false => self.tell_progress(step.step, false).map(drop),
        }
    }

    /// Syncs the lines of all steps before a checkpoint is written, and updates the progress.
    pub(super) fn sync(&mut self, steps: usize) -> Result<()> {
        let path = self.dir.join(METRICS);
        self.opened(steps)?.metrics.sync_data().map_err(Error::io(&path))?;
        self.tell_progress(steps, false).map(drop)
    }

    /// Records that the run is complete; returns its duration in seconds.
    pub(super) fn finish(&mut self) -> Result<f64> {
        self.sync(self.total)?;
        self.tell_progress(self.total, true)
    }

    fn opened(&mut self, steps: usize) -> Result<&mut Open> {
        let open = match self.open.take() {
            Some(open) => open,
            None => Open::after(&self.dir, &self.run, steps)?,
        };
        Ok(self.open.insert(open))
    }

    fn tell_progress(&mut self, steps: usize, training_completed: bool) -> Result<f64> {
        let (run, total_steps, train_examples) = (self.run.clone(), self.total, self.examples);
        let here = self.started.elapsed().as_secs_f64();
        let path = self.dir.join(PROGRESS);
        let open = self.opened(steps)?;
        let duration_seconds = open.before + here;
        let progress = TrainingProgress {
            run,
            training_completed,
            steps,
            total_steps,
            train_examples,
            duration_seconds,
        };
        let text = serde_json::to_vec_pretty(&progress).map_err(|e| Error::file(&path, e.to_string()))?;
        open.told = Instant::now();
        write_whole(&path, &text)?;
        Ok(duration_seconds)
    }
}

impl Open {
    /// Resumes `run` after this many steps; the files of another run are replaced.
    fn after(dir: &Path, run: &Fingerprint, steps: usize) -> Result<Self> {
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let (metrics, path) = (dir.join(METRICS), dir.join(PROGRESS));
        let progress = if steps > 0 { read(&path)? } else { None };
        let progress = progress.map(|text| serde_json::from_str::<TrainingProgress>(&text));
        let progress = progress.transpose().map_err(|e| unreadable(&path, e.to_string()))?;
        let earlier = progress.filter(|progress| progress.run == *run);
        let text = if earlier.is_some() { read(&metrics)? } else { None };
        let kept = text.map(|text| until(&text, steps).map_err(|found| unreadable(&metrics, found)));
        let kept = kept.transpose()?.unwrap_or_default();
        write_whole(&metrics, kept.as_bytes())?;
        let file = OpenOptions::new().append(true).open(&metrics).map_err(Error::io(&metrics))?;
        let before = earlier.map_or(0.0, |progress| progress.duration_seconds);
        Ok(Self { metrics: file, before, told: Instant::now() })
    }
}

/// The text of a file; none where there is no such file.
fn read(path: &Path) -> Result<Option<String>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path)(e)),
    };
    String::from_utf8(bytes).map(Some).map_err(|e| unreadable(path, e.to_string()))
}

/// The lines that tell of steps up to `steps`, which must follow each other and end there: as lines, since a number read
/// back may differ in its last bit. Otherwise what is wrong with them.
fn until(text: &str, steps: usize) -> Result<String, String> {
    let numbered: Vec<(&str, Option<usize>)> = text.lines().map(|line| (line, step_of(line))).collect();
    let Some(last) = numbered.iter().position(|(_, step)| *step == Some(steps)) else {
        return Err(format!("{} lines, none of step {steps}", numbered.len()));
    };
    let kept = &numbered[..=last]; // a kill may have torn a line after these
    let first = (steps + 1).saturating_sub(kept.len());
    match kept.iter().map(|(_, step)| *step).eq((first..=steps).map(Some)) {
        true => Ok(kept.iter().flat_map(|(line, _)| [line, "\n"]).collect()),
        false => Err(format!("lines before step {steps} that do not follow each other")),
    }
}

fn unreadable(path: &Path, found: String) -> Error {
    let cure = "remove the file to go on without what it says";
    Error::file(path, format!("expected the journal of an interrupted training, found {found}; {cure}"))
}

/// The step number of a line.
fn step_of(line: &str) -> Option<usize> {
    serde_json::from_str::<StepMetrics>(line).ok().map(|step| step.step)
}
