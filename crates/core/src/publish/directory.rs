use super::{beside, create_directory, leftovers, parent, sync_directory, sync_file};
use crate::{Error, Result};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Writes `files` as the directory `dir`, whole or not at all. One that is there is replaced.
///
/// # Errors
/// [`Error::Io`]; a directory that was there is then as it was, and nothing else is left behind.
pub fn write_directory(dir: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let staged = WholeDirectory::create(dir)?;
    for (name, bytes) in files {
        let path = staged.path().join(name);
        fs::write(&path, bytes).map_err(Error::io(path))?;
    }
    staged.finish()
}

/// A directory that is being filled under a hidden name. It gets its own name when it is finished, and goes when it is
/// dropped before.
#[derive(Debug)]
pub struct WholeDirectory {
    staged: PathBuf,
    dest: PathBuf,
}

impl WholeDirectory {
    /// Begins the directory `dest`. What processes that died more than a day ago left for the same place is removed, and
    /// what one of them set aside without putting something in its place gets its name back.
    ///
    /// # Errors
    /// [`Error::Io`] for a parent that cannot be made or written to.
    pub fn create(dest: &Path) -> Result<Self> {
        let parent = parent(dest);
        create_directory(parent)?;
        if let Some(name) = dest.file_name() {
            leftovers::sweep_named(parent, &name.to_string_lossy())?;
        }
        let (staged, ()) = beside(dest, "new", |hidden| fs::create_dir(hidden)).map_err(Error::io(dest))?;
        Ok(Self { staged, dest: dest.into() })
    }

    /// Where to write to.
    pub fn path(&self) -> &Path {
        &self.staged
    }

    /// Puts the directory, with all that is in it, on the disk under its name. One that is there is replaced.
    ///
    /// # Errors
    /// [`Error::Io`]; a directory that was there is then as it was, and nothing else is left behind.
    pub fn finish(self) -> Result<()> {
        replace_directory(&self.staged, &self.dest)
    }
}

impl Drop for WholeDirectory {
    fn drop(&mut self) {
        // Where it was finished there is nothing left under this name.
        fs::remove_dir_all(&self.staged).ok();
    }
}

/// Gives the directory `staged` the name `dest`, beside it. A directory that is there is not deleted before the new one
/// stands: where the system can, the two change places at once; elsewhere the old one is set aside first, and gets its name
/// back from [`super::clear`] if the process dies in between.
///
/// # Errors
/// [`Error::Io`]; `dest` is then as it was.
pub fn replace_directory(staged: &Path, dest: &Path) -> Result<()> {
    replace(staged, dest, exchange)
}

fn replace(staged: &Path, dest: &Path, exchange: impl Fn(&Path, &Path) -> io::Result<bool>) -> Result<()> {
    sync_tree(staged)?;
    let old = match fs::metadata(dest) {
        Err(e) if e.kind() == ErrorKind::NotFound => fs::rename(staged, dest).map(|()| None),
        Err(e) => Err(e),
        Ok(there) if !there.is_dir() => Err(ErrorKind::NotADirectory.into()),
        Ok(_) => exchange(staged, dest).and_then(|exchanged| match exchanged {
            true => Ok(Some(staged.to_path_buf())),
            false => rename_both(staged, dest).map(Some),
        }),
    };
    let old = old.map_err(Error::io(dest))?;
    sync_directory(parent(dest))?;
    // The new one stands. What cannot be removed of the old one is a leftover.
    old.map(fs::remove_dir_all);
    Ok(())
}

/// Sets the old directory aside and puts the new one in its place; gives where the old one is.
fn rename_both(staged: &Path, dest: &Path) -> io::Result<PathBuf> {
    let (aside, ()) = beside(dest, "old", |hidden| match hidden.exists() {
        true => Err(ErrorKind::AlreadyExists.into()),
        false => fs::rename(dest, hidden),
    })?;
    if let Err(e) = fs::rename(staged, dest) {
        fs::rename(&aside, dest)?;
        return Err(e);
    }
    Ok(aside)
}

/// Lets two directories change places at once; false where the system or the file system cannot.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange(a: &Path, b: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}

fn sync_tree(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let entry = entry.map_err(Error::io(dir))?;
        let kind = entry.file_type().map_err(Error::io(entry.path()))?;
        if kind.is_dir() {
            sync_tree(&entry.path())?;
        } else if kind.is_file() {
            sync_file(&entry.path())?;
        }
    }
    sync_directory(dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::clear;

    fn files(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_second_write_replaces_the_first_and_leaves_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("runs/first/a");
        write_directory(&dir, &[("x", b"1"), ("y", b"2")]).unwrap();
        write_directory(&dir, &[("x", b"3")]).unwrap();
        assert_eq!(fs::read(dir.join("x")).unwrap(), b"3");
        assert_eq!(files(&dir), ["x"]);
        assert_eq!(files(dir.parent().unwrap()), ["a"]);
    }

    #[test]
    fn without_an_exchange_the_old_directory_makes_room_for_the_new_one() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a");
        write_directory(&dir, &[("x", b"1")]).unwrap();
        let staged = WholeDirectory::create(&dir).unwrap();
        fs::write(staged.path().join("y"), "2").unwrap();
        replace(staged.path(), &dir, |_, _| Ok(false)).unwrap();
        assert_eq!(files(&dir), ["y"]);
        assert_eq!(files(root.path()), ["a"]);
    }

    #[test]
    fn a_failure_leaves_the_first_whole_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a");
        write_directory(&dir, &[("x", b"1")]).unwrap();
        assert!(write_directory(&dir, &[("missing/x", b"2")]).is_err());
        for error in [ErrorKind::StorageFull, ErrorKind::PermissionDenied] {
            let staged = WholeDirectory::create(&dir).unwrap();
            fs::write(staged.path().join("x"), "2").unwrap();
            assert!(replace(staged.path(), &dir, |_, _| Err(error.into())).is_err());
        }
        assert!(rename_both(&root.path().join("none"), &dir).is_err());
        assert_eq!(fs::read(dir.join("x")).unwrap(), b"1");
        assert_eq!(files(root.path()), ["a"]);
    }

    #[test]
    fn a_file_is_not_replaced_by_a_directory() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a");
        fs::write(&path, "mine").unwrap();
        assert!(write_directory(&path, &[("x", b"1")]).unwrap_err().to_string().contains("directory"));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        assert_eq!(files(root.path()), ["a"]);
    }

    /// A process that dies between the two renames leaves the old one aside and the new one staged.
    #[test]
    fn what_was_set_aside_by_a_process_that_died_gets_its_name_back() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a");
        write_directory(&dir, &[("x", b"1")]).unwrap();
        fs::rename(&dir, root.path().join(".a.1-0.old")).unwrap();
        write_directory(&root.path().join(".a.1-1.new"), &[("x", b"2")]).unwrap();
        assert_eq!(clear(root.path(), 0).unwrap(), 2);
        assert_eq!(fs::read(dir.join("x")).unwrap(), b"1");
        assert_eq!(files(root.path()), ["a"]);
    }
}
