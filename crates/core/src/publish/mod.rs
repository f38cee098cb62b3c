//! Files and directories that appear whole or not at all.
//!
//! Each is written under a hidden name beside its place, synced, renamed, and its directory synced. A process that is killed
//! leaves what was there before, and at most a hidden leftover, which [`clear`] or [`sweep`] removes. On Windows a directory
//! cannot be synced, and a file that another process has open cannot be replaced: that is an error, and the old file stays.
mod directory;
mod file;
mod leftovers;

pub use directory::{WholeDirectory, replace_directory, write_directory};
pub use file::{WholeFile, rename_whole, write_whole, write_whole_with};
pub use leftovers::{clear, sweep};

use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Creates a directory with its parents; the name of each is on the disk afterwards.
///
/// # Errors
/// [`Error::Io`] for one that cannot be made.
pub fn create_directory(dir: &Path) -> Result<()> {
    if dir.is_dir() || dir.as_os_str().is_empty() {
        return Ok(());
    }
    let parent = parent(dir);
    create_directory(parent)?;
    match fs::create_dir(dir) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists || !dir.is_dir() => return Err(Error::io(dir)(e)),
        _ => {}
    }
    sync_directory(parent)
}

/// The directory that `path` stands in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Lets `make` create something under a hidden name beside `path`, which no thread and no process uses, not even one
/// with the same process id on another machine.
fn beside<T>(path: &Path, end: &str, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<(PathBuf, T)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    loop {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{}.{end}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let hidden = path.with_file_name(hidden);
        match make(&hidden) {
            Ok(made) => return Ok((hidden, made)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
}

/// Puts the content of a file on the disk.
fn sync_file(path: &Path) -> Result<()> {
    // Windows syncs only what is open for writing.
    let file = if cfg!(windows) { File::options().write(true).open(path) } else { File::open(path) };
    file.and_then(|file| file.sync_all()).map_err(Error::io(path))
}

/// Puts the names in a directory on the disk.
#[cfg(unix)]
fn sync_directory(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io(dir))
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> Result<()> {
    Ok(())
}
