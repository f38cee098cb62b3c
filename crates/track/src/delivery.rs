use crate::client::Client;
use crate::cursor::{Artifact, Cursor, Remote};
use crate::item::{Item, requests};
use crate::step::{Step, Steps, Work};
use crate::{Error, Event, Result, Server, artifact};
use manyview_core::Progress;
use std::path::{Path, PathBuf};

/// Tags that tell on the server what it does not have.
const NOT_FINITE_TAG: &str = "manyview.metrics_not_finite";
const SKIPPED_TAG: &str = "manyview.skipped";

/// Sends the record of one run to one server, from where it left off.
pub(crate) struct Delivery {
    dir: PathBuf,
    client: Client,
    name: String,
    experiment: String,
    time: u64,
    steps: Steps,
    /// Read, and not yet sent.
    pending: Option<Step>,
    cursor: Cursor,
}

impl Delivery {
    pub(crate) fn open(dir: &Path, server: Server, mut cursor: Cursor) -> Result<Self> {
        let (steps, start) = Steps::open(dir, &mut cursor.lines)?;
        let Event::Start { name, experiment, .. } = start.event else {
            return Err(Error::NoRun { path: dir.into() });
        };
        let (dir, client) = (dir.into(), Client::new(server));
        Ok(Self { dir, client, name, experiment, time: start.time, steps, pending: None, cursor })
    }

    /// Sends what the record holds by now, until something is in the way.
    pub(crate) fn deliver(&mut self, progress: &dyn Progress) -> Result<()> {
        loop {
            if progress.stopped() {
                return Err(manyview_core::Error::Interrupted.into());
            }
            let step = match self.pending.take() {
                Some(step) => step,
                None => match self.steps.next()? {
                    Some(step) => step,
                    None => return Ok(()),
                },
            };
            if let Err(e) = self.send(&step, progress) {
                self.pending = Some(step);
                return Err(e);
            }
            progress.advance(step.lines);
        }
    }

    /// Tries the artifacts again that were passed over.
    pub(crate) fn retry(&mut self, progress: &dyn Progress) -> Result<()> {
        for artifact in self.cursor.deferred.clone() {
            let remote = self.remote()?;
            let mut cursor = self.cursor.clone();
            cursor.deferred.retain(|a| *a != artifact);
            self.place(&remote, &artifact, &mut cursor, progress)?;
            self.keep(cursor)?;
        }
        Ok(())
    }

    fn send(&mut self, step: &Step, progress: &dyn Progress) -> Result<()> {
        let remote = self.remote()?;
        let mut cursor = self.cursor.clone();
        match &step.work {
            Work::Log { items, not_finite } => {
                self.log(&remote, items, &mut cursor)?;
                if *not_finite > 0 {
                    cursor.not_finite += not_finite;
                    let tag = Item::tag(NOT_FINITE_TAG, &cursor.not_finite.to_string());
                    self.client.log(&remote.run_id, &[tag])?;
                }
            }
            Work::Artifact(artifact) => self.place(&remote, artifact, &mut cursor, progress)?,
            Work::Status { status, end } => self.client.update(&remote.run_id, status, *end)?,
        }
        cursor.lines += step.lines;
        self.keep(cursor)
    }

    fn keep(&mut self, cursor: Cursor) -> Result<()> {
        cursor.publish(&self.dir)?;
        self.cursor = cursor;
        Ok(())
    }

    /// The run on the server: known, found by its tag, or made.
    fn remote(&mut self) -> Result<Remote> {
        if let Some(remote) = &self.cursor.remote {
            return Ok(remote.clone());
        }
        let experiment = self.client.experiment(&self.experiment)?;
        let remote = match self.client.find(&experiment, &self.cursor.run)? {
            Some(remote) => remote,
            None => self.client.create(&experiment, &self.cursor.run, &self.name, self.time)?,
        };
        self.keep(Cursor { remote: Some(remote.clone()), ..self.cursor.clone() })?;
        Ok(remote)
    }

    fn log(&self, remote: &Remote, items: &[Item], cursor: &mut Cursor) -> Result<()> {
        for request in requests(items) {
            for e in self.refused(remote, request)? {
                self.skip(remote, &e.to_string(), cursor)?;
            }
        }
        Ok(())
    }

    /// Logs `items`; those the server does not take are found by halving, so that one of them costs no other.
    fn refused(&self, remote: &Remote, items: &[Item]) -> Result<Vec<Error>> {
        let e = match self.client.log(&remote.run_id, items) {
            Ok(()) => return Ok(Vec::new()),
            Err(e @ Error::Refused { status: 400 | 413, .. }) => e,
            Err(e) => return Err(e),
        };
        if let (halves, true) = (items.split_at(items.len() / 2), items.len() > 1) {
            let mut refused = self.refused(remote, halves.0)?;
            refused.extend(self.refused(remote, halves.1)?);
            return Ok(refused);
        }
        // A deleted run takes nothing, which is no fault of the value.
        if self.client.active(&remote.run_id)? { Ok(vec![e]) } else { Err(e) }
    }

    /// Sends a file; passes over it when the server is well but does not take it.
    fn place(
        &self,
        remote: &Remote,
        artifact: &Artifact,
        cursor: &mut Cursor,
        progress: &dyn Progress,
    ) -> Result<()> {
        match artifact::send(&self.client, remote, &self.dir, artifact, progress) {
            Ok(None) => Ok(()),
            Ok(Some(why)) => self.skip(remote, &why, cursor),
            Err(e) if progress.stopped() || !self.client.active(&remote.run_id)? => Err(e),
            Err(e) => {
                tracing::warn!("artifact {}: {e}", artifact.name);
                cursor.deferred.push(artifact.clone());
                Ok(())
            }
        }
    }

    fn skip(&self, remote: &Remote, why: &str, cursor: &mut Cursor) -> Result<()> {
        cursor.skipped += 1;
        tracing::warn!("run {} on the tracking server: left out: {why}", self.cursor.run);
        self.client.log(&remote.run_id, &[Item::tag(SKIPPED_TAG, &cursor.skipped.to_string())])
    }
}
