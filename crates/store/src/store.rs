use crate::part::{self, Opened, Part};
use crate::space::{Description, parts};
use crate::text_hash::TextHash;
use crate::{Error, Result, Space};
use manyview_core::publish::{create_directory, sweep, write_whole};
use manyview_core::{Encoded, Progress};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::{fs, io};

const SCHEMA: u64 = 1;
const MARKER: &str = "manyview-store.json";

/// A directory of vectors: `spaces/KEY/part-HASH.parquet`, and `quarantine/` for what turned out damaged.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// What [`Store::verify`] found in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The key of the space it belongs to.
    pub space: String,
    /// Where it stood.
    pub part: PathBuf,
    /// The number of vectors in it that can be used.
    pub rows: usize,
    /// Why it was moved to quarantine, if it was.
    pub problem: Option<String>,
}

#[derive(Deserialize)]
struct Marker {
    schema: u64,
}

impl Store {
    /// Opens the store in the directory `root`, or begins one there.
    ///
    /// # Errors
    /// A file in its place, a store of a later release, or a directory that cannot be read or made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        if root.exists() && !root.is_dir() {
            return Err(Error::NotADirectory { path: root });
        }
        create_directory(&root)?;
        let path = root.join(MARKER);
        match fs::read(&path) {
            Ok(bytes) => check_marker(path, &bytes)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                write_whole(&path, format!("{{\"schema\":{SCHEMA}}}\n").as_bytes())?;
            }
            Err(e) => return Err(Error::io(&path)(e)),
        }
        Ok(Self { root })
    }

    /// What there is, one space for each encoder and instruction, in order of their keys. Reads no vectors.
    ///
    /// # Errors
    /// A directory or a description that cannot be read.
    pub fn spaces(&self) -> Result<Vec<Space>> {
        let mut spaces = Vec::new();
        for key in self.keys()? {
            spaces.extend(Space::read(&self.dir(&key), &key)?);
        }
        Ok(spaces)
    }

    /// Reads every part and checks it. A damaged one is moved to `quarantine/` and kept there, so that its vectors are
    /// computed again when they are next asked for. Also removes what processes that died more than a day ago left.
    ///
    /// # Errors
    /// A directory that cannot be read or written, or a request to stop.
    pub fn verify(&self, progress: &dyn Progress) -> Result<Vec<Checked>> {
        sweep(&self.root, 0)?;
        let (mut checked, mut todo) = (Vec::new(), Vec::new());
        for key in self.keys()? {
            let dir = self.dir(&key);
            sweep(&dir, 0)?;
            let dim = match Description::read(&dir) {
                Ok(description) => description.map(|d| d.dim),
                Err(e @ Error::Schema { .. }) => return Err(e),
                Err(e) => {
                    let path = Description::path(&dir);
                    self.quarantine(&key, &path)?;
                    checked.push(Checked {
                        space: key.clone(),
                        part: path,
                        rows: 0,
                        problem: Some(e.to_string()),
                    });
                    None
                }
            };
            todo.extend(parts(&dir)?.into_iter().map(|part| (key.clone(), part, dim)));
        }
        progress.begin("verify", todo.len() as u64);
        let done = todo.into_iter().try_for_each(|(space, part, dim)| {
            if progress.stopped() {
                return Err(manyview_core::Error::Interrupted.into());
            }
            checked.extend(self.check(space, part, dim)?);
            progress.advance(1);
            Ok(())
        });
        progress.end();
        done.map(|()| checked)
    }

    /// Deletes the space whose key is `key_prefix` or alone starts with it, and says what it was.
    ///
    /// # Errors
    /// A start that fits no space or several, with a list of what there is; an empty one fits none.
    pub fn remove(&self, key_prefix: &str) -> Result<Space> {
        let spaces = self.spaces()?;
        let there = |spaces: &[Space]| match spaces {
            [] => "none".into(),
            spaces => {
                spaces.iter().map(|s| format!("{} ({})", s.key, s.encoder)).collect::<Vec<_>>().join(", ")
            }
        };
        let fit: Vec<_> = spaces
            .iter()
            .filter(|s| !key_prefix.is_empty() && s.key.starts_with(key_prefix))
            .cloned()
            .collect();
        match <[Space; 1]>::try_from(fit) {
            Ok([space]) => {
                let dir = self.dir(&space.key);
                fs::remove_dir_all(&dir).map_err(Error::io(&dir))?;
                Ok(space)
            }
            Err(fit) if fit.is_empty() => {
                Err(Error::NoSpace { prefix: key_prefix.into(), there: there(&spaces) })
            }
            Err(fit) => Err(Error::AmbiguousSpace { prefix: key_prefix.into(), there: there(&fit) }),
        }
    }

    /// Writes a part of the space `key`, and gives where it stands.
    pub(crate) fn publish_part(&self, key: &str, hashes: &[TextHash], encoded: &Encoded) -> Result<PathBuf> {
        let dir = self.dir(key);
        let (name, bytes) =
            part::write(hashes, encoded).map_err(|source| Error::Parquet { path: dir.clone(), source })?;
        let path = dir.join(name);
        write_whole(&path, &bytes)?;
        Ok(path)
    }

    /// The directory of the space `key`.
    pub(crate) fn dir(&self, key: &str) -> PathBuf {
        self.root.join("spaces").join(key)
    }

    /// Sets a file of the space `key` aside under a name that is free.
    pub(crate) fn quarantine(&self, key: &str, path: &Path) -> Result<()> {
        let dir = self.root.join("quarantine");
        create_directory(&dir)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let free = (0_u64..)
            .map(|n| dir.join(if n == 0 { format!("{key}-{name}") } else { format!("{key}-{name}.{n}") }))
            .find(|to| fs::symlink_metadata(to).is_err());
        match fs::rename(path, free.unwrap_or_default()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io(path)(e)),
            _ => Ok(()),
        }
    }

    fn check(&self, space: String, part: PathBuf, dim: Option<usize>) -> Result<Option<Checked>> {
        let problem = match Part::open(&part, dim) {
            Ok(Opened::Gone) => return Ok(None),
            Ok(Opened::Whole(whole)) => {
                return Ok(Some(Checked { space, part, rows: whole.rows(), problem: None }));
            }
            Ok(Opened::Damaged(problem)) => problem,
            Err(e) => e.to_string(),
        };
        self.quarantine(&space, &part)?;
        Ok(Some(Checked { space, part, rows: 0, problem: Some(problem) }))
    }

    /// The names of the directories that can be spaces, in order.
    pub(crate) fn keys(&self) -> Result<Vec<String>> {
        let dir = self.root.join("spaces");
        let entries = match fs::read_dir(&dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::io(&dir))?,
        };
        let mut keys = Vec::new();
        for entry in entries {
            let name = entry.map_err(Error::io(&dir))?.file_name();
            let key = name.to_str().filter(|k| k.len() == 32 && k.bytes().all(|b| b.is_ascii_hexdigit()));
            keys.extend(key.filter(|key| self.dir(key).is_dir()).map(String::from));
        }
        keys.sort();
        Ok(keys)
    }
}

fn check_marker(path: PathBuf, bytes: &[u8]) -> Result<()> {
    match serde_json::from_slice::<Marker>(bytes) {
        Ok(Marker { schema: SCHEMA }) => Ok(()),
        Ok(Marker { schema }) => Err(Error::Schema { path, found: schema, supported: SCHEMA }),
        Err(e) => Err(Error::Description {
            path,
            expected: "the schema of the store around it",
            found: e.to_string(),
            cure: "delete the file if the directory is a store, or name another place for the store",
        }),
    }
}
