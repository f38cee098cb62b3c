use super::{beside, parent, sync_directory, sync_file};
use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes a file whole or not at all. One that is there is replaced.
///
/// # Errors
/// [`Error::Io`]; a file that was there is then as it was, and nothing else is left behind.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(bytes).map_err(Error::io(path))?;
    file.finish()
}

/// Lets `write` make a file under a hidden name, for writers that want a path; the file then gets the name `path`.
///
/// # Errors
/// Those of `write`, and [`Error::Io`]; a file that was there is then as it was, and nothing else is left behind.
pub fn write_whole_with<T, E: From<Error>>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    let free = |hidden: &Path| match fs::symlink_metadata(hidden) {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    };
    let (hidden, ()) = beside(path, "tmp", free).map_err(Error::io(path))?;
    let hidden = Hidden(Some(hidden));
    let written = write(hidden.path())?;
    hidden.rename(path)?;
    Ok(written)
}

/// Gives a finished file, such as one that grew over several runs, the name `to` in the same file system. It is synced
/// first, and the directory of its new name afterwards.
///
/// # Errors
/// [`Error::Io`]; a file that was there is then as it was.
pub fn rename_whole(from: &Path, to: &Path) -> Result<()> {
    let kind = fs::symlink_metadata(from).map_err(Error::io(from))?;
    if kind.is_file() {
        sync_file(from)?;
    }
    fs::rename(from, to).map_err(Error::io(to))?;
    sync_directory(parent(to))
}

/// A file that is being written, buffered, under a hidden name. It gets its own name when it is finished, and goes when it is
/// dropped before.
#[derive(Debug)]
pub struct WholeFile {
    file: BufWriter<File>,
    hidden: Hidden,
    path: PathBuf,
}

impl WholeFile {
    /// Begins the file `path`.
    ///
    /// # Errors
    /// [`Error::Io`] for a directory that is not there or cannot be written to.
    pub fn create(path: &Path) -> Result<Self> {
        let (hidden, file) =
            beside(path, "tmp", |hidden| File::create_new(hidden)).map_err(Error::io(path))?;
        Ok(Self { file: BufWriter::new(file), hidden: Hidden(Some(hidden)), path: path.into() })
    }

    /// Puts the file on the disk under its name. One that is there is replaced.
    ///
    /// # Errors
    /// [`Error::Io`]; a file that was there is then as it was, and nothing else is left behind.
    pub fn finish(self) -> Result<()> {
        let Self { file, hidden, path } = self;
        let file = file.into_inner().map_err(|e| Error::io(&path)(e.into_error()))?;
        file.sync_all().map_err(Error::io(&path))?;
        drop(file); // Windows renames nothing that is open
        hidden.take(|hidden| fs::rename(hidden, &path)).map_err(Error::io(&path))?;
        sync_directory(parent(&path))
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A hidden file, removed when dropped unless it was given another name.
#[derive(Debug)]
struct Hidden(Option<PathBuf>);

impl Hidden {
    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    fn rename(self, to: &Path) -> Result<()> {
        self.take(|hidden| rename_whole(hidden, to))
    }

    fn take<E>(mut self, rename: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
        rename(self.path())?;
        self.0 = None;
        Ok(())
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // What cannot be removed is a leftover; the error that matters is the one that led here.
        self.0.as_ref().map(fs::remove_file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        write_whole(&path, b"old and longer").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.flush().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old and longer");
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["report.html"]);
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        write_whole(&path, b"old").unwrap();
        let full = |hidden: &Path| -> Result<()> {
            fs::write(hidden, "half of the ne").unwrap();
            Err(Error::io(&path)(ErrorKind::StorageFull.into()))
        };
        assert_eq!(write_whole_with(&path, full).unwrap_err().kind(), Kind::DiskFull);
        let mut dropped = WholeFile::create(&path).unwrap();
        dropped.write_all(&[0; 1 << 16]).unwrap();
        drop(dropped);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["report.html"]);
    }

    #[test]
    fn a_name_that_is_taken_by_a_directory_leaves_no_residue() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        fs::create_dir(&path).unwrap();
        let e = write_whole(&path, b"new").unwrap_err();
        assert!(e.to_string().contains("report.html"), "{e}");
        assert_eq!(names(dir.path()), ["report.html"]);
    }

    #[test]
    fn a_missing_directory_is_an_error_that_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let e = write_whole(&dir.path().join("gone/report.md"), b"x").unwrap_err();
        assert!(e.to_string().contains("gone"), "{e}");
        assert_eq!(e.kind(), Kind::Io);
        assert!(write_whole(Path::new("/"), b"x").is_err());
    }

    #[test]
    fn a_dead_process_with_the_same_id_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for n in 0..64 {
            fs::write(dir.path().join(format!(".x.{}-{n}.tmp", std::process::id())), "left").unwrap();
        }
        write_whole(&path, b"whole").unwrap();
        write_whole_with(&path, |hidden| fs::write(hidden, "other").map_err(Error::io(hidden))).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"other");
        assert_eq!(names(dir.path()).len(), 65);
    }

    #[test]
    fn a_file_that_grew_gets_its_name_and_a_link_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        let (grown, path) = (dir.path().join("x.incomplete"), dir.path().join("x"));
        fs::write(&grown, "grown").unwrap();
        rename_whole(&grown, &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"grown");
        assert!(rename_whole(&grown, &path).unwrap_err().to_string().contains("incomplete"));
        assert_eq!(names(dir.path()), ["x"]);
    }
}
