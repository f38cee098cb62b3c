//! Small parts become large ones.
use crate::part::{Opened, Part};
use crate::rows::Rows;
use crate::space::{Description, parts};
use crate::{Error, Result, Store};
use manyview_core::{Progress, Quiet};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The most rows of a part that is put together; a part with less than half of them is small.
const MOST_ROWS: usize = 4096;
/// Small parts of one space at which they are put together by themselves.
const MANY: usize = 64;
/// Held by the process that puts parts together, so that no other does the same work.
const LOCK: &str = ".compaction.lock";

/// What [`Store::compact`] did in one space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// The key of the space.
    pub space: String,
    /// Small parts that went.
    pub merged: usize,
    /// Parts that came in their place.
    pub written: usize,
    /// Vectors in those.
    pub rows: usize,
    /// Small parts that turned out damaged and were moved to quarantine, and why.
    pub damaged: Vec<(PathBuf, String)>,
}

impl Store {
    /// Puts the small parts of every space together in parts of up to 4,096 vectors. A part is removed once a part with all
    /// its vectors is on the disk, so that whoever reads meanwhile finds each vector in one or the other. A damaged part
    /// goes to quarantine and into no other.
    ///
    /// # Errors
    /// A directory that cannot be read or written, or a request to stop; no vector is lost then.
    pub fn compact(&self, progress: &dyn Progress) -> Result<Vec<Compacted>> {
        let keys = self.keys()?;
        progress.begin("compact", keys.len() as u64);
        let compact = |key: &String| {
            let done = self.compact_space(key, 2, progress);
            progress.advance(1);
            done.transpose()
        };
        let done = keys.iter().filter_map(compact).collect();
        progress.end();
        done
    }

    /// Does the same in one space whose small parts are many. Nothing depends on it, so that an error is a warning.
    pub(crate) fn compact_when_many(&self, key: &str) {
        if let Err(error) = self.compact_space(key, MANY, &Quiet) {
            tracing::warn!(%error, "small parts are left as they are");
        }
    }

    /// Puts the small parts of a space together if there are so many, and nobody else does.
    fn compact_space(&self, key: &str, many: usize, progress: &dyn Progress) -> Result<Option<Compacted>> {
        let dir = self.dir(key);
        let Some(Description { dim, .. }) = Description::read(&dir)? else { return Ok(None) };
        if small_parts(&dir, dim)?.len() < many {
            return Ok(None);
        }
        let path = dir.join(LOCK);
        let lock = File::create(&path).map_err(Error::io(&path))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            // Where there are no locks, two at once do no harm.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        self.merge(key, dim, progress).map(Some)
    }

    /// Puts the small parts of a space together. Any number may do so at once.
    fn merge(&self, key: &str, dim: usize, progress: &dyn Progress) -> Result<Compacted> {
        let mut done = Compacted { space: key.into(), ..Compacted::default() };
        let (mut group, mut rows) = (Vec::new(), Rows::new(dim));
        for path in small_parts(&self.dir(key), dim)? {
            if progress.stopped() {
                return Err(manyview_core::Error::Interrupted.into());
            }
            let part = match Part::open(&path, Some(dim))? {
                Opened::Whole(part) => part,
                Opened::Gone => continue, // another process has put it into another
                Opened::Damaged(problem) => {
                    self.quarantine(key, &path)?;
                    done.damaged.push((path, problem));
                    continue;
                }
            };
            if rows.len() + part.rows() > MOST_ROWS {
                self.replace(key, &group, &rows, &mut done)?;
                (group, rows) = (Vec::new(), Rows::new(dim));
            }
            part.for_each(|hash, vector, norm, cut| rows.push(hash, vector, norm, cut));
            group.push(path);
        }
        self.replace(key, &group, &rows, &mut done)?;
        Ok(done)
    }

    /// Publishes `rows`, then removes the parts that they are all of.
    fn replace(&self, key: &str, group: &[PathBuf], rows: &Rows, done: &mut Compacted) -> Result<()> {
        if group.len() < 2 {
            return Ok(());
        }
        let (hashes, encoded) = rows.encoded()?;
        let whole = self.publish_part(key, hashes, &encoded)?;
        for path in group.iter().filter(|path| **path != whole) {
            match fs::remove_file(path) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(Error::io(path)(e)),
                _ => done.merged += 1,
            }
        }
        done.written += 1;
        done.rows += rows.len();
        Ok(())
    }
}

/// The parts that are small, by their size: nothing is read.
fn small_parts(dir: &Path, dim: usize) -> Result<Vec<PathBuf>> {
    let large = (MOST_ROWS / 2 * dim * size_of::<f32>()) as u64;
    let is_small = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() < large);
    Ok(parts(dir)?.into_iter().filter(is_small).collect())
}
