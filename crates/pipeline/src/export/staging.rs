//! A directory that appears whole or not at all.
use crate::{Error, Result, leftovers};
use manyview_core::Progress;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Refuses a place where something is already.
pub(super) fn vacant(dir: &Path) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries.count(),
        Err(e) if e.kind() == ErrorKind::NotFound => 0,
        Err(e) if e.kind() == ErrorKind::NotADirectory => 1,
        Err(e) => return Err(Error::io(dir)(e)),
    };
    match entries {
        0 => Ok(()),
        _ => Err(Error::setting(
            &dir.display().to_string(),
            "expected a new or an empty directory, found something there; name another",
        )),
    }
}

/// Lets `fill` write into a hidden directory beside `dir`, which becomes `dir` once all of it is on disk.
pub(super) fn publish(
    dir: &Path,
    progress: &dyn Progress,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    vacant(dir)?;
    let parent = dir.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let fresh = beside(dir, parent)?;
    let filled = fs::create_dir(&fresh).map_err(Error::io(&fresh)).and_then(|()| fill(&fresh));
    let done = filled.and_then(|()| sync(&fresh)).and_then(|()| {
        if progress.stopped() {
            return Err(manyview_core::Error::Interrupted.into());
        }
        fs::remove_dir(dir).or_else(not_there).map_err(Error::io(dir))?; // it is empty: `vacant`
        fs::rename(&fresh, dir).map_err(Error::io(dir))
    });
    if done.is_err() {
        fs::remove_dir_all(&fresh).ok(); // the first error is the one that matters
    }
    done
}

/// A hidden name beside `dir`. What processes that died more than a day ago left for the same place is removed.
fn beside(dir: &Path, parent: &Path) -> Result<PathBuf> {
    let name = dir.file_name().ok_or_else(|| {
        Error::setting(&dir.display().to_string(), "expected the name of a directory to make; name another")
    })?;
    leftovers::clear_old(parent, &name.to_string_lossy())?;
    let fresh = parent.join(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
    match fs::remove_dir_all(&fresh) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io(fresh)(e)),
        _ => Ok(fresh),
    }
}

fn sync(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let path = entry.map_err(Error::io(dir))?.path();
        match path.is_dir() {
            true => sync(&path)?,
            false => File::open(&path).and_then(|file| file.sync_all()).map_err(Error::io(&path))?,
        }
    }
    Ok(())
}

fn not_there(e: std::io::Error) -> std::io::Result<()> {
    if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Quiet;

    fn fill(dir: &Path) -> Result<()> {
        fs::create_dir(dir.join("in")).unwrap();
        fs::write(dir.join("in/x"), "1").map_err(Error::io(dir))
    }

    #[test]
    fn a_new_and_an_empty_place_are_filled_and_another_is_refused_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        publish(&dir, &Quiet, fill).unwrap();
        fs::create_dir(root.path().join("empty")).unwrap();
        publish(&root.path().join("empty"), &Quiet, fill).unwrap();
        assert_eq!(fs::read(dir.join("in/x")).unwrap(), b"1");
        for taken in [dir.clone(), dir.join("in/x")] {
            let e = publish(&taken, &Quiet, |_| unreachable!()).unwrap_err().to_string();
            assert!(e.contains("empty directory") && e.contains("name another"), "{e}");
        }
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let root = tempfile::tempdir().unwrap();
        let e = publish(&root.path().join("a"), &Quiet, |dir| {
            fill(dir)?;
            Err(Error::setting("x", "no"))
        });
        assert!(e.is_err());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
