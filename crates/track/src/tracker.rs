use crate::client::RUN_TAG;
use crate::cursor::Cursor;
use crate::delivery::Delivery;
use crate::event::now;
use crate::journal::Journal;
use crate::lock::Lock;
use crate::sender::Sender;
use crate::{Entry, Error, Event, Result, Server, Status, Synced, lock, name};
use manyview_core::Fingerprint;
use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What a run is, as far as it is known when it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunInfo {
    /// What the run is called.
    pub name: String,
    /// Under which experiment it is listed.
    pub experiment: String,
    /// What it was set to; on a server a parameter keeps its first value.
    pub params: BTreeMap<String, String>,
    /// What else is known of it: the hashes of what it reads, who started it, from which commit.
    pub tags: BTreeMap<String, String>,
}

/// Records one run. Its methods may be called from many threads, and none waits for a server but [`Tracker::finish`].
///
/// Dropped without `finish`, it leaves a run that is not over; opened again, the same run goes on.
pub struct Tracker {
    dir: PathBuf,
    run: String,
    journal: Mutex<Journal>,
    sending: Option<Sending>,
    _lock: Arc<Lock>,
}

struct Sending {
    server: Server,
    before: Cursor,
    sender: Sender,
}

impl Tracker {
    /// Begins the record of a run in the directory `dir`, or goes on with the one that is there; with a `server`, a
    /// thread sends it there as it grows.
    ///
    /// A record that goes on keeps the run's identity, name and experiment, and adds those parameters and tags of
    /// `info` that are new.
    ///
    /// # Errors
    /// [`Error::Name`] and [`Error::Reserved`] for a key no server would take, [`Error::Busy`] while another process
    /// has the directory, [`Error::Line`] and [`Error::NoRun`] for a broken record, [`Error::Io`] for files that
    /// cannot be made. The server is no reason to fail: it is first spoken to by the thread.
    pub fn open(dir: &Path, server: Option<Server>, info: RunInfo) -> Result<Self> {
        check(&info.params)?;
        check(&info.tags)?;
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let lock = Arc::new(lock::hold(dir)?);
        let (mut journal, before) = Journal::open(dir)?;
        let run = match before.first().map(|first| &first.event) {
            None => {
                let run = identity(&info.name);
                let RunInfo { name, experiment, params, tags } = info;
                journal
                    .append(&[Event::Start { run: run.clone(), name, experiment, params, tags }.into()])?;
                run
            }
            Some(Event::Start { run, .. }) => {
                journal.append(&resumption(&before, info))?;
                run.clone()
            }
            Some(_) => return Err(Error::NoRun { path: dir.into() }),
        };
        let sending = server.and_then(|server| Sending::start(dir, &run, server, &lock));
        Ok(Self { dir: dir.into(), run, journal: Mutex::new(journal), sending, _lock: lock })
    }

    /// The identity of the run, 32 hex digits; the tag `manyview.run` on a server.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Records more of what the run was set to.
    ///
    /// # Errors
    /// [`Error::Name`] for a key no server would take; [`Error::Io`] when the file cannot be written.
    pub fn params(&self, values: &BTreeMap<String, String>) -> Result<()> {
        check(values)?;
        self.record(&[Event::Params { values: values.clone() }.into()])
    }

    /// Records a number measured at a step. A NaN or an infinity is recorded too, but no server is told of it.
    ///
    /// # Errors
    /// As [`Tracker::params`].
    pub fn metric(&self, key: &str, value: f64, step: u64) -> Result<()> {
        name::check(key)?;
        self.record(&[Event::Metric { key: key.into(), value, step }.into()])
    }

    /// Records several numbers measured at one step.
    ///
    /// # Errors
    /// As [`Tracker::params`]; then none of them is recorded.
    pub fn metrics(&self, values: &BTreeMap<String, f64>, step: u64) -> Result<()> {
        values.keys().try_for_each(|key| name::check(key))?;
        let entry = |(key, &value): (&String, &f64)| Event::Metric { key: key.clone(), value, step }.into();
        self.record(&values.iter().map(entry).collect::<Vec<_>>())
    }

    /// Records something known of the run; a later value replaces an earlier one.
    ///
    /// # Errors
    /// As [`Tracker::params`]; [`Error::Reserved`] for the tag that holds the identity of the run.
    pub fn tag(&self, key: &str, value: &str) -> Result<()> {
        let values = [(key.to_owned(), value.to_owned())].into();
        check(&values)?;
        self.record(&[Event::Tags { values }.into()])
    }

    /// Records that the run made the file `path`, to be called `name` on a server: parts separated by `/`.
    ///
    /// The file is read when it is sent, so it should not change any more.
    ///
    /// # Errors
    /// As [`Tracker::params`]; [`Error::Artifact`] for a path that is not UTF-8 or not one of a file.
    pub fn artifact(&self, path: &Path, name: &str) -> Result<()> {
        name::check(name)?;
        let wrong = |found: String| Error::Artifact { path: path.into(), found };
        let whole = fs::canonicalize(path).map_err(|e| wrong(e.to_string()))?;
        if !whole.is_file() {
            return Err(wrong("no file".into()));
        }
        let dir = fs::canonicalize(&self.dir).map_err(Error::io(&self.dir))?;
        let kept = whole.strip_prefix(dir).unwrap_or(&whole);
        let kept = kept.to_str().ok_or_else(|| wrong("a path that is not UTF-8".into()))?;
        self.record(&[Event::Artifact { path: kept.into(), name: name.into() }.into()])
    }

    /// Ends the run, and waits a few seconds at most for the rest to reach the server. What is left goes with
    /// [`crate::sync`].
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written. The server is no reason to fail.
    pub fn finish(mut self, status: Status) -> Result<Synced> {
        self.record(&[Event::End { status }.into()])?;
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).settle()?;
        let Some(Sending { server, before, sender }) = self.sending.take() else {
            return Ok(Synced::default());
        };
        drop(sender);
        Synced::since(&before, &self.dir, &server)
    }

    fn record(&self, entries: &[Entry]) -> Result<()> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).append(entries)
    }
}

impl Sending {
    fn start(dir: &Path, run: &str, server: Server, lock: &Arc<Lock>) -> Option<Self> {
        let before = Cursor::load(dir, &server, run);
        let started = Delivery::open(dir, server.clone(), before.clone())
            .and_then(|delivery| Sender::start(delivery, lock.clone()).map_err(Error::io(dir)));
        match started {
            Ok(sender) => Some(Self { server, before, sender }),
            Err(e) => {
                tracing::warn!("tracking server {}: {e}; the run goes on without it", server.uri());
                None
            }
        }
    }
}

fn check(values: &BTreeMap<String, String>) -> Result<()> {
    values.keys().try_for_each(|key| match key.as_str() {
        RUN_TAG => Err(Error::Reserved { name: key.clone() }),
        key => name::check(key),
    })
}

/// The lines with which a run goes on.
fn resumption(before: &[Entry], info: RunInfo) -> Vec<Entry> {
    let (mut params, mut tags) = (info.params, info.tags);
    let (mut known_params, mut known_tags) = (BTreeMap::new(), BTreeMap::new());
    for entry in before {
        match &entry.event {
            Event::Start { params, tags, .. } => {
                known_params.extend(params);
                known_tags.extend(tags);
            }
            Event::Params { values } => known_params.extend(values),
            Event::Tags { values } => known_tags.extend(values),
            _ => (),
        }
    }
    params.retain(|key, value| known_params.get(key) != Some(&&*value));
    tags.retain(|key, value| known_tags.get(key) != Some(&&*value));
    let mut lines = vec![Event::Resume.into()];
    lines.extend((!params.is_empty()).then(|| Event::Params { values: params }.into()));
    lines.extend((!tags.is_empty()).then(|| Event::Tags { values: tags }.into()));
    lines
}

fn identity(name: &str) -> String {
    let chance = RandomState::new().hash_one(name);
    let fingerprint = Fingerprint::builder("run/1")
        .field("name", name.as_bytes())
        .field("time", &now().as_nanos().to_le_bytes())
        .field("process", &std::process::id().to_le_bytes())
        .field("chance", &chance.to_le_bytes())
        .finish();
    fingerprint.as_str().chars().take(32).collect()
}
