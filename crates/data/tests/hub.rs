//! The hub's client against a server that misbehaves, and its cache.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_core::{Kind, Progress, Quiet};
use manyview_data::{Error, Hub, Table};
use manyview_test_server::hub::{COMMIT, Fault, Server, sha256};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const WEIGHTS: &[u8] = &[7; 300_000];

const MODEL: &[(&str, &[u8])] = &[
    ("1_Pooling/config.json", b"{\"pooling_mode_mean_tokens\": true}"),
    ("README.md", b"not needed"),
    ("config.json", b"{}"),
    ("model.safetensors", WEIGHTS),
    ("modules.json", b"[]"),
    ("onnx/model.onnx", b"not needed"),
    ("tokenizer.json", b"{\"version\": \"1.0\"}"),
];

fn hub(server: &Server, cache: &Path) -> Hub {
    Hub::new(cache).with_endpoint(&server.endpoint).with_delay(Duration::from_millis(1))
}

fn fetch(server: &Server, cache: &Path) -> Result<std::path::PathBuf, Error> {
    hub(server, cache).fetch_model("org/name", "main", &Quiet)
}

fn assert_whole(snapshot: &Path) {
    for (name, bytes) in MODEL.iter().filter(|(name, _)| !name.contains("onnx") && *name != "README.md") {
        assert_eq!(std::fs::read(snapshot.join(name)).unwrap(), *bytes, "{name}");
    }
    assert!(!snapshot.join("onnx").exists() && !snapshot.join("README.md").exists());
}

fn blobs(cache: &Path) -> std::path::PathBuf {
    cache.join("models--org--name/blobs")
}

fn parts(cache: &Path) -> usize {
    let names = std::fs::read_dir(blobs(cache)).unwrap().flatten().map(|e| e.file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".incomplete")).count()
}

#[test]
fn a_model_is_fetched_once_into_the_layout_of_python() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    let snapshot = fetch(&server, dir.path()).unwrap();
    assert_whole(&snapshot);
    let repo = dir.path().join("models--org--name");
    assert_eq!(snapshot, repo.join("snapshots").join(COMMIT));
    assert_eq!(std::fs::read_to_string(repo.join("refs/main")).unwrap(), COMMIT);
    assert_eq!(std::fs::read(blobs(dir.path()).join(sha256(WEIGHTS))).unwrap(), WEIGHTS);
    #[cfg(unix)]
    assert_eq!(
        std::fs::read_link(snapshot.join("1_Pooling/config.json")).unwrap().parent().unwrap(),
        Path::new("../../../blobs")
    );
    assert_eq!(server.asked().len(), 6);
    fetch(&server, dir.path()).unwrap();
    assert_eq!(server.asked().len(), 1, "only the listing is asked for again");
}

#[test]
fn a_commit_in_the_cache_needs_no_network() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    fetch(&server, dir.path()).unwrap();
    server.asked();
    assert_whole(&hub(&server, dir.path()).fetch_model("org/name", COMMIT, &Quiet).unwrap());
    assert!(server.asked().is_empty());
}

#[test]
fn a_cache_that_python_filled_is_used_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("models--org--name");
    let snapshot = repo.join("snapshots").join(COMMIT);
    for (name, bytes) in MODEL {
        std::fs::create_dir_all(snapshot.join(name).parent().unwrap()).unwrap();
        std::fs::write(snapshot.join(name), bytes).unwrap();
    }
    std::fs::create_dir_all(repo.join("refs")).unwrap();
    std::fs::write(repo.join("refs/main"), COMMIT).unwrap();
    let offline = Hub::new(dir.path()).with_offline(true);
    for revision in ["main", COMMIT] {
        assert_eq!(offline.fetch_model("org/name", revision, &Quiet).unwrap(), snapshot);
    }
    std::fs::remove_file(snapshot.join("model.safetensors")).unwrap();
    let e = offline.fetch_model("org/name", COMMIT, &Quiet).unwrap_err();
    assert!(matches!(e, Error::Offline { .. }), "{e}");
}

#[test]
fn an_unreachable_hub_is_replaced_by_the_cache() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    fetch(&server, dir.path()).unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cut_off = hub(&server, dir.path()).with_endpoint(format!("http://{nobody}"));
    assert_whole(&cut_off.fetch_model("org/name", "main", &Quiet).unwrap());
    let e = cut_off.fetch_model("org/other", "main", &Quiet).unwrap_err();
    assert!(matches!(e, Error::Unreachable { .. }) && e.kind() == Kind::Network, "{e}");
}

#[test]
fn offline_without_the_files_is_an_error_that_names_the_setting() {
    let dir = tempfile::tempdir().unwrap();
    let e = Hub::new(dir.path()).with_offline(true).fetch_model("org/name", "main", &Quiet).unwrap_err();
    assert!(e.to_string().contains("HF_HUB_OFFLINE"), "{e}");
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_stopped() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    server.fault("model.safetensors", &[Fault::Cut(100_000), Fault::Cut(50_000)]);
    assert_whole(&fetch(&server, dir.path()).unwrap());
    let ranges: Vec<_> = server
        .asked()
        .into_iter()
        .filter(|a| a.path.ends_with("model.safetensors"))
        .map(|a| a.range)
        .collect();
    assert_eq!(ranges, [None, Some("bytes=100000-".into()), Some("bytes=150000-".into())]);
    assert_eq!(parts(dir.path()), 0);
}

#[test]
fn a_part_of_an_earlier_run_is_finished() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    std::fs::create_dir_all(blobs(dir.path())).unwrap();
    let part = blobs(dir.path()).join(format!("{}.incomplete", sha256(WEIGHTS)));
    std::fs::write(part, &WEIGHTS[..200_000]).unwrap();
    assert_whole(&fetch(&server, dir.path()).unwrap());
    assert!(server.asked().iter().any(|a| a.range.as_deref() == Some("bytes=200000-")));
}

#[test]
fn a_server_that_ignores_ranges_or_sends_others_is_asked_from_the_start() {
    for fault in [Fault::Whole, Fault::Elsewhere] {
        let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
        server.fault("model.safetensors", &[Fault::Cut(100_000), fault]);
        assert_whole(&fetch(&server, dir.path()).unwrap());
    }
}

#[test]
fn a_part_that_is_too_long_or_wrong_is_fetched_anew() {
    for wrong in [vec![7; 300_001], vec![8; 300_000], vec![8; 1000]] {
        let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
        std::fs::create_dir_all(blobs(dir.path())).unwrap();
        std::fs::write(blobs(dir.path()).join(format!("{}.incomplete", sha256(WEIGHTS))), wrong).unwrap();
        assert_whole(&fetch(&server, dir.path()).unwrap());
    }
}

#[test]
fn corrupt_bytes_are_fetched_again_and_never_get_a_name() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    server.fault("model.safetensors", &[Fault::Corrupt]);
    assert_whole(&fetch(&server, dir.path()).unwrap());

    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    server.fault("model.safetensors", &[Fault::Corrupt; 9]);
    let e = fetch(&server, dir.path()).unwrap_err();
    assert!(matches!(e, Error::Answer { .. }) && e.to_string().contains("hash"), "{e}");
    assert!(!blobs(dir.path()).join(sha256(WEIGHTS)).exists());
    assert_eq!(parts(dir.path()), 0);
}

#[test]
fn a_busy_hub_is_asked_again_a_few_times() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    server.fault("revision/main", &[Fault::Status(500), Fault::Status(429)]);
    server.fault("config.json", &[Fault::Status(503), Fault::Status(502)]);
    assert_whole(&fetch(&server, dir.path()).unwrap());

    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    server.fault("revision/main", &[Fault::Status(500); 9]);
    let e = fetch(&server, dir.path()).unwrap_err();
    assert!(e.to_string().contains("500") && e.kind() == Kind::Network, "{e}");
    assert_eq!(server.asked().len(), 5);
}

#[test]
fn refusals_are_told_with_their_cure_and_not_repeated() {
    for (status, cure) in [(401, "HF_TOKEN"), (403, "accept its terms"), (404, "check the name")] {
        let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
        server.fault("revision/main", &[Fault::Status(status)]);
        let e = fetch(&server, dir.path()).unwrap_err();
        assert!(matches!(e, Error::Refused { status: s, .. } if s == status), "{e}");
        assert!(e.to_string().contains(cure) && e.kind() == Kind::Input, "{e}");
        assert_eq!(server.asked().len(), 1);
    }
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    let e = hub(&server, dir.path()).fetch_model("org/name", "mian", &Quiet).unwrap_err();
    assert!(matches!(e, Error::Refused { status: 404, .. }), "{e}");
}

#[test]
fn the_token_is_sent_and_not_told() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    let hub = hub(&server, dir.path()).with_token("hf_secret");
    hub.fetch_model("org/name", "main", &Quiet).unwrap();
    assert!(server.asked().iter().all(|a| a.token.as_deref() == Some("Bearer hf_secret")));
    server.fault("revision/main", &[Fault::Status(401)]);
    let e = hub.fetch_model("org/name", "main", &Quiet).unwrap_err();
    assert!(!format!("{e} {e:?} {hub:?}").contains("secret"), "{e}");
}

#[test]
fn another_host_is_followed_to_without_the_token() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    server.fault("model.safetensors", &[Fault::Cut(100_000), Fault::Away]);
    let hub = hub(&server, dir.path()).with_token("hf_secret");
    assert_whole(&hub.fetch_model("org/name", "main", &Quiet).unwrap());
    let away: Vec<_> = server.asked().into_iter().filter(|a| a.host.starts_with("localhost")).collect();
    assert_eq!(away.len(), 1);
    assert_eq!((away[0].token.as_deref(), away[0].range.as_deref()), (None, Some("bytes=100000-")));
}

#[test]
fn paths_that_leave_the_cache_are_refused() {
    for path in ["../../evil", "/etc/evil", "a/../../evil", "a\\\\evil", "c:evil", ""] {
        let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
        server.list(&format!("{{\"sha\": \"{COMMIT}\", \"siblings\": [{{\"rfilename\": \"{path}\"}}]}}"));
        let e = fetch(&server, dir.path()).unwrap_err();
        assert!(e.to_string().contains("leaves the cache"), "{path}: {e}");
    }
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    for revision in ["../x", "a//b", ""] {
        assert!(hub(&server, dir.path()).fetch_model("org/name", revision, &Quiet).is_err());
    }
    server.list("{\"sha\": \"../..\", \"siblings\": []}");
    assert!(fetch(&server, dir.path()).unwrap_err().to_string().contains("40 hex digits"));
}

/// Stops after some bytes and remembers what it was told.
struct Stopper {
    after: u64,
    bytes: AtomicU64,
    stages: Mutex<Vec<(String, u64)>>,
}

impl Progress for Stopper {
    fn begin(&self, stage: &str, total: u64) {
        self.stages.lock().unwrap().push((stage.into(), total));
        self.bytes.store(0, Ordering::Relaxed);
    }
    fn advance(&self, by: u64) {
        self.bytes.fetch_add(by, Ordering::Relaxed);
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > self.after
    }
}

#[test]
fn an_interrupted_download_keeps_what_it_has() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    let stopper = Stopper { after: 1000, bytes: AtomicU64::new(0), stages: Mutex::default() };
    let e = hub(&server, dir.path()).fetch_model("org/name", "main", &stopper).unwrap_err();
    assert_eq!(e.kind(), Kind::Interrupted);
    assert!(stopper.stages.lock().unwrap().contains(&("fetch model.safetensors".into(), 300_000)));
    assert_eq!(parts(dir.path()), 1);
    server.asked();
    assert_whole(&fetch(&server, dir.path()).unwrap());
    assert!(server.asked().iter().any(|a| a.path.ends_with("model.safetensors") && a.range.is_some()));
}

#[test]
fn several_first_uses_at_once_fetch_each_file_once() {
    let (server, dir) = (Server::of(MODEL), tempfile::tempdir().unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_whole(&fetch(&server, dir.path()).unwrap()));
        }
    });
    let weights = server.asked().into_iter().filter(|a| a.path.ends_with("model.safetensors")).count();
    assert_eq!(weights, 1);
}

#[test]
fn a_data_set_is_fetched_by_configuration_and_read() {
    let files: &[(&str, &[u8])] = &[
        ("README.md", b"x"),
        ("de/train.csv", b"text\nhallo\n"),
        ("en/test.csv", b"text\nbye\n"),
        ("en/train.csv", b"text\nhello\n"),
    ];
    let (server, dir) = (Server::of(files), tempfile::tempdir().unwrap());
    let hub = hub(&server, dir.path());
    let paths = hub.fetch_dataset("org/name", Some("en"), "main", &Quiet).unwrap();
    assert_eq!(Table::read_all(&paths, &["text"]).unwrap().n(), 2);
    assert!(paths[0].starts_with(dir.path().join("datasets--org--name/snapshots")));
    assert!(server.asked().iter().all(|a| !a.path.contains("de/")));
    let e = hub.fetch_dataset("org/name", None, "main", &Quiet).unwrap_err().to_string();
    assert!(e.contains("`de`, `en`"), "{e}");
}
