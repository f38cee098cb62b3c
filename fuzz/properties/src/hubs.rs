use crate::scratch::{self, parts, put};
use manyview_core::{Kind, Quiet};
use manyview_data::{Error, Hub};
use std::fs;
use std::path::{Component, Path, PathBuf};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A cache of the hub that someone else filled: its listing, a revision, and the names in a snapshot, with names of a
/// repository, a revision and a configuration to ask for. What is found there is a file of that snapshot.
pub fn hub_cache(data: &[u8]) {
    let [listing, reference, names, repo, revision, config] = parts(data);
    let cache = scratch::empty("hub");
    let snapshots: Vec<PathBuf> = ["models--org--name", "datasets--org--name"]
        .iter()
        .map(|folder| {
            let dir = cache.join(folder);
            if !listing.is_empty() {
                put(&dir, &format!("listings/{COMMIT}.json"), listing);
            }
            put(&dir, "refs/main", reference);
            dir.join("snapshots").join(COMMIT)
        })
        .collect();
    let names = String::from_utf8_lossy(names);
    for name in names.lines().filter(|name| is_below(name)).take(16) {
        for snapshot in &snapshots {
            lay(&snapshot.join(name));
        }
    }
    let hub = Hub::new(&cache).with_offline(true);
    let (repo, revision) = (String::from_utf8_lossy(repo), String::from_utf8_lossy(revision));
    let config = String::from_utf8_lossy(config);
    for (repo, revision) in [("org/name", "main"), ("org/name", COMMIT), (&*repo, &*revision)] {
        if let Ok(dir) = hub.fetch_model(repo, revision, &Quiet).inspect_err(refused) {
            assert!(dir.is_dir() && is_held(&cache, &dir), "{}", dir.display());
            assert!(["config.json", "tokenizer.json"].iter().all(|name| below(&dir, name)));
        }
        for config in [None, Some(&*config)] {
            let files = hub.fetch_dataset(repo, config, revision, &Quiet).inspect_err(refused);
            for file in files.iter().flatten() {
                assert!(file.is_file() && is_held(&cache, file), "{}", file.display());
            }
            assert!(files.is_err() || !files.unwrap().is_empty());
        }
    }
}

fn refused(e: &Error) {
    if e.kind() != Kind::Network {
        scratch::refused(e.kind(), e);
    }
}

/// Whether `path` is in a snapshot of the cache, without a step back out of it.
fn is_held(cache: &Path, path: &Path) -> bool {
    let inner = path.strip_prefix(cache).unwrap();
    let mut names = inner.components();
    let plain = inner.components().all(|c| matches!(c, Component::Normal(_)));
    plain && names.nth(1) == Some(Component::Normal("snapshots".as_ref())) && names.next().is_some()
}

/// Whether a file whose name ends so is at or below `dir`.
fn below(dir: &Path, name: &str) -> bool {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|e| e.path())
        .any(|path| if path.is_dir() { below(&path, name) } else { path.to_string_lossy().ends_with(name) })
}

fn is_below(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 200
        && !name.contains('\0')
        && Path::new(name).components().all(|c| matches!(c, Component::Normal(_)))
}

/// Puts a byte there; a name that another is a directory of is passed over.
fn lay(path: &Path) {
    if fs::create_dir_all(path.parent().unwrap()).is_ok() {
        fs::write(path, "x").ok();
    }
}
