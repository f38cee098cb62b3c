//! One warning for a server in trouble, and a secret nowhere.

use manyview_core::Quiet;
use manyview_test_server::mlflow::{Mood, TrackingServer};
use manyview_track::{RunInfo, Server, Status, Tracker, sync};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CANARY: &str = "canary-4711";

#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_refusing_server_is_one_warning_and_a_secret_is_never_shown() {
    let said = Said::default();
    let writer = said.clone();
    // At `trace`, `ureq_proto` writes out every byte it sends.
    let filter = tracing_subscriber::EnvFilter::new("trace,ureq_proto=debug");
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let fake = TrackingServer::new(Mood::Refusing);
    let with_password = fake.uri().replace("//", &format!("//ann:{CANARY}@"));
    for server in [
        Server::new(&fake.uri()).unwrap().bearer(CANARY),
        Server::new(&fake.uri()).unwrap().basic("ann", CANARY),
        Server::new(&with_password).unwrap(),
    ] {
        said.0.lock().unwrap().clear();
        fake.mood(Mood::Refusing);
        let dir = tempfile::tempdir().unwrap();
        let info = RunInfo { name: "n".into(), experiment: "e".into(), ..RunInfo::default() };
        let tracker = Tracker::open(dir.path(), Some(server.clone()), info).unwrap();
        for step in 0..100 {
            tracker.metric("loss", 0.5, step).unwrap();
        }
        std::thread::sleep(Duration::from_millis(1500)); // long enough for a second try
        assert_eq!(tracker.finish(Status::Finished).unwrap().left, 102);
        let refusal = sync(dir.path(), &server, &Quiet).unwrap_err();

        let heard = String::from_utf8(said.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            heard.lines().filter(|l| l.contains("WARN") && l.contains(&fake.uri())).count(),
            1,
            "{heard}"
        );
        let mut shown = format!("{heard}{refusal}{refusal:?}{server:?}{}", server.uri());
        fake.mood(Mood::Well);
        sync(dir.path(), &server, &Quiet).unwrap();
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            shown.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
        }
        let basic = "YW5uOmNhbmFyeS00NzEx"; // ann:canary-4711 in base 64
        assert!(!shown.contains(CANARY) && !shown.contains(basic), "{shown}");
        let seen = &fake.store().authorizations;
        let sent = |a: &String| *a == format!("Bearer {CANARY}") || *a == format!("Basic {basic}");
        assert!(!seen.is_empty() && seen.iter().all(sent), "{seen:?}");
    }
}
