use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Writes a file whole or not at all: to a new file beside it, which takes its name once it is on disk.
///
/// # Errors
/// [`Error::Io`] naming `path`; a file that was there before is unchanged and nothing else is left behind.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, |file| file.write_all(bytes)).map_err(|source| Error::Io { path: path.to_owned(), source })
}

fn replace(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let directory = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let (temporary, mut file) = beside(path, directory)?;
    let done = fill(&mut file).and_then(|()| file.sync_all());
    drop(file);
    let done = done.and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        // The error that matters is the first one; a file that cannot be removed either adds nothing to it.
        let _ = fs::remove_file(&temporary);
        return done;
    }
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// A new file in `directory`, under a name no other thread or process uses.
fn beside(path: &Path, directory: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    loop {
        let unique = format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(unique);
        let temporary = directory.join(temporary);
        match File::create_new(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Kind;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        write(&path, b"old and longer").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["report.html"]);
    }

    #[test]
    fn a_full_disk_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        write(&path, b"old").unwrap();
        let source = replace(&path, |file| {
            file.write_all(b"half of the ne")?;
            Err(io::ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert_eq!(Error::Io { path: path.clone(), source }.kind(), Kind::DiskFull);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["report.html"]);
    }

    #[test]
    fn a_name_that_is_taken_by_a_directory_leaves_no_residue() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        fs::create_dir(&path).unwrap();
        let e = write(&path, b"new").unwrap_err();
        assert!(e.to_string().contains("report.html"), "{e}");
        assert_eq!(names(dir.path()), ["report.html"]);
    }

    #[test]
    fn a_missing_directory_is_an_error_that_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let e = write(&dir.path().join("gone/report.md"), b"x").unwrap_err();
        assert!(e.to_string().contains("gone"), "{e}");
        assert_eq!(e.kind(), Kind::Io);
        assert!(write(Path::new("/"), b"x").is_err());
    }
}
