//! What killed processes left in the cache.
use super::Hub;
use crate::{Error, Result};
use manyview_core::publish::sweep;
use std::io::ErrorKind;

/// How deep directories of a snapshot may be.
const DEPTH: usize = 16;

impl Hub {
    /// Removes what processes that died more than a day ago were about to give a name in the cache, and says how much that
    /// was. What is there of a download stays: the next fetch goes on with it.
    ///
    /// # Errors
    /// A directory that cannot be read, or a file that cannot be removed.
    pub fn clear_leftovers(&self) -> Result<usize> {
        let entries = match std::fs::read_dir(&self.cache) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(0),
            entries => entries.map_err(Error::io(&self.cache))?,
        };
        let mut cleared = 0;
        for entry in entries {
            let entry = entry.map_err(Error::io(&self.cache))?;
            if !is_repo(&entry.file_name().to_string_lossy()) {
                continue;
            }
            for place in ["refs", "listings", "snapshots"].map(|name| entry.path().join(name)) {
                if place.is_dir() {
                    cleared += sweep(&place, DEPTH)?;
                }
            }
        }
        Ok(cleared)
    }
}

fn is_repo(name: &str) -> bool {
    name.starts_with("models--") || name.starts_with("datasets--")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::{Duration, SystemTime};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn what_was_about_to_get_a_name_goes_after_a_day_and_nothing_else_does() {
        let cache = tempfile::tempdir().unwrap();
        let old = ["models--a--b/refs/", "models--a--b/listings/", "datasets--a--b/snapshots/c/deep/"];
        let kept = [
            "models--a--b/snapshots/c/.x.12-3.tmp", // of today
            "models--a--b/blobs/.x.12-3.tmp",
            "spaces--a--b/refs/.x.12-3.tmp",
            "models--a--b/refs/x.12-3.tmp",
            "models--a--b/blobs/0123.incomplete",
        ];
        let lay = |name: &str, age: Duration| {
            let path = cache.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::File::create(&path).unwrap().set_modified(SystemTime::now() - age).unwrap();
        };
        old.iter().for_each(|dir| lay(&format!("{dir}.x.12-3.tmp"), 2 * DAY));
        kept.iter().enumerate().for_each(|(i, name)| lay(name, if i == 0 { DAY / 2 } else { 2 * DAY }));
        let hub = Hub::new(cache.path());
        assert_eq!(hub.clear_leftovers().unwrap(), old.len());
        assert!(kept.iter().all(|name| cache.path().join(name).exists()));
        assert!(old.iter().all(|dir| !cache.path().join(dir).join(".x.12-3.tmp").exists()));
        assert_eq!(hub.clear_leftovers().unwrap(), 0);
        assert_eq!(Hub::new(cache.path().join("none")).clear_leftovers().unwrap(), 0);
    }
}
