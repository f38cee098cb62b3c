use crate::{Error, Question, Result, Totals, Usage};
use manyview_core::Fingerprint;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A line of a ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// A text has its scores.
    Answer {
        /// Of oracle, text and round: what is never asked again.
        key: Fingerprint,
        /// The name of the text.
        id: String,
        /// A score in each dimension, `[d]`.
        scores: Vec<f64>,
        /// What it took.
        usage: Option<Usage>,
        /// What it cost; none where that is not known.
        cost: Option<f64>,
    },
    /// An answer came, but not with scores.
    Unusable {
        /// The name of the text.
        id: String,
        /// What was wrong with it.
        problem: String,
        /// What it took.
        usage: Option<Usage>,
        /// What it cost; none where that is not known.
        cost: Option<f64>,
    },
    /// A question was sent and no answer came.
    Lost {
        /// The name of the text.
        id: String,
        /// What happened.
        problem: String,
        /// What is set aside for it, since it may have been charged; none where there are no prices.
        reserved: Option<f64>,
    },
}

/// Every answer that was paid for, one a line, in a file that only grows.
///
/// One process writes it at a time. An entry is on disk when `add` returns; half a line that a crash left is
/// cut off when it is opened again.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    known: HashMap<Fingerprint, Vec<f64>>,
    totals: Totals,
    dearest: f64,
}

impl Ledger {
    /// Opens the file at `path`, made where there is none.
    ///
    /// # Errors
    /// [`Error::Busy`], a file that cannot be used, [`Error::Line`] for a line that is no entry.
    pub fn open(path: &Path) -> Result<Self> {
        let mut options = File::options();
        let mut file = options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(Error::io(path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path: path.into() }),
            Err(TryLockError::Error(e)) => return Err(Error::io(path)(e)),
        }
        let (entries, length) = entries(&mut file, path)?;
        file.set_len(length).and_then(|()| file.seek(SeekFrom::End(0))).map_err(Error::io(path))?;
        let mut ledger =
            Self { path: path.into(), file, known: HashMap::new(), totals: Totals::default(), dearest: 0.0 };
        entries.into_iter().for_each(|entry| ledger.count(entry));
        Ok(ledger)
    }

    /// What identifies the answer of an oracle to a question; of another `round`, another one.
    pub fn key(oracle: &Fingerprint, question: &Question, round: u32) -> Fingerprint {
        Fingerprint::builder("oracle-answer/1")
            .field("oracle", oracle.as_str().as_bytes())
            .field("title", question.title.as_bytes())
            .field("content", question.content.as_bytes())
            .field("round", &round.to_le_bytes())
            .finish()
    }

    /// The scores under `key`, where it was asked before.
    pub fn known(&self, key: &Fingerprint) -> Option<&[f64]> {
        self.known.get(key).map(Vec::as_slice)
    }

    /// What everything so far comes to.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// What the dearest answer cost.
    pub(crate) fn dearest(&self) -> f64 {
        self.dearest
    }

    /// Adds a line, and waits until it outlives the machine.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn add(&mut self, entry: Entry) -> Result<()> {
        let mut line = serde_json::to_vec(&entry).map_err(|e| Error::io(&self.path)(e.into()))?;
        line.push(b'\n');
        let before = self.file.metadata().map_err(Error::io(&self.path))?.len();
        if let Err(e) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            // Half a line would spoil the next one. Where even this fails, the next opening cuts it off.
            self.file.set_len(before).and_then(|()| self.file.seek(SeekFrom::End(0))).ok();
            return Err(Error::io(&self.path)(e));
        }
        self.count(entry);
        Ok(())
    }

    fn count(&mut self, entry: Entry) {
        self.totals.add(&entry);
        if let Entry::Answer { cost: Some(cost), .. } | Entry::Unusable { cost: Some(cost), .. } = &entry {
            self.dearest = self.dearest.max(*cost);
        }
        if let Entry::Answer { key, scores, .. } = entry {
            self.known.insert(key, scores);
        }
    }
}

impl Totals {
    fn add(&mut self, entry: &Entry) {
        let (usage, cost) = match entry {
            Entry::Answer { usage, cost, .. } => {
                self.answers += 1;
                (usage, cost)
            }
            Entry::Unusable { usage, cost, .. } => {
                self.unusable += 1;
                (usage, cost)
            }
            Entry::Lost { reserved, .. } => {
                self.lost += 1;
                self.reserved += reserved.unwrap_or(0.0);
                return;
            }
        };
        let usage = usage.unwrap_or_default();
        self.prompt_tokens += usage.prompt_tokens;
        self.completion_tokens += usage.completion_tokens;
        self.cost += cost.unwrap_or(0.0);
        self.unpriced += u64::from(cost.is_none());
    }
}

/// What the ledger at `path` comes to, without holding it; half a line at its end is passed over.
///
/// # Errors
/// A file that cannot be read, [`Error::Line`] for a line that is no entry.
pub fn read_totals(path: &Path) -> Result<Totals> {
    let (entries, _) = entries(&mut File::open(path).map_err(Error::io(path))?, path)?;
    let mut totals = Totals::default();
    entries.iter().for_each(|entry| totals.add(entry));
    Ok(totals)
}

/// The entries of a file, and the length of the lines they are from.
fn entries(file: &mut File, path: &Path) -> Result<(Vec<Entry>, u64)> {
    let mut reader = BufReader::new(file);
    let (mut entries, mut length, mut bytes) = (Vec::new(), 0, Vec::new());
    for line in 1.. {
        bytes.clear();
        let read = reader.read_until(b'\n', &mut bytes).map_err(Error::io(path))?;
        if read == 0 || bytes.last() != Some(&b'\n') {
            break;
        }
        let entry = serde_json::from_slice(&bytes);
        entries.push(entry.map_err(|e| Error::Line { path: path.into(), line, problem: e.to_string() })?);
        length += read as u64;
    }
    Ok((entries, length))
}
