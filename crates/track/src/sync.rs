use crate::cursor::Cursor;
use crate::delivery::Delivery;
use crate::log::{Tail, lines};
use crate::{Error, Event, Result, Server, lock};
use manyview_core::Progress;
use std::path::Path;

/// How much of a record a server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Events that reached it since the tracker was opened, or by this [`sync`].
    pub sent: u64,
    /// Events it still misses; [`sync`] sends them.
    pub left: u64,
    /// Values and artifacts it cannot have: refused by it, out of its reach, or no longer there. Each was a warning,
    /// and the run's tag `manyview.skipped` counts them.
    pub skipped: u64,
}

/// Sends what `server` misses of the record in the run directory `dir`, and what it already has not again.
///
/// What is `left` of an `Ok` are artifacts that the server, though well, does not take at present.
///
/// # Errors
/// [`Error::Busy`] while the run is recorded or sent by another process, those of [`crate::read`], and
/// [`Error::Unreachable`], [`Error::Refused`] or [`Error::Answer`] at the server. What was sent until then stays sent.
pub fn sync(dir: &Path, server: &Server, progress: &dyn Progress) -> Result<Synced> {
    let run = run(dir)?;
    let _lock = lock::hold(dir)?;
    let before = Cursor::load(dir, server, &run);
    progress.begin("sync", lines(dir)?.saturating_sub(before.lines));
    let mut delivery = Delivery::open(dir, server.clone(), before.clone())?;
    let done = delivery.deliver(progress).and_then(|()| delivery.retry(progress));
    progress.end();
    done?;
    Synced::since(&before, dir, server)
}

impl Synced {
    /// What the server has by now, and had not at `before`.
    pub(crate) fn since(before: &Cursor, dir: &Path, server: &Server) -> Result<Self> {
        let now = Cursor::load(dir, server, &before.run);
        Ok(Self {
            sent: now.sent().saturating_sub(before.sent()),
            left: lines(dir)?.saturating_sub(now.sent()),
            skipped: now.skipped,
        })
    }
}

fn run(dir: &Path) -> Result<String> {
    match Tail::open(dir)?.start()?.event {
        Event::Start { run, .. } => Ok(run),
        _ => Err(Error::NoRun { path: dir.into() }),
    }
}
