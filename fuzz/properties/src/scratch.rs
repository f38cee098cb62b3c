use manyview_core::Kind;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What stands between the files of one input, where a property takes several.
pub const SEPARATOR: &[u8] = b"\n====\n";

thread_local! {
    static SCRATCH: TempDir = tempfile::tempdir().unwrap();
}

/// A file of this thread with these bytes.
pub(crate) fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = place(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// A place of this thread for a file or directory that may or may not be there.
pub(crate) fn place(name: &str) -> PathBuf {
    SCRATCH.with(|dir| dir.path().join(name))
}

/// An empty directory of this thread.
pub(crate) fn empty(name: &str) -> PathBuf {
    let dir = gone(name);
    fs::create_dir(&dir).unwrap();
    dir
}

/// A place of this thread where nothing is.
pub(crate) fn gone(name: &str) -> PathBuf {
    let dir = place(name);
    if dir.exists() {
        fs::remove_dir_all(&dir).unwrap();
    }
    dir
}

/// Writes a file below `dir`, and the directories it needs.
pub(crate) fn put(dir: &Path, name: &str, bytes: &[u8]) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The files of an input; those it lacks are empty.
pub(crate) fn parts<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let (mut parts, mut rest) = ([&data[..0]; N], data);
    for (i, part) in parts.iter_mut().enumerate() {
        let end = (0..rest.len()).find(|&at| rest[at..].starts_with(SEPARATOR));
        let end = end.filter(|_| i + 1 < N);
        *part = &rest[..end.unwrap_or(rest.len())];
        rest = end.map_or(&[], |end| &rest[end + SEPARATOR.len()..]);
    }
    parts
}

/// That bytes were refused for what they are: not as a fault of the program, of the disk or of a network.
pub(crate) fn refused(kind: Kind, e: &dyn std::fmt::Display) {
    assert!(matches!(kind, Kind::Input | Kind::Numeric), "refused as {kind:?}: {e}");
}
