//! Vectors that wait in memory to be written together.
use crate::rows::Rows;
use crate::table::Table;
use crate::text_hash::TextHash;
use crate::{Error, Result, Store};
use manyview_core::{Encoded, Kind};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long to wait after a write that failed, at least.
const RETRY: Duration = Duration::from_secs(1);

/// How many vectors may wait to be written together, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteBuffer {
    /// Vectors of one space at which they are written; at least 1.
    pub rows: usize,
    /// The longest that a vector waits.
    pub wait: Duration,
}

impl Default for WriteBuffer {
    /// 256 vectors, a second.
    fn default() -> Self {
        Self { rows: 256, wait: Duration::from_secs(1) }
    }
}

/// The vectors that wait, of every space. What still waits when it is dropped is written.
#[derive(Debug)]
pub(crate) struct Buffer {
    shared: Arc<Shared>,
    /// Writes what has waited long enough; started with the first vector.
    clock: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    limits: WriteBuffer,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// By the key of their space.
    waiting: HashMap<String, Waiting>,
    /// On their way to the disk, and to be found here until they are there.
    writing: Vec<(String, Arc<Rows>)>,
    over: bool,
}

#[derive(Debug)]
struct Waiting {
    rows: Rows,
    since: Instant,
}

impl Buffer {
    pub(crate) fn new(store: Store, limits: WriteBuffer) -> Self {
        let limits = WriteBuffer { rows: limits.rows.max(1), ..limits };
        let shared = Shared { store, limits, state: Mutex::default(), changed: Condvar::new() };
        Self { shared: Arc::new(shared), clock: Mutex::default() }
    }

    /// Whether so many vectors are better written at once.
    pub(crate) fn is_passed_by(&self, rows: usize) -> bool {
        rows >= self.shared.limits.rows
    }

    /// Fills the open slots of `table` with what waits.
    pub(crate) fn fill(&self, key: &str, table: &mut Table<'_>) {
        let state = self.shared.state();
        if let Some(waiting) = state.waiting.get(key) {
            waiting.rows.fill(table);
        }
        state.writing.iter().filter(|(of, _)| of == key).for_each(|(_, rows)| rows.fill(table));
    }

    /// Takes vectors of the space `key`, and writes them with those that wait if they are enough.
    ///
    /// # Errors
    /// Files that cannot be written: where the buffer was full before, these vectors are not taken.
    pub(crate) fn add(&self, key: &str, hashes: &[TextHash], encoded: &Encoded) -> Result<()> {
        self.start_clock()?;
        let is_full = |state: &State| {
            state.waiting.get(key).is_some_and(|waiting| waiting.rows.len() >= self.shared.limits.rows)
        };
        let mut state = self.shared.state();
        if is_full(&state) {
            state = self.shared.write(state, |of, _| of == key)?; // it could not be written before
        }
        let dim = encoded.vectors.dim();
        let waiting = state
            .waiting
            .entry(key.into())
            .or_insert_with(|| Waiting { rows: Rows::new(dim), since: Instant::now() });
        waiting.rows.extend(hashes, encoded);
        self.shared.changed.notify_all();
        if is_full(&state) {
            drop(self.shared.write(state, |of, _| of == key)?);
        }
        Ok(())
    }

    /// Writes all that waits; what others are writing is on the disk as well when this returns.
    ///
    /// # Errors
    /// Files that cannot be written; their vectors wait on.
    pub(crate) fn flush(&self) -> Result<()> {
        let mut state = self.shared.state();
        while !state.writing.is_empty() {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.shared.write(state, |_, _| true).map(drop)
    }

    /// Vectors that are not on the disk yet.
    pub(crate) fn len(&self) -> usize {
        let state = self.shared.state();
        let waiting: usize = state.waiting.values().map(|waiting| waiting.rows.len()).sum();
        waiting + state.writing.iter().map(|(_, rows)| rows.len()).sum::<usize>()
    }

    fn start_clock(&self) -> Result<()> {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        if clock.is_none() {
            let shared = self.shared.clone();
            let started = thread::Builder::new().name("store".into()).spawn(move || shared.keep_time());
            *clock = Some(started.map_err(|e| manyview_core::Error::other(Kind::Internal, e))?);
        }
        Ok(())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.shared.state().over = true;
        self.shared.changed.notify_all();
        let clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner).take();
        clock.map(JoinHandle::join);
        if let Err(error) = self.flush() {
            tracing::warn!(%error, "vectors that waited to be written are lost; they are encoded again when asked for");
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the spaces whose turn it is. What cannot be written waits on.
    fn write<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        is_due: impl Fn(&str, &Waiting) -> bool,
    ) -> Result<MutexGuard<'a, State>> {
        let due: Vec<String> =
            state.waiting.iter().filter(|(key, w)| is_due(key, w)).map(|(key, _)| key.clone()).collect();
        let mut problem: Option<Error> = None;
        for key in due {
            let Some(Waiting { rows, .. }) = state.waiting.remove(&key) else { continue };
            let rows = Arc::new(rows);
            state.writing.push((key.clone(), rows.clone()));
            drop(state);
            let written = self.publish(&key, &rows);
            state = self.state();
            state.writing.retain(|(_, written)| !Arc::ptr_eq(written, &rows));
            if let Err(error) = written {
                let waiting = state
                    .waiting
                    .entry(key)
                    .or_insert_with(|| Waiting { rows: Rows::new(rows.dim()), since: Instant::now() });
                waiting.rows.append(&rows);
                problem.get_or_insert(error);
            }
            self.changed.notify_all();
        }
        problem.map_or(Ok(state), Err)
    }

    fn publish(&self, key: &str, rows: &Rows) -> Result<()> {
        let (hashes, encoded) = rows.encoded()?;
        self.store.publish_part(key, hashes, &encoded)?;
        self.store.compact_when_many(key);
        Ok(())
    }

    /// Writes what has waited long enough, until it is over.
    fn keep_time(&self) {
        let mut state = self.state();
        while !state.over {
            let longest = state.waiting.values().map(|waiting| waiting.since.elapsed()).max();
            state = match longest {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(waited) if waited < self.limits.wait => {
                    let left = self.limits.wait - waited;
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    match self.write(state, |_, waiting| waiting.since.elapsed() >= self.limits.wait) {
                        Ok(state) => state,
                        Err(error) => {
                            tracing::warn!(%error, "vectors wait on to be written");
                            let retry = self.limits.wait.max(RETRY);
                            self.changed
                                .wait_timeout(self.state(), retry)
                                .unwrap_or_else(PoisonError::into_inner)
                                .0
                        }
                    }
                }
            };
        }
    }
}
