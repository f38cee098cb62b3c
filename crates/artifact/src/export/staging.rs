//! A directory that appears whole or not at all.
use crate::{Error, Result};
use manyview_core::Progress;
use manyview_core::publish::WholeDirectory;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

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
    if dir.file_name().is_none() {
        let problem = "expected the name of a directory to make; name another";
        return Err(Error::setting(&dir.display().to_string(), problem));
    }
    let staged = WholeDirectory::create(dir)?;
    fill(staged.path())?;
    if progress.stopped() {
        return Err(manyview_core::Error::Interrupted.into());
    }
    Ok(staged.finish()?)
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
