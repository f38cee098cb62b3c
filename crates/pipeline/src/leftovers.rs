//! What processes that were killed left in a directory that one process holds at a time.
use crate::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How deep below a run directory anything is written beside its place: variants, and their checkpoints.
const DEPTH: usize = 2;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes what killed processes were writing in `dir`, and says how much that was. What was about to be replaced, and
/// has no successor yet, gets its name back. Only for whoever holds `dir`.
///
/// # Errors
/// A directory that cannot be read, something in it that cannot be removed.
pub(crate) fn clear(dir: &Path) -> Result<usize> {
    clear_below(dir, DEPTH)
}

/// Removes what processes that died more than a day ago were writing to become `name` in `dir`, which nobody holds.
///
/// # Errors
/// A directory that cannot be read, something in it that cannot be removed.
pub(crate) fn clear_old(dir: &Path, name: &str) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let entry = entry.map_err(Error::io(dir))?;
        let age = entry.metadata().and_then(|m| m.modified()).map(|at| at.elapsed().unwrap_or_default());
        let is_old = age.is_ok_and(|age| age > DAY);
        if is_old && meant_for(&entry.file_name().to_string_lossy()) == Some((name, false)) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn clear_below(dir: &Path, depth: usize) -> Result<usize> {
    let mut cleared = 0;
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let path = entry.map_err(Error::io(dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match meant_for(&name) {
            Some((place, true)) if !dir.join(place).exists() => {
                fs::rename(&path, dir.join(place)).map_err(Error::io(&path))?;
                cleared += 1;
            }
            Some(_) => {
                remove(&path)?;
                cleared += 1;
            }
            None if depth > 0 && path.is_dir() && !name.starts_with('.') => {
                cleared += clear_below(&path, depth - 1)?;
            }
            None => {}
        }
    }
    Ok(cleared)
}

/// The name that `.NAME.PID.new`, `.NAME.PID.old` or `.NAME.PID-N.tmp` stands in for, and whether it had that name before.
fn meant_for(name: &str) -> Option<(&str, bool)> {
    let (name, end) = name.strip_prefix('.')?.rsplit_once('.')?;
    let (name, process) = name.rsplit_once('.')?;
    let is_process = !process.is_empty() && process.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    (is_process && !name.is_empty() && ["new", "old", "tmp"].contains(&end)).then_some((name, end == "old"))
}

fn remove(path: &PathBuf) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_goes_and_nothing_else_does() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let left = [
            ".adapter.12.new/config.json",
            ".adapter.12.old/config.json",
            ".metrics.json.12-0.tmp",
            "a/.fit.json.7-3.tmp",
            "a/checkpoints/.abc-000001.9.new/state.safetensors",
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
        assert_eq!(clear(root.path()).unwrap(), left.len());
        assert!(left.iter().all(|name| !at(name).exists()));
        assert!(kept.iter().all(|name| at(name).exists()));
        assert_eq!(clear(root.path()).unwrap(), 0);
    }

    #[test]
    fn only_what_is_old_goes_where_nobody_holds_the_directory() {
        let root = tempfile::tempdir().unwrap();
        for name in [".out.12.new", ".out.13.new", ".other.12.new"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        for name in [".out.12.new", ".other.12.new"] {
            let dir = fs::File::open(root.path().join(name)).unwrap();
            dir.set_modified(std::time::SystemTime::now() - 2 * DAY).unwrap();
        }
        clear_old(root.path(), "out").unwrap();
        assert!(!root.path().join(".out.12.new").exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_was_to_be_replaced_and_has_no_successor_gets_its_name_back() {
        let root = tempfile::tempdir().unwrap();
        for name in [".adapter.12.old", ".adapter.12.new"] {
            fs::create_dir(root.path().join(name)).unwrap();
            fs::write(root.path().join(name).join("config.json"), name).unwrap();
        }
        assert_eq!(clear(root.path()).unwrap(), 2);
        assert_eq!(fs::read(root.path().join("adapter/config.json")).unwrap(), b".adapter.12.old");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
