//! Uploads to a hub that misbehaves.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_core::{Kind, Progress, Quiet};
use manyview_data::{Error, Hub, Upload, Uploaded};
use manyview_test_server::upload::{Fault, Server};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const FILES: [(&str, &[u8]); 4] = [
    ("3_Dense/model.safetensors", &[7; 300_000]),
    ("README.md", b"# a view"),
    ("model.safetensors", &[8; 200_000]),
    ("modules.json", b"[]"),
];

fn directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in FILES {
        std::fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    std::fs::write(dir.path().join(".hidden"), "stays here").unwrap();
    dir
}

fn hub(server: &Server) -> Hub {
    Hub::new("nowhere")
        .with_endpoint(&server.endpoint)
        .with_token("hf_secret")
        .with_delay(Duration::from_millis(1))
}

fn to(revision: &str, private: bool) -> Upload {
    Upload { repo: "org/name".into(), revision: revision.into(), private, message: "A view".into() }
}

fn push(server: &Server, dir: &Path) -> Result<Uploaded, Error> {
    hub(server).upload(dir, &to("main", false), &Quiet)
}

fn assert_whole(server: &Server) {
    let held = server.with(|state| state.files.clone());
    let held: Vec<(&str, &[u8])> =
        held.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    assert!(held == FILES, "{:?}", held.iter().map(|(path, bytes)| (path, bytes.len())).collect::<Vec<_>>());
}

fn count(server: &Server, start: &str) -> usize {
    server.asked().iter().filter(|asked| asked.starts_with(start)).count()
}

#[test]
fn a_directory_becomes_a_commit_of_a_new_repository() {
    let (server, dir) = (Server::new(), directory());
    let uploaded = push(&server, dir.path()).unwrap();
    assert_whole(&server);
    assert_eq!(uploaded.changed, 4);
    assert_eq!(uploaded.url, format!("{}/org/name/tree/{:040x}", server.endpoint, 1));
    let (commits, private) = server.with(|state| (state.commits.clone(), state.private));
    assert_eq!(commits, [("A view".to_string(), FILES.map(|(path, _)| path.to_string()).to_vec())]);
    assert!(!private);
}

#[test]
fn what_the_hub_has_is_not_sent_again_and_makes_no_commit() {
    let (server, dir) = (Server::new(), directory());
    let first = push(&server, dir.path()).unwrap();
    server.with(|state| state.asked.clear());
    assert_eq!(push(&server, dir.path()).unwrap(), Uploaded { changed: 0, ..first });
    assert_eq!((count(&server, "PUT"), server.with(|state| state.commits.len())), (0, 1));

    std::fs::write(dir.path().join("README.md"), "# another").unwrap();
    assert_eq!(push(&server, dir.path()).unwrap().changed, 1);
    assert_eq!(server.with(|state| state.commits[1].1.clone()), ["README.md"]);
    assert_eq!(count(&server, "PUT"), 0);
}

#[test]
fn a_repository_that_exists_is_written_to() {
    let (server, dir) = (Server::new(), directory());
    server.with(|state| {
        state.exists = true;
        state.files.insert("theirs.txt".into(), b"kept".to_vec());
    });
    push(&server, dir.path()).unwrap();
    assert_eq!(server.with(|state| state.files.remove("theirs.txt")).unwrap(), b"kept");
    assert_whole(&server);

    // A token for this repository alone may not make one.
    let server = Server::new();
    server.with(|state| state.exists = true);
    server.fault("/api/repos/create", &[Fault::Status(403)]);
    push(&server, dir.path()).unwrap();
    assert_whole(&server);
}

#[test]
fn a_refusal_is_told_with_its_cure_and_not_repeated() {
    for (page, statuses) in [("create", [401, 403]), ("preupload", [401, 403]), ("commit", [403, 400])] {
        for status in statuses {
            let (server, dir) = (Server::new(), directory());
            server.fault(page, &[Fault::Status(status)]);
            let e = push(&server, dir.path()).unwrap_err();
            assert!(matches!(e, Error::Refused { status: s, .. } if s == status), "{page} {status}: {e}");
            assert!(e.to_string().contains("the reason why") && e.kind() == Kind::Input, "{e}");
            assert!(status == 400 || e.to_string().contains("HF_TOKEN"), "{e}");
            assert!(!format!("{e} {e:?}").contains("hf_secret"), "{e}");
            assert!(server.with(|state| state.files.is_empty()));
            assert_eq!(server.asked().iter().filter(|asked| asked.contains(page)).count(), 1);
        }
    }
}

#[test]
fn a_connection_that_breaks_off_is_tried_again() {
    let pages = ["create", "preupload", "batch", "storage", "verify", "commit"];
    for fault in [Fault::Cut, Fault::Mute, Fault::Status(503)] {
        for page in pages {
            let (server, dir) = (Server::new(), directory());
            server.fault(page, &[fault, fault]);
            push(&server, dir.path()).unwrap_or_else(|e| panic!("{fault:?} {page}: {e}"));
            assert_whole(&server);
            assert_eq!(server.with(|state| state.commits.len()), 1, "{fault:?} {page}");
        }
    }
    let (server, dir) = (Server::new(), directory());
    server.fault("storage", &[Fault::Cut; 9]);
    let e = push(&server, dir.path()).unwrap_err();
    assert!(matches!(e, Error::Unreachable { .. }) && e.kind() == Kind::Network, "{e}");
    assert!(server.with(|state| state.commits.is_empty()));
}

#[test]
fn the_token_goes_to_the_hub_and_nowhere_else() {
    let (server, dir) = (Server::new(), directory());
    push(&server, dir.path()).unwrap();
    let asked = server.with(|state| state.asked.clone());
    let (away, home): (Vec<_>, Vec<_>) = asked.iter().partition(|asked| asked.host.starts_with("localhost"));
    assert_eq!(away.len(), 4, "two files to storage, each verified");
    assert!(away.iter().all(|asked| asked.token.is_none()));
    assert!(home.iter().all(|asked| asked.token.as_deref() == Some("Bearer hf_secret")));
    assert!(asked.iter().all(|asked| !asked.path.contains("secret")));
    assert!(asked.iter().all(|asked| !String::from_utf8_lossy(&asked.body).contains("hf_secret")));
}

#[test]
fn no_redirect_is_followed() {
    for page in ["create", "preupload", "batch", "storage", "commit"] {
        let (server, dir) = (Server::new(), directory());
        server.fault(page, &[Fault::Away]);
        let e = push(&server, dir.path()).unwrap_err();
        assert!(matches!(e, Error::Answer { .. }) && e.to_string().contains("localhost"), "{page}: {e}");
        assert!(server.with(|state| state.files.is_empty()));
    }
}

#[test]
fn a_private_upload_is_never_made_public() {
    let (server, dir) = (Server::new(), directory());
    let private = to("main", true);
    hub(&server).upload(dir.path(), &private, &Quiet).unwrap();
    assert!(server.with(|state| state.private));
    assert_whole(&server);

    let server = Server::new();
    server.with(|state| state.exists = true);
    let e = hub(&server).upload(dir.path(), &private, &Quiet).unwrap_err();
    assert!(e.to_string().contains("--private"), "{e}");
    assert!(server.with(|state| state.files.is_empty() && state.storage.is_empty()));
}

#[test]
fn a_branch_is_made_where_there_is_none() {
    let (server, dir) = (Server::new(), directory());
    hub(&server).upload(dir.path(), &to("v2", false), &Quiet).unwrap();
    assert_eq!(server.with(|state| state.branches.clone()), ["main", "v2"]);
    assert!(server.asked().iter().any(|asked| asked.ends_with("/commit/v2")));
}

#[test]
fn what_cannot_work_is_said_before_anything_is_asked() {
    let (server, dir) = (Server::new(), directory());
    let without = Hub::new("nowhere").with_endpoint(&server.endpoint);
    let offline = hub(&server).with_offline(true);
    let e = without.upload(dir.path(), &to("main", false), &Quiet).unwrap_err().to_string();
    assert!(e.contains("HF_TOKEN"), "{e}");
    let e = offline.upload(dir.path(), &to("main", false), &Quiet).unwrap_err().to_string();
    assert!(e.contains("HF_HUB_OFFLINE"), "{e}");
    for name in ["name", "a/b/c", "../x"] {
        let upload = Upload { repo: name.into(), ..to("main", false) };
        let e = hub(&server).upload(dir.path(), &upload, &Quiet).unwrap_err().to_string();
        assert!(e.contains("ORG/NAME"), "{e}");
    }
    let e = push(&server, &dir.path().join("nowhere")).unwrap_err();
    assert_eq!(e.kind(), Kind::Io, "{e}");
    assert!(server.asked().is_empty());
}

/// Stops once some bytes are sent.
struct Stopper(AtomicU64);

impl Progress for Stopper {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

#[test]
fn an_interrupted_upload_makes_no_commit_and_goes_on_later() {
    let (server, dir) = (Server::new(), directory());
    let stopper = Stopper(AtomicU64::new(0));
    let e = hub(&server).upload(dir.path(), &to("main", false), &stopper).unwrap_err();
    assert_eq!(e.kind(), Kind::Interrupted, "{e}");
    assert!(server.with(|state| state.commits.is_empty()));
    push(&server, dir.path()).unwrap();
    assert_whole(&server);
}
