use crate::Error;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The files of a commit.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Listing {
    #[serde(rename = "sha")]
    pub(super) commit: String,
    #[serde(rename = "siblings")]
    pub(super) files: Vec<Listed>,
}

/// A file as the hub describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Listed {
    #[serde(rename = "rfilename")]
    pub(super) path: String,
    #[serde(default)]
    pub(super) size: Option<u64>,
    #[serde(default, rename = "blobId")]
    blob_id: Option<String>,
    #[serde(default)]
    lfs: Option<Lfs>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Lfs {
    #[serde(default)]
    sha256: Option<String>,
}

/// A hash of a file's content, in hex digits.
pub(super) enum Content<'a> {
    /// Of a large file.
    Sha256(&'a str),
    /// Of a file that git keeps: SHA-1 after a word on its length.
    Git(&'a str),
}

impl Listing {
    /// What lies in a snapshot directory that someone else filled.
    pub(super) fn of_snapshot(commit: &str, dir: &Path) -> Self {
        let mut listing = Self { commit: commit.into(), files: Vec::new() };
        let mut open = vec![dir.to_path_buf()];
        while let Some(inner) = open.pop() {
            for entry in std::fs::read_dir(inner).into_iter().flatten().flatten().map(|e| e.path()) {
                if entry.is_dir() {
                    open.push(entry);
                } else if entry.is_file()
                    && let Ok(path) = entry.strip_prefix(dir)
                {
                    let path = path.to_string_lossy().replace('\\', "/");
                    listing.files.push(Listed { path, size: None, blob_id: None, lfs: None });
                }
            }
        }
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        listing
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// The listing itself if every path in it stays below the snapshot.
    pub(super) fn checked(self, url: &str) -> Result<Self, Error> {
        let safe = |path: &str| {
            !path.contains(['\\', ':', '\0']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
        };
        let wrong = |problem: String| Error::Answer { url: url.into(), problem };
        if !super::is_commit(&self.commit) {
            return Err(wrong(format!("expected a commit of 40 hex digits, found `{}`", self.commit)));
        }
        match self.files.iter().find(|file| !safe(&file.path)) {
            Some(file) => Err(wrong(format!("refused the path `{}`, which leaves the cache", file.path))),
            None => Ok(self),
        }
    }
}

impl Listed {
    /// What the hub states about the content.
    pub(super) fn content(&self) -> Option<Content<'_>> {
        let hex = |name: &&str, length| name.len() == length && name.bytes().all(|b| b.is_ascii_hexdigit());
        match &self.lfs {
            Some(lfs) => lfs.sha256.as_deref().filter(|name| hex(name, 64)).map(Content::Sha256),
            None => self.blob_id.as_deref().filter(|name| hex(name, 40)).map(Content::Git),
        }
    }

    /// The name of its content in the cache: the same that Python's client reads from the `ETag`.
    pub(super) fn blob(&self, commit: &str) -> String {
        match self.content() {
            Some(Content::Sha256(name) | Content::Git(name)) => name.into(),
            None => digest(format!("{commit}/{}", self.path).as_bytes()),
        }
    }
}

/// The SHA-256 of `bytes` in hex digits.
fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
