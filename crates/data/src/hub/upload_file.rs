use super::listing::hex;
use super::repo::Repo;
use crate::{Error, Result};
use manyview_core::Progress;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// As much of a file as the hub looks at to tell text from bytes.
const SAMPLE: u64 = 512;

/// A file to send, and its path in the repository.
pub(super) struct LocalFile {
    pub(super) path: String,
    pub(super) place: PathBuf,
    pub(super) size: u64,
}

impl LocalFile {
    /// The files below `dir`, sorted by path; hidden ones stay here.
    pub(super) fn below(dir: &Path, repo: &Repo) -> Result<Vec<Self>> {
        let (mut files, mut open) = (Vec::new(), vec![(dir.to_path_buf(), String::new())]);
        while let Some((dir, prefix)) = open.pop() {
            for entry in std::fs::read_dir(&dir).map_err(Error::io(&dir))? {
                let entry = entry.map_err(Error::io(&dir))?;
                let place = entry.path();
                let name = entry.file_name().into_string().map_err(|name| {
                    Error::file(&place, format!("expected a name in UTF-8, found {name:?}; rename it"))
                })?;
                let kind = entry.file_type().map_err(Error::io(&place))?;
                if name.starts_with('.') {
                    continue;
                } else if kind.is_dir() {
                    open.push((place, format!("{prefix}{name}/")));
                } else {
                    let size = std::fs::metadata(&place).map_err(Error::io(&place))?.len();
                    files.push(Self { path: format!("{prefix}{name}"), place, size });
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        match files.is_empty() {
            true => Err(repo.error(format!("expected files to push in {}, found none", dir.display()))),
            false => Ok(files),
        }
    }

    pub(super) fn open(&self) -> Result<File> {
        File::open(&self.place).map_err(Error::io(&self.place))
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        std::fs::read(&self.place).map_err(Error::io(&self.place))
    }

    /// Its first bytes.
    pub(super) fn sample(&self) -> Result<Vec<u8>> {
        let mut sample = Vec::new();
        self.open()?.take(SAMPLE).read_to_end(&mut sample).map_err(Error::io(&self.place))?;
        Ok(sample)
    }

    /// What large files are named by.
    pub(super) fn sha256(&self) -> Result<String> {
        self.digest(Sha256::new())
    }

    /// What git names the content of other files by.
    pub(super) fn git_sha1(&self) -> Result<String> {
        self.digest(Sha1::new().chain_update(format!("blob {}\0", self.size)))
    }

    fn digest(&self, mut hash: impl Digest) -> Result<String> {
        let (mut file, mut chunk) = (self.open()?, vec![0; 1 << 16]);
        loop {
            match file.read(&mut chunk).map_err(Error::io(&self.place))? {
                0 => return Ok(hex(&hash.finalize())),
                n => hash.update(&chunk[..n]),
            }
        }
    }
}

/// Reads a file as it is sent: tells how far it is, and breaks off when asked to stop.
pub(super) struct Sent<'a> {
    pub(super) file: File,
    pub(super) progress: &'a dyn Progress,
}

impl Read for Sent<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.progress.stopped() {
            return Err(io::Error::other("interrupted"));
        }
        let n = self.file.read(into)?;
        self.progress.advance(n as u64);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `git hash-object` and `sha256sum` of the same file.
    #[test]
    fn content_has_the_names_that_git_and_lfs_give_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x"), "what is up, doc?").unwrap();
        let files = LocalFile::below(dir.path(), &Repo::model("org/name").unwrap()).unwrap();
        assert_eq!(files[0].git_sha1().unwrap(), "bd9dbf5aae1a3862dd1526723246b20206e5fc37");
        let sha256 = files[0].sha256().unwrap();
        assert_eq!(sha256, "af4e812d13b4eae6da91024f15f7679dae49d40aee3fb4c7216b56d04193f46c");
    }

    #[test]
    fn hidden_files_stay_here_and_an_empty_directory_is_refused() {
        let (dir, repo) = (tempfile::tempdir().unwrap(), Repo::model("org/name").unwrap());
        std::fs::write(dir.path().join(".token"), "secret").unwrap();
        let e = LocalFile::below(dir.path(), &repo).err().unwrap().to_string();
        assert!(e.contains("found none"), "{e}");
        std::fs::create_dir(dir.path().join("b")).unwrap();
        for name in ["b/x", "a", "c"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        let paths: Vec<_> =
            LocalFile::below(dir.path(), &repo).unwrap().into_iter().map(|file| file.path).collect();
        assert_eq!(paths, ["a", "b/x", "c"]);
    }
}
