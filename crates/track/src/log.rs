use crate::{Entry, Error, Event, Result, Status};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The record of a run, below its directory.
pub(crate) const FILE: &str = "tracking.jsonl";

/// The record of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The identity of the run, 32 hex digits.
    pub run: String,
    /// Its name.
    pub name: String,
    /// The experiment it belongs to.
    pub experiment: String,
    /// Every event, in order; the first is the start.
    pub entries: Vec<Entry>,
    /// Whether the file ends in half a line, as a crash may leave it; that half is not among the entries.
    pub torn: bool,
}

impl Log {
    /// How the run ended; nothing while it goes on, or when it was cut off.
    pub fn status(&self) -> Option<Status> {
        let last = |e: &Entry| match e.event {
            Event::End { status } => Some(Some(status)),
            Event::Resume | Event::Start { .. } => Some(None),
            _ => None,
        };
        self.entries.iter().rev().find_map(last).flatten()
    }

    /// `(step, value)` of every metric called `key`, in the order they were recorded.
    pub fn metric(&self, key: &str) -> Vec<(u64, f64)> {
        let of = |e: &Entry| match &e.event {
            Event::Metric { key: k, value, step } if k == key => Some((*step, *value)),
            _ => None,
        };
        self.entries.iter().filter_map(of).collect()
    }
}

/// Reads the record in the run directory `dir`.
///
/// # Errors
/// [`Error::NoRun`] without a record or a first line, [`Error::Line`] when a line that is not the last is not an event.
pub fn read(dir: &Path) -> Result<Log> {
    let mut tail = Tail::open(dir)?;
    let first = tail.start()?;
    let Event::Start { run, name, experiment, .. } = &first.event else {
        return Err(Error::NoRun { path: tail.path });
    };
    let (run, name, experiment) = (run.clone(), name.clone(), experiment.clone());
    let mut entries = vec![first];
    while let Some(entry) = tail.next()? {
        entries.push(entry);
    }
    Ok(Log { run, name, experiment, entries, torn: tail.torn })
}

/// How many whole lines the record in `dir` has.
pub(crate) fn lines(dir: &Path) -> Result<u64> {
    let mut tail = Tail::open(dir)?;
    while tail.skip()? {}
    Ok(tail.line)
}

/// Reads the record line after line, also while it grows.
pub(crate) struct Tail {
    path: PathBuf,
    reader: BufReader<File>,
    /// Lines read so far.
    line: u64,
    /// Where the next line begins.
    offset: u64,
    /// Whether the last look found half a line.
    torn: bool,
}

impl Tail {
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let file = File::open(&path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => Error::NoRun { path: path.clone() },
            _ => Error::io(&path)(e),
        })?;
        Ok(Self { path, reader: BufReader::new(file), line: 0, offset: 0, torn: false })
    }

    /// The first line, which must be a start.
    pub(crate) fn start(&mut self) -> Result<Entry> {
        match self.next()? {
            Some(entry) if matches!(entry.event, Event::Start { .. }) => Ok(entry),
            _ => Err(Error::NoRun { path: self.path.clone() }),
        }
    }

    /// The next whole line; nothing when there is none yet.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>> {
        let Some(bytes) = self.raw()? else { return Ok(None) };
        let wrong = |e: serde_json::Error| Error::Line {
            path: self.path.clone(),
            line: self.line,
            problem: e.to_string(),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(wrong)
    }

    /// Passes over the next line without reading it; whether there was one.
    pub(crate) fn skip(&mut self) -> Result<bool> {
        Ok(self.raw()?.is_some())
    }

    /// Lines read so far.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Bytes of the lines read so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    fn raw(&mut self) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        self.reader.read_until(b'\n', &mut bytes).map_err(Error::io(&self.path))?;
        if bytes.last() == Some(&b'\n') {
            self.line += 1;
            self.offset += bytes.len() as u64;
            return Ok(Some(bytes));
        }
        // Half a line may yet be finished, or taken back: look again from its beginning.
        self.torn = !bytes.is_empty();
        self.reader.seek(SeekFrom::Start(self.offset)).map_err(Error::io(&self.path))?;
        Ok(None)
    }
}
