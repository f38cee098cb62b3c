use crate::{Error, Result, Server};
use manyview_core::publish::write_whole;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// How far the record was sent, below the directory of the run.
const FILE: &str = "tracking.sent.json";

/// How far the record of one run was sent to one server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// The address of the server.
    pub(crate) server: String,
    /// Our identity of the run.
    pub(crate) run: String,
    /// The run on the server, once it is there.
    pub(crate) remote: Option<Remote>,
    /// Lines of the record done with, one way or another.
    pub(crate) lines: u64,
    /// Artifacts passed over for now.
    pub(crate) deferred: Vec<Artifact>,
    /// Values and artifacts that the server cannot have.
    pub(crate) skipped: u64,
    /// Metrics not sent because they are not finite.
    pub(crate) not_finite: u64,
}

/// A run on a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Remote {
    pub(crate) run_id: String,
    pub(crate) artifact_uri: String,
}

/// A file to send: where it is, and what it is called on the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Artifact {
    pub(crate) path: String,
    pub(crate) name: String,
}

impl Cursor {
    /// How far `run` in `dir` was sent to `server`: nothing yet for another run, another server or a broken file.
    ///
    /// To begin again is safe: the run is found by its tag, and a value sent twice is one value.
    pub(crate) fn load(dir: &Path, server: &Server, run: &str) -> Self {
        let fresh = Self { server: server.uri().into(), run: run.into(), ..Self::default() };
        let kept: Option<Self> = fs::read(dir.join(FILE)).ok().and_then(|b| serde_json::from_slice(&b).ok());
        kept.filter(|kept| kept.server == fresh.server && kept.run == fresh.run).unwrap_or(fresh)
    }

    /// Events the server has.
    pub(crate) fn sent(&self) -> u64 {
        self.lines.saturating_sub(self.deferred.len() as u64)
    }

    /// Puts the cursor in `dir`, whole or not at all.
    pub(crate) fn publish(&self, dir: &Path) -> Result<()> {
        let path = dir.join(FILE);
        let mut bytes = serde_json::to_vec(self).map_err(|e| Error::io(&path)(e.into()))?;
        bytes.push(b'\n');
        Ok(write_whole(&path, &bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_of_another_run_another_server_or_in_ruins_begins_again() {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::new("http://a").unwrap();
        let cursor = Cursor { lines: 9, ..Cursor::load(dir.path(), &server, "r") };
        cursor.publish(dir.path()).unwrap();
        assert_eq!(Cursor::load(dir.path(), &server, "r"), cursor);
        assert_eq!(Cursor::load(dir.path(), &server, "s").lines, 0);
        assert_eq!(Cursor::load(dir.path(), &Server::new("http://b").unwrap(), "r").lines, 0);
        fs::write(dir.path().join(FILE), "{").unwrap();
        assert_eq!(Cursor::load(dir.path(), &server, "r").lines, 0);
    }
}
