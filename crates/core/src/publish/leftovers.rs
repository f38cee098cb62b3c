use crate::{Error, Result};
use std::fs::{self, DirEntry};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes what killed processes were writing in `dir` and so many levels below, and says how much that was. What was set
/// aside, and has no successor yet, gets its name back. Only for whoever holds `dir`: nobody else may be writing there.
///
/// # Errors
/// [`Error::Io`] for a directory that cannot be read, or something in it that cannot be removed.
pub fn clear(dir: &Path, depth: usize) -> Result<usize> {
    clear_where(dir, depth, &|_, _| true)
}

/// Like [`clear`], but of what is more than a day old alone, for a directory that nobody holds.
///
/// # Errors
/// [`Error::Io`] for a directory that cannot be read, or something in it that cannot be removed.
pub fn sweep(dir: &Path, depth: usize) -> Result<usize> {
    clear_where(dir, depth, &|entry, _| is_old(entry))
}

/// Like [`sweep`], of what was to become `name` in `dir` alone.
pub(super) fn sweep_named(dir: &Path, name: &str) -> Result<usize> {
    clear_where(dir, 0, &|entry, place| place == name && is_old(entry))
}

fn clear_where(dir: &Path, depth: usize, fits: &dyn Fn(&DirEntry, &str) -> bool) -> Result<usize> {
    let mut cleared = 0;
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let entry = entry.map_err(Error::io(dir))?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        match meant_for(&name) {
            Some((place, was_aside)) if fits(&entry, place) => {
                let done = match was_aside && !dir.join(place).exists() {
                    true => fs::rename(&path, dir.join(place)),
                    false if path.is_dir() => fs::remove_dir_all(&path),
                    false => fs::remove_file(&path),
                };
                match done {
                    Err(e) if e.kind() != ErrorKind::NotFound => return Err(Error::io(path)(e)),
                    Err(_) => {} // another process was faster
                    Ok(()) => cleared += 1,
                }
            }
            None if depth > 0 && path.is_dir() && !name.starts_with('.') => {
                cleared += clear_where(&path, depth - 1, fits)?;
            }
            _ => {}
        }
    }
    Ok(cleared)
}

/// The name that `.NAME.PID-N.new`, `.old` or `.tmp` stands in for, and whether it had that name before.
fn meant_for(name: &str) -> Option<(&str, bool)> {
    let (name, end) = name.strip_prefix('.')?.rsplit_once('.')?;
    let (name, process) = name.rsplit_once('.')?;
    let is_process = !process.is_empty() && process.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    (is_process && !name.is_empty() && ["new", "old", "tmp"].contains(&end)).then_some((name, end == "old"))
}

fn is_old(entry: &DirEntry) -> bool {
    let age = entry.metadata().and_then(|m| m.modified()).map(|at| at.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age > DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::SystemTime;

    #[test]
    fn what_a_killed_process_left_goes_and_nothing_else_does() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let left = [
            ".adapter.12-0.new/config.json",
            ".adapter.12-1.old/config.json",
            ".metrics.json.12-0.tmp",
            "a/.fit.json.7-3.tmp",
            "a/checkpoints/.abc-000001.9-1.new/state.safetensors",
        ];
        let kept = [
            "adapter/config.json",
            ".lock",
            ".hidden.toml",
            ".a.b.new",
            "a/.12.tmp",
            "metrics.json.12-0.tmp",
            "a/b/c/.deep.1.new",
        ];
        for name in left.iter().chain(&kept) {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), name).unwrap();
        }
        assert_eq!(clear(root.path(), 2).unwrap(), left.len());
        assert!(left.iter().all(|name| !at(name).exists()));
        assert!(kept.iter().all(|name| at(name).exists()));
        assert_eq!(clear(root.path(), 2).unwrap(), 0);
    }

    #[test]
    fn only_what_is_old_goes_where_nobody_holds_the_directory() {
        let root = tempfile::tempdir().unwrap();
        for name in [".out.12-0.new", ".out.13-0.new", ".other.12-0.new", ".x.csv.1-0.tmp"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        for name in [".out.12-0.new", ".other.12-0.new", ".x.csv.1-0.tmp"] {
            let dir = File::open(root.path().join(name)).unwrap();
            dir.set_modified(SystemTime::now() - 2 * DAY).unwrap();
        }
        assert_eq!(sweep_named(root.path(), "out").unwrap(), 1);
        assert!(!root.path().join(".out.12-0.new").exists());
        assert_eq!(sweep(root.path(), 0).unwrap(), 2);
        assert!(root.path().join(".out.13-0.new").exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_set_aside_and_has_no_successor_gets_its_name_back() {
        let root = tempfile::tempdir().unwrap();
        for name in [".adapter.12-0.old", ".adapter.12-1.new"] {
            fs::create_dir(root.path().join(name)).unwrap();
            fs::write(root.path().join(name).join("config.json"), name).unwrap();
        }
        assert_eq!(clear(root.path(), 0).unwrap(), 2);
        assert_eq!(fs::read(root.path().join("adapter/config.json")).unwrap(), b".adapter.12-0.old");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
