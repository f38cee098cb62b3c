//! The record itself: one run a directory, one process at a time, whatever happens to that process.

use manyview_core::Quiet;
use manyview_test_server::mlflow::{Mood, TrackingServer};
use manyview_track::{Error, Event, RunInfo, Server, Status, Tracker, read, sync};
use std::process::{Command, Stdio};
use std::time::Duration;

const DIR: &str = "MANYVIEW_TRACK_TEST_DIR";
const URI: &str = "MANYVIEW_TRACK_TEST_URI";

fn info() -> RunInfo {
    RunInfo { name: "ridge".into(), experiment: "headlines".into(), ..RunInfo::default() }
}

/// The process that is killed.
fn record_without_end(dir: &str, uri: &str) {
    let tracker = Tracker::open(dir.as_ref(), Some(Server::new(uri).unwrap()), info()).unwrap();
    for step in 0.. {
        tracker.metric("loss", 0.5, step).unwrap();
        std::thread::sleep(Duration::from_micros(100));
    }
}

#[test]
fn a_run_that_is_killed_goes_on_as_the_same_run() {
    if let (Ok(dir), Ok(uri)) = (std::env::var(DIR), std::env::var(URI)) {
        return record_without_end(&dir, &uri); // started below
    }
    let (fake, dir) = (TrackingServer::new(Mood::Well), tempfile::tempdir().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["record::a_run_that_is_killed_goes_on_as_the_same_run", "--exact", "--nocapture"])
        .envs([(DIR, dir.path().as_os_str()), (URI, fake.uri().as_ref())])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while fake.store().runs.first().is_none_or(|run| run.came == 0) {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let cut = read(dir.path()).unwrap();
    assert_eq!(cut.status(), None);
    let steps = cut.metric("loss").len() as u64;
    assert!(steps > 0);

    let server = Server::new(&fake.uri()).unwrap();
    let tracker = Tracker::open(dir.path(), Some(server.clone()), info()).unwrap();
    assert_eq!(tracker.run(), cut.run);
    tracker.metric("loss", 0.25, steps).unwrap();
    tracker.finish(Status::Finished).unwrap();
    sync(dir.path(), &server, &Quiet).unwrap();

    let log = read(dir.path()).unwrap();
    assert_eq!(log.metric("loss").len() as u64, steps + 1);
    let starts = log.entries.iter().filter(|e| matches!(e.event, Event::Start { .. })).count();
    assert_eq!((starts, log.status()), (1, Some(Status::Finished)));
    let store = fake.store();
    assert_eq!(store.runs.len(), 1);
    assert_eq!(store.runs[0].metric("loss"), log.metric("loss"));
    assert_eq!(store.runs[0].status, "FINISHED");
}

#[test]
fn a_run_without_a_server_is_recorded_and_can_be_sent_later() {
    let (fake, dir) = (TrackingServer::new(Mood::Well), tempfile::tempdir().unwrap());
    let tracker = Tracker::open(dir.path(), None, info()).unwrap();
    tracker.metrics(&[("a".into(), 1.0), ("b".into(), 2.0)].into(), 3).unwrap();
    tracker.params(&[("penalty".to_owned(), "0.1".to_owned())].into()).unwrap();
    tracker.finish(Status::Finished).unwrap();
    let server = Server::new(&fake.uri()).unwrap();
    assert_eq!(sync(dir.path(), &server, &Quiet).unwrap().sent, 5);
    assert_eq!(fake.store().runs[0].metric("b"), [(3, 2.0)]);
    assert_eq!(fake.store().runs[0].params["penalty"], "0.1");
}

#[test]
fn a_directory_without_a_record_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new("http://127.0.0.1:9").unwrap();
    assert!(matches!(sync(dir.path(), &server, &Quiet), Err(Error::NoRun { .. })));
    assert!(matches!(read(&dir.path().join("none")), Err(Error::NoRun { .. })));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn the_same_record_reaches_two_servers() {
    let (one, two, dir) =
        (TrackingServer::new(Mood::Well), TrackingServer::new(Mood::Well), tempfile::tempdir().unwrap());
    let tracker = Tracker::open(dir.path(), Server::new(&one.uri()).ok(), info()).unwrap();
    tracker.metric("loss", 0.5, 0).unwrap();
    tracker.finish(Status::Finished).unwrap();
    for fake in [&two, &one] {
        sync(dir.path(), &Server::new(&fake.uri()).unwrap(), &Quiet).unwrap();
        assert_eq!(fake.store().runs.len(), 1);
        assert_eq!(fake.store().runs[0].metric("loss"), [(0, 0.5)]);
    }
}

#[test]
fn a_directory_has_one_recorder_at_a_time() {
    let (fake, dir) = (TrackingServer::new(Mood::Well), tempfile::tempdir().unwrap());
    let tracker = Tracker::open(dir.path(), None, info()).unwrap();
    assert!(matches!(Tracker::open(dir.path(), None, info()), Err(Error::Busy { .. })));
    let server = Server::new(&fake.uri()).unwrap();
    assert!(matches!(sync(dir.path(), &server, &Quiet), Err(Error::Busy { .. })));
    drop(tracker);
    assert_eq!(sync(dir.path(), &server, &Quiet).unwrap().sent, 1);
}

#[test]
fn what_no_server_would_take_is_refused_before_it_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let tracker = Tracker::open(dir.path(), None, info()).unwrap();
    let file = dir.path().join("a.txt");
    std::fs::write(&file, "a").unwrap();
    assert!(matches!(tracker.metric("a//b", 1.0, 0), Err(Error::Name { .. })));
    assert!(matches!(
        tracker.metrics(&[("ok".into(), 1.0), ("..".into(), 1.0)].into(), 0),
        Err(Error::Name { .. })
    ));
    assert!(matches!(tracker.artifact(&file, "../a.txt"), Err(Error::Name { .. })));
    assert!(matches!(tracker.artifact(dir.path(), "dir"), Err(Error::Artifact { .. })));
    assert!(matches!(tracker.artifact(&dir.path().join("none"), "none"), Err(Error::Artifact { .. })));
    assert!(matches!(tracker.tag("manyview.run", "mine"), Err(Error::Reserved { .. })));
    assert_eq!(read(dir.path()).unwrap().entries.len(), 1);
}

#[test]
fn many_threads_record_whole_lines() {
    let dir = tempfile::tempdir().unwrap();
    let tracker = Tracker::open(dir.path(), None, info()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let tracker = &tracker;
            scope.spawn(move || {
                (0..500).try_for_each(|step| tracker.metric(&format!("m{thread}"), 0.5, step)).unwrap()
            });
        }
    });
    let log = read(dir.path()).unwrap();
    for thread in 0..4 {
        assert_eq!(log.metric(&format!("m{thread}")).len(), 500);
    }
}
