use super::Select;
use super::listing::{Listed, Listing};
use super::repo::{Repo, is_commit};
use crate::{Error, Result};
use manyview_core::Progress;
use manyview_core::publish::{rename_whole, write_whole, write_whole_with};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The part of the cache that belongs to one repository: `blobs/HASH`, `snapshots/COMMIT/FILE` as links to them, and
/// `refs/REVISION` with a commit in it. We add `listings/COMMIT.json`, so that a whole snapshot is known to be whole.
pub(super) struct Cache {
    dir: PathBuf,
    locks: PathBuf,
}

impl Cache {
    pub(super) fn new(root: &Path, repo: &Repo, revision: &str) -> Result<Self> {
        let safe = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']);
        if !revision.split('/').all(safe) {
            return Err(
                repo.error(format!("expected a branch, a tag or a commit, found the revision `{revision}`"))
            );
        }
        Ok(Self { dir: root.join(repo.folder()), locks: root.join(".locks").join(repo.folder()) })
    }

    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.dir.join("snapshots").join(commit)
    }

    /// Where content is kept until it is whole and checked.
    pub(super) fn part(&self, blob: &str) -> PathBuf {
        self.dir.join("blobs").join(format!("{blob}.incomplete"))
    }

    /// The commit a revision stood for when it was last looked up.
    pub(super) fn commit_of(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.into());
        }
        let commit = std::fs::read_to_string(self.dir.join("refs").join(revision)).ok()?;
        Some(commit.trim().to_string()).filter(|commit| is_commit(commit))
    }

    /// The selected files of `commit` if all are here. A snapshot that Python filled has no listing of ours, so what lies
    /// in it is all there is to go by: enough when `lenient`, and for a model with its list of modules.
    pub(super) fn held(
        &self,
        commit: &str,
        select: Select,
        lenient: bool,
    ) -> Result<Option<(PathBuf, Vec<Listed>)>> {
        let snapshot = self.snapshot(commit);
        let files = match self.listing(commit) {
            Some(listing) => select(&listing)?,
            None => {
                let listing = Listing::of_snapshot(commit, &snapshot);
                if !lenient && !listing.has("modules.json") {
                    return Ok(None);
                }
                match select(&listing) {
                    Ok(files) => files,
                    Err(_) => return Ok(None),
                }
            }
        };
        Ok(files.iter().all(|file| self.holds(commit, file)).then_some((snapshot, files)))
    }

    pub(super) fn holds(&self, commit: &str, file: &Listed) -> bool {
        is_whole(&self.snapshot(commit).join(&file.path), file)
    }

    pub(super) fn holds_blob(&self, blob: &str, file: &Listed) -> bool {
        is_whole(&self.blob(blob), file)
    }

    /// Waits until no other process fetches this content.
    pub(super) fn lock(&self, blob: &str, progress: &dyn Progress) -> Result<File> {
        let path = self.locks.join(format!("{blob}.lock"));
        let fail = Error::io(&path);
        create_parent(&path)?;
        create_parent(&self.blob(blob))?;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = match file {
            Ok(file) => file,
            Err(e) => return Err(fail(e)),
        };
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if progress.stopped() => {
                    return Err(manyview_core::Error::Interrupted.into());
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
                Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {
                    return Ok(file);
                }
                Err(TryLockError::Error(e)) => return Err(fail(e)),
            }
        }
    }

    /// Gives checked content its name.
    pub(super) fn keep_blob(&self, part: &Path, blob: &str) -> Result<()> {
        Ok(rename_whole(part, &self.blob(blob))?)
    }

    /// Makes content a file of a snapshot: a relative link, or a copy where there are no links.
    pub(super) fn link(&self, commit: &str, file: &Listed, blob: &str) -> Result<()> {
        let place = self.snapshot(commit).join(&file.path);
        create_parent(&place)?;
        let target = format!("{}blobs/{blob}", "../".repeat(2 + file.path.matches('/').count()));
        write_whole_with(&place, |hidden| {
            let made = symlink(&target, hidden).or_else(|_| std::fs::copy(self.blob(blob), hidden).map(drop));
            made.map_err(Error::io(&place))
        })
    }

    pub(super) fn keep_revision(&self, revision: &str, commit: &str) -> Result<()> {
        match is_commit(revision) {
            true => Ok(()),
            false => write(&self.dir.join("refs").join(revision), commit.as_bytes()),
        }
    }

    pub(super) fn keep_listing(&self, listing: &Listing) -> Result<()> {
        let path = self.listing_path(&listing.commit);
        let json = serde_json::to_vec(listing).map_err(|e| Error::file(&path, e.to_string()))?;
        write(&path, &json)
    }

    fn listing(&self, commit: &str) -> Option<Listing> {
        let json = std::fs::read(self.listing_path(commit)).ok()?;
        serde_json::from_slice::<Listing>(&json).ok()?.checked("cache").ok().filter(|l| l.commit == commit)
    }

    fn listing_path(&self, commit: &str) -> PathBuf {
        self.dir.join("listings").join(format!("{commit}.json"))
    }

    fn blob(&self, blob: &str) -> PathBuf {
        self.dir.join("blobs").join(blob)
    }
}

fn is_whole(path: &Path, file: &Listed) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|there| there.is_file() && file.size.is_none_or(|size| size == there.len()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    create_parent(path)?;
    Ok(write_whole(path, bytes)?)
}

fn create_parent(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), |dir| std::fs::create_dir_all(dir).map_err(Error::io(dir)))
}

#[cfg(unix)]
fn symlink(target: &str, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_: &str, _: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
