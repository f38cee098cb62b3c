use super::applier::{Applied, Applier, Outcome};
use super::batch::{Batch, Rows};
use super::growing::{Chunk, FileSpec};
use super::ledger::Ledger;
use super::lines::lines;
use super::metadata::{Encoding, Seconds};
use super::output::{Begun, Output};
use super::steps::in_steps;
use super::target::Target;
use crate::{Error, Result};
use manyview_adapter::Card;
use manyview_core::{Embeddings, Encoder, Fingerprint, Instruction, Progress};
use manyview_data::Beside;
use std::time::Instant;

/// Writes what models make of an input of any size, batch by batch.
///
/// What is done is kept when it is stopped or killed; a writer of the same target, models and input goes on there, to the
/// same bytes.
pub struct Writer {
    output: Output,
    pub(crate) ledger: Ledger,
    /// The card of the head whose scores are written as lines.
    head: Option<Card>,
}

/// What [`Writer::open`] finds.
pub enum Opening {
    /// An earlier writer did all but give the last files their names, which they now have.
    Done(Summary),
    /// There is something to do.
    Open(Box<Writer>),
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Rows read from the input.
    pub read: usize,
    /// Rows written.
    pub rows: usize,
    /// Rows written without a result, because they have no text.
    pub blank: usize,
    /// Rows whose text was cut.
    pub truncated: usize,
    /// What the base vectors took.
    pub encoding: Encoding,
}

impl Writer {
    /// Opens `target` for what `applier` makes of an input; `input` stands for it, and for all that decides its batches. Goes
    /// on where an earlier writer was.
    ///
    /// # Errors
    /// Models that the target does not take, another process at work there, files that cannot be written.
    pub fn open<E: Encoder>(target: &Target, input: &Fingerprint, applier: &Applier<E>) -> Result<Opening> {
        let (files, head) = target.files(applier)?;
        let key = key(&files, input, applier);
        Ok(match Output::open(target.place()?, key.as_str(), &files)? {
            Begun::Done(ledger) => Opening::Done(ledger.summary()),
            Begun::Open(output, ledger) => {
                Opening::Open(Box::new(Self { output: *output, ledger: *ledger, head }))
            }
        })
    }

    /// The number of rows of the input that are done with: batches up to there may be left out.
    pub fn read(&self) -> usize {
        self.ledger.read
    }

    /// Applies the models to each batch and writes what they make of it: the next batch is read while one is applied and the
    /// one before is written. Batches that an earlier writer was done with are passed over.
    ///
    /// # Errors
    /// What the batches, the models or the files report; an interruption. What is whole by then is kept.
    pub fn write<E: Encoder>(
        &mut self,
        applier: &Applier<E>,
        mut batches: impl Iterator<Item = Result<Batch>> + Send,
        progress: &dyn Progress,
    ) -> Result<()> {
        let done = self.ledger.read;
        let timed = std::iter::from_fn(move || {
            let start = Instant::now();
            let batch = batches.next()?;
            Some(batch.map(|batch| (batch, start.elapsed().as_secs_f64())))
        });
        let left = timed.filter(|batch| batch.as_ref().map_or(true, |(batch, _)| batch.end > done));
        let apply = |(batch, seconds): (Batch, f64)| {
            let mut applied = applier.apply(&batch, progress)?;
            applied.seconds.read = seconds;
            Ok((batch, applied))
        };
        let append = |(batch, applied): (Batch, Applied)| self.append(&batch, &applied, progress);
        let written = in_steps(left, apply, append, progress);
        if written.is_err()
            && let Err(e) = self.output.acknowledge(&self.ledger)
        {
            tracing::warn!(error = %e, "what was done since the last batch on the disk is lost");
        }
        written
    }

    /// Makes the files whole and gives them their names.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn finish(self) -> Result<Summary> {
        self.finish_with(|_| Ok(None))
    }

    /// As [`Writer::finish`], with the record that `describe` makes beside the files.
    pub(crate) fn finish_with(
        mut self,
        describe: impl FnOnce(&Ledger) -> Result<Option<Vec<u8>>>,
    ) -> Result<Summary> {
        self.output.finish(&mut self.ledger, describe)?;
        Ok(self.ledger.summary())
    }

    fn append(&mut self, batch: &Batch, applied: &Applied, progress: &dyn Progress) -> Result<()> {
        let mut after = self.ledger.clone();
        if batch.n() > 0 {
            if let (None, Rows::Texts(texts)) = (&self.head, &batch.rows)
                && let Some(row) = texts.iter().position(Option::is_none)
            {
                let row = batch.numbers.get(row).copied().unwrap_or_default();
                let problem = format!(
                    "row {row}: expected a text, found none; a matrix has no row for it, leave it out"
                );
                return Err(Error::setting("batch", problem));
            }
            let truncated = matches!(batch.rows, Rows::Texts(_)).then_some(applied.truncated.as_slice());
            let beside = Beside { rows: &batch.numbers, ids: batch.ids.as_deref(), truncated };
            let lines = self.head.as_ref().map(|card| lines(batch, applied, card)).transpose()?;
            let lines = lines.as_deref().unwrap_or_default();
            self.output.append(&Chunk { matrices: applied.matrices(), beside, lines }, &mut after)?;
        }
        progress.advance(((batch.end - after.read) as u64).saturating_sub(applied.shown));
        after.add(batch, applied);
        self.ledger = after;
        self.output.acknowledge_when_due(&mut self.ledger)
    }
}

impl Applied {
    /// The matrices, in the order they are written.
    fn matrices(&self) -> Vec<&Embeddings> {
        let views = self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::View(view) => Some(view),
            Outcome::Scores(_) => None,
        });
        self.base.iter().chain(views).chain(&self.teacher).collect()
    }
}

impl Ledger {
    fn summary(&self) -> Summary {
        let Self { read, rows, blank, truncated, base: encoding, .. } = *self;
        Summary { read, rows, blank, truncated, encoding }
    }

    fn add(&mut self, batch: &Batch, applied: &Applied) {
        self.read = batch.end;
        self.dropped.missing += batch.dropped.missing;
        self.dropped.duplicates += batch.dropped.duplicates;
        self.normalized += batch.normalized;
        self.truncated += applied.truncated.iter().filter(|cut| **cut).count();
        if let Rows::Texts(texts) = &batch.rows {
            self.blank += texts.iter().filter(|text| text.is_none()).count();
        }
        for (sum, more) in [(&mut self.base, applied.encoding), (&mut self.teacher, applied.teaching)] {
            sum.encoded += more.encoded;
            sum.reused += more.reused;
        }
        let Seconds { read, encode, transform, teacher, .. } = applied.seconds;
        self.seconds.read += read;
        self.seconds.encode += encode;
        self.seconds.transform += transform;
        self.seconds.teacher += teacher;
    }
}

/// Stands for all that the files depend on.
fn key<E: Encoder>(files: &[FileSpec], input: &Fingerprint, applier: &Applier<E>) -> Fingerprint {
    let prompt = |instruction: Option<&Instruction>| {
        instruction.map(|instruction| instruction.prompt("")).unwrap_or_default()
    };
    let encoder = applier.encoder().map(|(fingerprint, _)| fingerprint.as_str().to_string());
    let key = Fingerprint::builder("apply/1")
        .field("input", input.as_str().as_bytes())
        .field("encoder", encoder.unwrap_or_default().as_bytes())
        .field("prompt", prompt(applier.prompt()).as_bytes())
        .field("teacher", prompt(applier.teacher()).as_bytes())
        .field("passages", &[u8::from(applier.passages())]);
    let key = files.iter().fold(key, |key, file| {
        key.field("file", file.name.as_bytes()).field("form", format!("{:?}", file.form).as_bytes())
    });
    let models = applier.models().iter();
    models.fold(key, |key, model| key.field("model", model.weights_blake3.as_bytes())).finish()
}
