//! What killed processes left in the cache.
use super::Hub;
use crate::{Error, Result};
use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Hub {
    /// Removes what processes that died more than a day ago were about to give a name in the cache, and says how much that
    /// was. What is there of a download stays: the next fetch goes on with it.
    ///
    /// # Errors
    /// A directory that cannot be read, or a file that cannot be removed.
    pub fn clear_leftovers(&self) -> Result<usize> {
        let mut cleared = 0;
        for repo in entries(&self.cache)?.iter().filter(|entry| is_repo(&entry.file_name().to_string_lossy()))
        {
            for place in ["refs", "listings", "snapshots"] {
                cleared += clear(&repo.path().join(place))?;
            }
        }
        Ok(cleared)
    }
}

fn clear(dir: &Path) -> Result<usize> {
    let mut cleared = 0;
    for entry in entries(dir)? {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            cleared += clear(&path)?;
        } else if is_leftover(&entry.file_name().to_string_lossy()) && is_old(&entry) {
            fs::remove_file(&path).map_err(Error::io(&path))?;
            cleared += 1;
        }
    }
    Ok(cleared)
}

/// What is in a directory; nothing where there is none.
fn entries(dir: &Path) -> Result<Vec<DirEntry>> {
    match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        found => found.and_then(Iterator::collect).map_err(Error::io(dir)),
    }
}

fn is_repo(name: &str) -> bool {
    name.starts_with("models--") || name.starts_with("datasets--")
}

/// Whether a name is `NAME.PROCESS.ThreadId(N).part`, which the cache gives to what becomes `NAME`.
fn is_leftover(name: &str) -> bool {
    let is_number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let ended = name.strip_suffix(").part").and_then(|rest| rest.rsplit_once(".ThreadId("));
    let named = ended.filter(|(_, thread)| is_number(thread)).and_then(|(rest, _)| rest.rsplit_once('.'));
    named.is_some_and(|(name, process)| !name.is_empty() && is_number(process))
}

fn is_old(entry: &DirEntry) -> bool {
    let age = entry.metadata().and_then(|m| m.modified()).map(|at| at.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age > DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn what_was_about_to_get_a_name_goes_after_a_day_and_nothing_else_does() {
        let cache = tempfile::tempdir().unwrap();
        let part = format!("x.12.{:?}.part", std::thread::current().id());
        let old = ["models--a--b/refs/", "models--a--b/listings/", "datasets--a--b/snapshots/c/deep/"];
        let kept = [
            format!("models--a--b/snapshots/c/{part}"), // of today
            format!("models--a--b/blobs/{part}"),
            format!("spaces--a--b/refs/{part}"),
            "models--a--b/refs/x.part".into(),
            "models--a--b/refs/x.12.ThreadId(1)".into(),
            "models--a--b/refs/x.y.ThreadId(1).part".into(),
            "models--a--b/refs/.12.ThreadId(1).part".into(),
            "models--a--b/blobs/0123.incomplete".into(),
        ];
        let lay = |name: &str, age: Duration| {
            let path = cache.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::File::create(&path).unwrap().set_modified(SystemTime::now() - age).unwrap();
        };
        old.iter().for_each(|dir| lay(&format!("{dir}{part}"), 2 * DAY));
        kept.iter().enumerate().for_each(|(i, name)| lay(name, if i == 0 { DAY / 2 } else { 2 * DAY }));
        let hub = Hub::new(cache.path());
        assert_eq!(hub.clear_leftovers().unwrap(), old.len());
        assert!(kept.iter().all(|name| cache.path().join(name).exists()));
        assert!(old.iter().all(|dir| {
            fs::read_dir(cache.path().join(dir)).unwrap().flatten().all(|e| e.file_name() != part.as_str())
        }));
        assert_eq!(hub.clear_leftovers().unwrap(), 0);
        assert_eq!(Hub::new(cache.path().join("none")).clear_leftovers().unwrap(), 0);
    }
}
