//! Directories that appear whole or not at all.
use crate::{Error, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes `files` into `dir`: into a sibling first, synced, then renamed. A directory already there is replaced.
///
/// # Errors
/// Whatever the system says; a directory already there is then still whole.
pub(crate) fn publish(dir: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let parent = match dir.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let fresh = sibling(dir, "new");
    let result = write(&fresh, files).and_then(|()| swap(&fresh, dir));
    if result.is_err() {
        fs::remove_dir_all(&fresh).ok();
    }
    result?;
    sync(parent)
}

/// Whether something stands at `dir` other than a directory that holds nothing but files of these names.
pub(crate) fn occupied(dir: &Path, names: &[&str]) -> bool {
    match fs::read_dir(dir) {
        Ok(entries) => entries.flatten().any(|e| !names.iter().any(|name| e.file_name() == *name)),
        Err(_) => dir.exists(),
    }
}

/// A hidden name beside `dir` that no other process uses.
pub(crate) fn sibling(dir: &Path, suffix: &str) -> PathBuf {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    dir.with_file_name(format!(".{name}.{}.{suffix}", std::process::id()))
}

fn write(fresh: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    if fresh.exists() {
        fs::remove_dir_all(fresh).map_err(Error::io(fresh))?;
    }
    fs::create_dir(fresh).map_err(Error::io(fresh))?;
    for (name, bytes) in files {
        let path = fresh.join(name);
        let mut file = File::create(&path).map_err(Error::io(&path))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::io(&path))?;
    }
    sync(fresh)
}

fn swap(fresh: &Path, dir: &Path) -> Result<()> {
    if !dir.exists() {
        return fs::rename(fresh, dir).map_err(Error::io(dir));
    }
    let old = sibling(dir, "old");
    fs::rename(dir, &old).map_err(Error::io(dir))?;
    if let Err(e) = fs::rename(fresh, dir) {
        fs::rename(&old, dir).map_err(Error::io(&old))?;
        return Err(Error::io(dir)(e));
    }
    fs::remove_dir_all(&old).map_err(Error::io(&old))
}

fn sync(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|d| d.sync_all()).map_err(Error::io(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_write_replaces_the_first_and_leaves_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a");
        publish(&dir, &[("x", b"1"), ("y", b"2")]).unwrap();
        publish(&dir, &[("x", b"3")]).unwrap();
        assert_eq!(fs::read(dir.join("x")).unwrap(), b"3");
        assert!(!dir.join("y").exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_directory_around_it_is_made() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("runs/first/a");
        publish(&dir, &[("x", b"1")]).unwrap();
        assert_eq!(fs::read(dir.join("x")).unwrap(), b"1");
    }

    #[test]
    fn a_place_is_occupied_by_anything_but_files_of_the_names() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a");
        assert!(!occupied(&dir, &["x"]));
        publish(&dir, &[("x", b"1")]).unwrap();
        assert!(!occupied(&dir, &["x"]));
        assert!(occupied(&dir, &["y"]) && occupied(&dir.join("x"), &["x"]));
    }

    #[test]
    fn a_failed_write_leaves_the_first_whole() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a");
        publish(&dir, &[("x", b"1")]).unwrap();
        assert!(publish(&dir, &[("missing/x", b"2")]).is_err());
        assert_eq!(fs::read(dir.join("x")).unwrap(), b"1");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
