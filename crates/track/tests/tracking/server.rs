//! What reaches a tracking server, and what happens when it is not well.

use manyview_core::Quiet;
use manyview_test_server::http::free_port;
use manyview_test_server::mlflow::{Mood, TrackingServer};
use manyview_track::{Error, RunInfo, Server, Status, Synced, Tracker, read, sync};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

fn info() -> RunInfo {
    RunInfo {
        name: "ridge".into(),
        experiment: "headlines".into(),
        params: (0..150).map(|i| (format!("p{i}"), i.to_string())).collect(),
        tags: [("data.hash".to_owned(), "cc42".to_owned())].into(),
    }
}

fn server(uri: &str) -> Server {
    Server::new(uri).unwrap()
}

fn loss(step: u64) -> f64 {
    1.0 / (step as f64 + 3.0)
}

/// 2,500 metrics, an artifact and an end: with the start, 2,503 events.
fn record(dir: &Path, server: Server) -> Synced {
    let tracker = Tracker::open(dir, Some(server), info()).unwrap();
    for step in 0..2500 {
        tracker.metric("loss", loss(step), step).unwrap();
    }
    std::fs::write(dir.join("report.html"), "<p>").unwrap();
    tracker.artifact(&dir.join("report.html"), "pages/a b.html").unwrap();
    tracker.finish(Status::Finished).unwrap()
}

fn expect_all(fake: &TrackingServer, dir: &Path) {
    let expected: Vec<(u64, f64)> = (0..2500).map(|step| (step, loss(step))).collect();
    let log = read(dir).unwrap();
    assert_eq!(log.metric("loss"), expected);
    assert_eq!(log.status(), Some(Status::Finished));
    let store = fake.store();
    assert_eq!(store.runs.len(), 1);
    let run = &store.runs[0];
    assert_eq!(run.metric("loss"), expected);
    assert_eq!(run.params, info().params);
    assert_eq!(
        (run.tags["data.hash"].as_str(), run.tags["manyview.run"].as_str()),
        ("cc42", log.run.as_str())
    );
    assert_eq!(run.status, "FINISHED");
    assert_eq!(store.artifacts, BTreeMap::from([("0/0/artifacts/pages/a b.html".into(), b"<p>".to_vec())]));
}

#[test]
fn a_run_reaches_a_server_that_is_well_before_it_ends() {
    let (fake, dir) = (TrackingServer::new(Mood::Well), tempfile::tempdir().unwrap());
    let synced = record(dir.path(), server(&fake.uri()));
    assert_eq!(synced, Synced { sent: 2503, left: 0, skipped: 0 });
    expect_all(&fake, dir.path());
    assert_eq!(fake.store().runs[0].came, 2500);
}

#[test]
fn what_a_server_that_is_down_missed_is_sent_once_when_it_is_back() {
    let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
    let server = server(&format!("http://127.0.0.1:{port}"));
    assert_eq!(record(dir.path(), server.clone()), Synced { sent: 0, left: 2503, skipped: 0 });
    assert!(matches!(sync(dir.path(), &server, &Quiet), Err(Error::Unreachable { .. })));

    let fake = TrackingServer::at(port, Mood::Well);
    assert_eq!(sync(dir.path(), &server, &Quiet).unwrap(), Synced { sent: 2503, left: 0, skipped: 0 });
    assert_eq!(sync(dir.path(), &server, &Quiet).unwrap(), Synced::default());
    expect_all(&fake, dir.path());
    assert_eq!(fake.store().runs[0].came, 2500);
}

#[test]
fn a_slow_broken_or_refusing_server_costs_no_event() {
    for mood in [Mood::Slow, Mood::Broken, Mood::Refusing] {
        let (fake, dir) = (TrackingServer::new(mood), tempfile::tempdir().unwrap());
        let (server, hasty) = (server(&fake.uri()), server(&fake.uri()).timeout(Duration::from_millis(300)));
        assert_eq!(record(dir.path(), hasty.clone()).left, 2503, "{mood:?}");
        let e = sync(dir.path(), &hasty, &Quiet).unwrap_err();
        assert_eq!(matches!(e, Error::Refused { status: 401, .. }), mood == Mood::Refusing, "{mood:?}: {e}");
        fake.mood(Mood::Well);
        assert_eq!(sync(dir.path(), &server, &Quiet).unwrap().sent, 2503, "{mood:?}");
        expect_all(&fake, dir.path());
        assert_eq!(fake.store().runs[0].came, 2500, "{mood:?}");
    }
    println!("reliability: E9 tried=3 servers in trouble: slow, broken, refusing");
}

#[test]
fn answers_that_are_lost_make_no_second_run_and_no_second_value() {
    let (fake, dir) = (TrackingServer::new(Mood::Forgetful), tempfile::tempdir().unwrap());
    let server = server(&fake.uri());
    record(dir.path(), server.clone());
    let mut tries = 0;
    while sync(dir.path(), &server, &Quiet).is_err() {
        tries += 1;
        assert!(tries < 100);
    }
    expect_all(&fake, dir.path());
}

#[test]
fn a_server_that_comes_back_during_the_run_gets_everything() {
    let (fake, dir) = (TrackingServer::new(Mood::Broken), tempfile::tempdir().unwrap());
    let tracker = Tracker::open(dir.path(), Some(server(&fake.uri())), info()).unwrap();
    tracker.metric("loss", 0.5, 0).unwrap();
    std::thread::sleep(Duration::from_millis(1200));
    fake.mood(Mood::Well);
    tracker.metric("loss", 0.25, 1).unwrap();
    assert_eq!(tracker.finish(Status::Failed).unwrap(), Synced { sent: 4, left: 0, skipped: 0 });
    assert_eq!(fake.store().runs[0].metric("loss"), [(0, 0.5), (1, 0.25)]);
    assert_eq!(fake.store().runs[0].status, "FAILED");
}

#[test]
fn a_number_that_is_none_stays_here_and_is_counted_there() {
    let (fake, dir) = (TrackingServer::new(Mood::Well), tempfile::tempdir().unwrap());
    let tracker = Tracker::open(dir.path(), Some(server(&fake.uri())), info()).unwrap();
    for (step, value) in [f64::NAN, f64::INFINITY, 1.5, f64::NEG_INFINITY].into_iter().enumerate() {
        tracker.metric("gap", value, step as u64).unwrap();
    }
    assert_eq!(tracker.finish(Status::Finished).unwrap().left, 0);
    let kept = read(dir.path()).unwrap().metric("gap");
    assert!(kept[0].1.is_nan());
    assert_eq!(kept[1..], [(1, f64::INFINITY), (2, 1.5), (3, f64::NEG_INFINITY)]);
    assert_eq!(fake.store().runs[0].metric("gap"), [(2, 1.5)]);
    assert_eq!(fake.store().runs[0].tags["manyview.metrics_not_finite"], "3");
}

#[test]
fn a_value_the_server_refuses_costs_no_other() {
    let (fake, dir) = (TrackingServer::new(Mood::Well), tempfile::tempdir().unwrap());
    record(dir.path(), server(&fake.uri()));
    let mut changed = info();
    changed.params.insert("p7".into(), "another".into());
    changed.params.insert("new".into(), "1".into());
    let tracker = Tracker::open(dir.path(), Some(server(&fake.uri())), changed).unwrap();
    let synced = tracker.finish(Status::Killed).unwrap();
    assert_eq!(synced, Synced { sent: 3, left: 0, skipped: 1 });
    let store = fake.store();
    assert_eq!(store.runs.len(), 1);
    assert_eq!((store.runs[0].params["p7"].as_str(), store.runs[0].params["new"].as_str()), ("7", "1"));
    assert_eq!(store.runs[0].tags["manyview.skipped"], "1");
    assert_eq!(store.runs[0].status, "KILLED");
}

#[test]
fn a_run_deleted_on_the_server_takes_nothing_and_skips_nothing() {
    let (fake, dir) = (TrackingServer::new(Mood::Well), tempfile::tempdir().unwrap());
    record(dir.path(), server(&fake.uri()));
    fake.store().runs[0].deleted = true;
    let tracker = Tracker::open(dir.path(), Some(server(&fake.uri())), info()).unwrap();
    tracker.metric("loss", 0.5, 2500).unwrap();
    let synced = tracker.finish(Status::Finished).unwrap();
    assert_eq!((synced.left, synced.skipped), (2, 0));
    assert!(matches!(
        sync(dir.path(), &server(&fake.uri()), &Quiet),
        Err(Error::Refused { status: 400, .. })
    ));
    fake.store().runs[0].deleted = false;
    assert_eq!(sync(dir.path(), &server(&fake.uri()), &Quiet).unwrap().sent, 2);
}

#[test]
fn a_file_the_server_does_not_take_now_goes_later_and_holds_nothing_up() {
    let (fake, dir) = (TrackingServer::new(Mood::WithoutArtifacts), tempfile::tempdir().unwrap());
    let server = server(&fake.uri());
    assert_eq!(record(dir.path(), server.clone()), Synced { sent: 2502, left: 1, skipped: 0 });
    assert_eq!(fake.store().runs[0].status, "FINISHED");
    assert_eq!(sync(dir.path(), &server, &Quiet).unwrap(), Synced { sent: 0, left: 1, skipped: 0 });
    fake.mood(Mood::Well);
    assert_eq!(sync(dir.path(), &server, &Quiet).unwrap(), Synced { sent: 1, left: 0, skipped: 0 });
    expect_all(&fake, dir.path());
}

#[test]
fn a_file_that_is_gone_or_out_of_reach_is_skipped_and_counted() {
    let (fake, dir) = (TrackingServer::new(Mood::Broken), tempfile::tempdir().unwrap());
    let server = server(&fake.uri());
    record(dir.path(), server.clone());
    std::fs::remove_file(dir.path().join("report.html")).unwrap();
    fake.mood(Mood::Well);
    assert_eq!(sync(dir.path(), &server, &Quiet).unwrap(), Synced { sent: 2503, left: 0, skipped: 1 });

    let elsewhere = tempfile::tempdir().unwrap();
    fake.store().artifact_root = Some("s3://bucket/1".into());
    assert_eq!(record(elsewhere.path(), server).skipped, 1);
    assert_eq!(fake.store().runs[1].tags["manyview.skipped"], "1");
}
