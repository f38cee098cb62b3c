use crate::{Error, Result};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const TEMPORARY: &str = ".tmp-";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes the file `name` in `dir` appear whole or not at all, and leaves nothing behind when it cannot.
pub(crate) fn publish(dir: &Path, name: &str, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let (mut file, temporary) = Temporary::create(dir).map_err(Error::io(dir))?;
    let path = dir.join(name);
    write(&mut file)
        .and_then(|()| file.sync_all())
        .and_then(|()| temporary.rename(&path))
        .map_err(Error::io(&path))?;
    sync(dir)
}

/// Creates a directory with its parents, each of which outlives a power failure.
pub(crate) fn create(dir: &Path) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), create)?;
    match fs::create_dir(dir) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(Error::io(dir)(e)),
        _ => {}
    }
    sync(parent.unwrap_or(Path::new(".")))
}

/// Removes the temporary files in `dir` that no living process can still be writing.
pub(crate) fn sweep(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let entry = entry.map_err(Error::io(dir))?;
        if !entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) {
            continue;
        }
        let age = entry.metadata().and_then(|m| m.modified()).map(|at| at.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > DAY) {
            let path = entry.path();
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io(&path)(e)),
                _ => {}
            }
        }
    }
    Ok(())
}

/// A file that goes when this is dropped under its first name.
struct Temporary {
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    /// A new file of a name no other process has, even one with the same process id on another machine.
    fn create(dir: &Path) -> io::Result<(File, Self)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = dir.join(format!("{TEMPORARY}{}-{n}", std::process::id()));
            match File::create_new(&path) {
                Ok(file) => return Ok((file, Self { path, renamed: false })),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn rename(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.renamed {
            return;
        }
        if let Err(e) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), error = %e, "a temporary file stays");
        }
    }
}

/// Puts the names in `dir` on the disk.
#[cfg(unix)]
fn sync(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|d| d.sync_all()).map_err(Error::io(dir))
}

#[cfg(not(unix))]
fn sync(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Kind;
    use std::io::Write;
    use std::time::SystemTime;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_full_disk_leaves_no_temporary_file_and_has_its_own_kind() {
        let dir = tempfile::tempdir().unwrap();
        let e = publish(dir.path(), "x", |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert_eq!(e.kind(), Kind::DiskFull);
        assert_eq!(manyview_core::Error::from(e).kind(), Kind::DiskFull);
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[test]
    fn a_name_that_cannot_be_taken_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("x")).unwrap();
        let e = publish(dir.path(), "x", |file| file.write_all(b"whole")).unwrap_err();
        assert_eq!(e.kind(), Kind::Io);
        assert_eq!(names(dir.path()), ["x"]);
    }

    #[test]
    fn a_dead_process_with_the_same_id_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..64 {
            fs::write(dir.path().join(format!("{TEMPORARY}{}-{n}", std::process::id())), "left").unwrap();
        }
        publish(dir.path(), "x", |file| file.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(dir.path().join("x")).unwrap(), b"whole");
        assert_eq!(names(dir.path()).len(), 65);
    }

    #[test]
    fn only_temporary_files_older_than_a_day_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".tmp-1-0", ".tmp-2-0", "x"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        for name in [".tmp-1-0", "x"] {
            let file = File::options().write(true).open(dir.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - 2 * DAY).unwrap();
        }
        sweep(dir.path()).unwrap();
        assert_eq!(names(dir.path()), [".tmp-2-0", "x"]);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_and_tried_once() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(publish(&dir.path().join("none"), "x", |_| Ok(())).unwrap_err().kind(), Kind::Io);
    }

    #[test]
    fn what_cannot_be_swept_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join(".tmp-1-0");
        fs::create_dir(&odd).unwrap();
        File::open(&odd).unwrap().set_modified(SystemTime::now() - 2 * DAY).unwrap();
        assert_eq!(sweep(dir.path()).unwrap_err().kind(), Kind::Io);
    }
}
