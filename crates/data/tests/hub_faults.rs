//! What a hub can do wrong, many times over: nothing wrong gets a name in the cache, nothing lands outside it, and a hub
//! that has come to its senses is enough to go on.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

use manyview_core::{Progress, Quiet};
use manyview_data::{Error, Hub};
use manyview_test_server::hub::{COMMIT, Fault, Server, git_name, sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const WEIGHTS: &[u8] = &[7; 30_000];
const MODEL: &[(&str, &[u8])] = &[
    ("config.json", b"{\"model_type\": \"some\", \"vocab_size\": 3}"),
    ("model.safetensors", WEIGHTS),
    ("modules.json", b"[]"),
    ("tokenizer.json", b"{\"version\": \"1.0\", \"model\": {\"type\": \"BPE\"}}"),
];

fn hub(server: &Server, cache: &Path) -> Hub {
    Hub::new(cache).with_endpoint(&server.endpoint).with_delay(Duration::from_micros(100))
}

fn fetch(server: &Server, cache: &Path) -> Result<PathBuf, Error> {
    hub(server, cache).fetch_model("org/name", "main", &Quiet)
}

fn assert_whole(snapshot: &Path, files: &[(&str, &[u8])]) {
    for (name, bytes) in files {
        assert!(std::fs::read(snapshot.join(name)).unwrap() == *bytes, "{name}");
    }
}

/// A directory in memory where the system has one, for the many files that are waited for.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// How often: as the variable `ROUNDS` says, or as every run of the tests does.
fn rounds(usual: usize) -> usize {
    std::env::var("ROUNDS").map_or(usual, |n| n.parse().unwrap())
}

/// Every file below `dir` by its path, with what it holds; links are followed to files only.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![dir.to_path_buf()]);
    while let Some(dir) = open.pop() {
        for path in std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()) {
            match path.is_dir() {
                true => open.push(path),
                false => drop(found.insert(path.clone(), std::fs::read(path).unwrap_or_default())),
            }
        }
    }
    found
}

/// The files of the cache whose name is not that of what they hold.
fn poisoned(cache: &Path) -> Vec<PathBuf> {
    let blobs = files(&cache.join("models--org--name/blobs")).into_iter();
    let wrong = |(path, bytes): (PathBuf, Vec<u8>)| {
        let name = path.file_name().unwrap().to_string_lossy().to_string();
        let right = [sha256(&bytes), git_name(&bytes)].contains(&name) || name.ends_with(".incomplete");
        (!right).then_some(path)
    };
    blobs.filter_map(wrong).collect()
}

#[test]
fn b1_an_answer_that_is_not_the_file_gets_no_name_and_the_next_run_recovers() {
    let faults = [
        vec![Fault::Status(403)],
        vec![Fault::Status(404)],
        vec![Fault::Status(500); 5],
        vec![Fault::Page; 5],
    ];
    let mut tried = 0;
    for asked in ["revision/main", "config.json", "model.safetensors", "tokenizer.json"] {
        for faults in &faults {
            let (server, dir) = (Server::of(MODEL), scratch());
            server.fault(asked, faults);
            let e = fetch(&server, dir.path()).unwrap_err().to_string();
            assert!(e.contains("http://127.0.0.1"), "{asked}, {faults:?}: {e}");
            assert!(poisoned(dir.path()).is_empty(), "{asked}, {faults:?}");
            server.behave();
            assert_whole(&fetch(&server, dir.path()).unwrap(), MODEL);
            tried += 1;
        }
    }
    println!("reliability: B1 tried={tried} answers that are not the file");
}

/// Numbers without a pattern, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

#[test]
fn b2_no_wrong_or_broken_body_of_500_is_published() {
    let mut dice = Dice(2);
    let (mut failed, rounds) = (0, rounds(500));
    for round in 0..rounds {
        let (server, dir) = (Server::of(MODEL), scratch());
        let (name, bytes) = MODEL[dice.below(MODEL.len())];
        let mut fault = || match dice.below(8) {
            0 => Fault::Cut(dice.below(bytes.len())),
            1 => Fault::CutChunked(dice.below(bytes.len())),
            2 => Fault::Corrupt,
            3 => Fault::Whole,
            4 => Fault::Elsewhere,
            5 => Fault::Status(416),
            6 => Fault::Status([408, 429, 500, 503][dice.below(4)]),
            _ => Fault::Page,
        };
        let faults: Vec<Fault> = (0..1 + round % 7).map(|_| fault()).collect();
        server.fault(name, &faults);
        match fetch(&server, dir.path()) {
            Ok(snapshot) => assert_whole(&snapshot, MODEL),
            Err(_) => failed += 1,
        }
        assert!(poisoned(dir.path()).is_empty(), "{name}, {faults:?}");
        server.behave();
        assert_whole(&fetch(&server, dir.path()).unwrap(), MODEL);
    }
    println!(
        "reliability: B2 tried={rounds} bodies broken up to 7 times in a row, {failed} given up and whole the next time"
    );
}

#[test]
fn b2_a_file_without_a_stated_hash_is_not_pieced_together() {
    let (server, dir) = (Server::of(MODEL), scratch());
    let file = |(name, bytes): &(&str, &[u8])| serde_json::json!({"rfilename": name, "size": bytes.len()});
    let files: Vec<_> = MODEL.iter().map(file).collect();
    server.list(&serde_json::json!({"sha": COMMIT, "siblings": files}).to_string());
    server.fault("model.safetensors", &[Fault::Page, Fault::Cut(1000)]);
    assert_whole(&fetch(&server, dir.path()).unwrap(), MODEL);
    assert!(server.asked().iter().all(|asked| asked.range.is_none()));
}

#[test]
fn b4_no_name_leads_out_of_the_cache() {
    let outer = scratch();
    std::fs::create_dir_all(outer.path().join("a/b")).unwrap();
    for name in ["canary", "a/canary", "a/b/canary"] {
        std::fs::write(outer.path().join(name), "sings").unwrap();
    }
    let cache = outer.path().join("a/b/cache");
    let outside =
        || -> Vec<_> { files(outer.path()).into_iter().filter(|(p, _)| !p.starts_with(&cache)).collect() };
    let before = outside();
    let absolute = outer.path().join("canary").display().to_string();
    let up = (1..9).map(|n| "../".repeat(n) + "canary");
    let more = [
        "..",
        ".",
        "",
        "/",
        "//",
        "a/..",
        "a/../../../../canary",
        "..\\..\\canary",
        "\\\\host\\canary",
        "C:\\canary",
    ];
    let more2 = [
        "C:canary",
        "a\0b",
        "\0",
        "a/./b",
        "a//b",
        "/canary",
        "./canary",
        "canary/",
        "~/canary/..",
        "....//canary",
    ];
    let names: Vec<String> = up
        .chain(more.into_iter().chain(more2).map(String::from))
        .chain([absolute.clone(), format!("x/{absolute}")])
        .collect();
    let (mut tried, mut refused) = (0, 0);
    for name in &names {
        let server = Server::of(MODEL);
        let hub = hub(&server, &cache);
        let file = |path: &str, blob: &str, sha: Option<&str>| {
            let lfs = sha.map(|sha| serde_json::json!({"sha256": sha}));
            serde_json::json!({"rfilename": path, "size": null, "blobId": blob, "lfs": lfs})
        };
        let all = |change: &dyn Fn(&str) -> serde_json::Value| -> Vec<serde_json::Value> {
            MODEL.iter().map(|(path, _)| change(path)).collect()
        };
        let git = "0".repeat(40);
        let listings = [
            ("commit", serde_json::json!({"sha": name, "siblings": []})),
            ("file", serde_json::json!({"sha": COMMIT, "siblings": [file(name, &git, None)]})),
            (
                "folder",
                serde_json::json!({"sha": COMMIT, "siblings": [file(&format!("{name}/config.json"), &git, None)]}),
            ),
            ("git name", serde_json::json!({"sha": COMMIT, "siblings": all(&|path| file(path, name, None))})),
            (
                "SHA-256",
                serde_json::json!({"sha": COMMIT, "siblings": all(&|path| file(path, &git, Some(name)))}),
            ),
        ];
        let mut results = vec![
            ("repository", hub.fetch_model(name, "main", &Quiet).map(drop)),
            ("data set", hub.fetch_dataset(name, None, "main", &Quiet).map(drop)),
            ("revision", hub.fetch_model("org/name", name, &Quiet).map(drop)),
        ];
        for (what, listing) in listings {
            server.list(&listing.to_string());
            results.push((what, hub.fetch_model("org/name", "main", &Quiet).map(drop)));
        }
        for (what, result) in results {
            // A name for content that is none is not used: the file is kept under one of our own.
            let unused = ["git name", "SHA-256"].contains(&what);
            assert!(unused || result.is_err(), "{what} {name:?} was taken");
            assert!(outside() == before, "{what} {name:?} wrote outside the cache");
            (tried, refused) = (tried + 1, refused + usize::from(result.is_err()));
        }
        let _ = std::fs::remove_dir_all(&cache);
    }
    let server = Server::of(MODEL);
    for name in ["../../../canary", "/canary", "..\\canary"] {
        MODEL.iter().for_each(|(path, _)| server.fault(path, &[Fault::Renamed(name)]));
        assert_whole(&fetch(&server, &cache).unwrap(), MODEL);
        assert!(outside() == before && poisoned(&cache).is_empty(), "the header {name:?} was used");
        std::fs::remove_dir_all(&cache).unwrap();
        tried += 1;
    }
    assert!(tried >= 200);
    println!("reliability: B4 tried={tried} names, {refused} refused");
}

/// Moves the branch when a file is begun for the given time, from 0.
struct Mover<'a> {
    server: &'a Server,
    at: usize,
    begun: AtomicUsize,
}

const NEXT: &str = "89abcdef0123456789abcdef0123456789abcdef";

impl Progress for Mover<'_> {
    fn begin(&self, _: &str, _: u64) {
        if self.begun.fetch_add(1, Ordering::Relaxed) == self.at {
            let files = MODEL.iter().map(|(name, bytes)| (name.to_string(), [bytes, &b" "[..]].concat()));
            self.server.add("models/org/name", NEXT, files);
        }
    }
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn stopped(&self) -> bool {
        false
    }
}

#[test]
fn b8_a_branch_that_moves_meanwhile_gives_the_files_of_one_commit() {
    (0..MODEL.len()).for_each(moved_at);
    println!("reliability: B8 tried={} branches that moved between two files", MODEL.len());
}

fn moved_at(at: usize) {
    let (server, dir) = (Server::of(MODEL), scratch());
    let mover = Mover { server: &server, at, begun: AtomicUsize::new(0) };
    let old = hub(&server, dir.path()).fetch_model("org/name", "main", &mover).unwrap();
    assert!(mover.begun.load(Ordering::Relaxed) == MODEL.len() && old.ends_with(COMMIT));
    assert_whole(&old, MODEL);
    let files = server.asked().into_iter().filter(|a| a.path.contains("/resolve/"));
    assert!(files.map(|a| a.path).all(|path| path.contains(COMMIT)));
    let offline = hub(&server, dir.path()).with_offline(true);
    assert_eq!(offline.fetch_model("org/name", "main", &Quiet).unwrap(), old);

    let new = fetch(&server, dir.path()).unwrap();
    assert!(new.ends_with(NEXT));
    for (name, bytes) in MODEL {
        assert!(
            std::fs::read(new.join(name)).unwrap() == [bytes, &b" "[..]].concat(),
            "{name} of the old commit"
        );
    }
    assert_eq!(offline.fetch_model("org/name", "main", &Quiet).unwrap(), new);
    assert_eq!(offline.fetch_model("org/name", COMMIT, &Quiet).unwrap(), old);
    assert_whole(&old, MODEL);
}

#[test]
fn b8_half_of_a_moved_branch_is_not_mixed_with_the_old_half() {
    let (server, dir) = (Server::of(MODEL), scratch());
    let old = fetch(&server, dir.path()).unwrap();
    let files = MODEL.iter().map(|(name, bytes)| (name.to_string(), [bytes, &b" "[..]].concat()));
    server.add("models/org/name", NEXT, files);
    server.fault("tokenizer.json", &[Fault::Status(500); 5]);
    assert!(fetch(&server, dir.path()).is_err());
    let offline = hub(&server, dir.path()).with_offline(true);
    assert_eq!(offline.fetch_model("org/name", "main", &Quiet).unwrap(), old);
    assert_whole(&old, MODEL);
    assert!(offline.fetch_model("org/name", NEXT, &Quiet).is_err());
    println!("reliability: B8 tried=1 branch that moved, and of which half could be fetched");
}

#[test]
fn b10_the_token_goes_to_no_other_origin() {
    const TOKEN: &str = "hf_canary";
    let (server, dir) = (Server::of(MODEL), scratch());
    server.require(TOKEN);
    let storage = server.store_elsewhere();
    server.fault("config.json", &[Fault::Status(500), Fault::Away]);
    let hub = hub(&server, dir.path()).with_token(TOKEN);
    let e = hub.fetch_model("org/name", "main", &Quiet).unwrap_err();
    assert!(matches!(e, Error::Refused { status: 401, .. }), "the other name of the hub got the token: {e}");
    assert_whole(&hub.fetch_model("org/name", "main", &Quiet).unwrap(), MODEL);
    let asked = server.asked();
    let own = server.endpoint.strip_prefix("http://").unwrap();
    let (here, elsewhere): (Vec<_>, Vec<_>) = asked.into_iter().partition(|a| a.host == own);
    assert!(here.iter().all(|a| a.token.as_deref() == Some("Bearer hf_canary")));
    assert!(
        here.iter().any(|a| a.path.starts_with("/api/resolve-cache/")),
        "a path of the same origin is followed"
    );
    assert!(
        elsewhere.iter().any(|a| a.host == storage)
            && elsewhere.iter().any(|a| a.host.starts_with("localhost"))
    );
    assert!(elsewhere.iter().all(|a| a.token.is_none()), "{elsewhere:?}");
    println!("reliability: B10 tried={} requests to other origins", elsewhere.len());
}

#[test]
fn b10_a_hub_that_sends_in_circles_is_left() {
    let (server, dir) = (Server::of(MODEL), scratch());
    server.fault("revision/main", &[Fault::Around]);
    let e = fetch(&server, dir.path()).unwrap_err();
    assert!(matches!(e, Error::Answer { .. }) && e.to_string().contains("10 times"), "{e}");
    assert_eq!(server.asked().len(), 11);
}
