use crate::scratch::{self, parts, put};
use manyview_core::{Kind, Quiet};
use manyview_track::{Error, RunInfo, Server, Tracker, read, sync};
use std::time::Duration;

/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:1";

/// The record of a run and how far it was sent: read, gone on with, and what was there is still there.
pub fn tracking(data: &[u8]) {
    let [record, sent] = parts(data);
    let dir = scratch::empty("run");
    put(&dir, "tracking.jsonl", record);
    put(&dir, "tracking.sent.json", sent);
    let before = read(&dir).inspect_err(refused);
    let server = Server::new(NOWHERE).unwrap().timeout(Duration::from_secs(1));
    match sync(&dir, &server, &Quiet) {
        Ok(done) => assert_eq!(done.left, 0, "{done:?}"),
        Err(e) if e.kind() == Kind::Network => {}
        Err(e) => refused(&e),
    }
    let tracker = match Tracker::open(&dir, None, RunInfo::default()) {
        Ok(tracker) => tracker,
        Err(e) => {
            assert!(before.is_err(), "{e}");
            return refused(&e);
        }
    };
    tracker.metric("loss", 0.1 + 0.2, 7).unwrap();
    drop(tracker);
    let after = read(&dir).unwrap();
    assert!(!after.torn);
    assert_eq!(after.metric("loss").last(), Some(&(7, 0.1 + 0.2)));
    if let Ok(before) = before {
        assert_eq!(after.run, before.run);
        let debug = |entries: &[manyview_track::Entry]| format!("{entries:?}");
        assert_eq!(debug(&after.entries[..before.entries.len()]), debug(&before.entries));
    }
}

fn refused(e: &Error) {
    scratch::refused(e.kind(), e);
}
