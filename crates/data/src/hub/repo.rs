use crate::{Error, Result};
use std::fmt;

/// A repository of the hub, `ORG/NAME` or `NAME`.
pub(super) struct Repo {
    name: String,
    kind: &'static str,
}

impl Repo {
    pub(super) fn model(name: &str) -> Result<Self> {
        Self::of("models", name)
    }

    pub(super) fn dataset(name: &str) -> Result<Self> {
        Self::of("datasets", name)
    }

    fn of(kind: &'static str, name: &str) -> Result<Self> {
        let repo = Self { name: name.into(), kind };
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let part = |p: &str| {
            !p.is_empty() && p.chars().all(legal) && !p.contains("..") && !p.contains("--") && p != "."
        };
        match name.split('/').count() <= 2 && name.split('/').all(part) {
            true => Ok(repo),
            false => {
                Err(repo.error("expected a name such as `ORG/NAME`, of letters, digits, `-`, `_` and `.`"))
            }
        }
    }

    /// The directory of the cache that holds it.
    pub(super) fn folder(&self) -> String {
        format!("{}--{}", self.kind, self.name.replace('/', "--"))
    }

    /// Where `revision` is described, with the sizes and hashes of its files.
    pub(super) fn listing_url(&self, endpoint: &str, revision: &str) -> String {
        format!("{endpoint}/api/{}/{}/revision/{}?blobs=true", self.kind, self.name, encoded(revision))
    }

    /// Where a file of a commit is.
    pub(super) fn file_url(&self, endpoint: &str, commit: &str, file: &str) -> String {
        let prefix = if self.kind == "datasets" { "datasets/" } else { "" };
        let file: Vec<String> = file.split('/').map(encoded).collect();
        format!("{endpoint}/{prefix}{}/resolve/{commit}/{}", self.name, file.join("/"))
    }

    /// A page of its API, such as `commit/main`.
    pub(super) fn api_url(&self, endpoint: &str, page: &str, revision: &str) -> String {
        format!("{endpoint}/api/{}/{}/{page}/{}", self.kind, self.name, encoded(revision))
    }

    /// What the API says of it as a whole.
    pub(super) fn about_url(&self, endpoint: &str) -> String {
        format!("{endpoint}/api/{}/{}", self.kind, self.name)
    }

    /// Where large files are announced before they are sent.
    pub(super) fn batch_url(&self, endpoint: &str) -> String {
        format!("{endpoint}/{}.git/info/lfs/objects/batch", self.name)
    }

    /// Organisation or user, and name, which a repository to write to must have.
    pub(super) fn owner_and_name(&self) -> Result<(&str, &str)> {
        let parts = self.name.split_once('/');
        parts.ok_or_else(|| self.error("expected `ORG/NAME`, the organisation or user as well"))
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> Error {
        Error::Repository { repo: self.name.clone(), problem: problem.into() }
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Whether a revision is a full commit hash, which never moves.
pub(super) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit())
}

/// One segment of an address, with everything but unreserved characters percent-encoded.
fn encoded(segment: &str) -> String {
    segment.bytes().fold(String::new(), |url, b| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            url + &char::from(b).to_string()
        }
        _ => url + &format!("%{b:02X}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encoded_segment_by_segment() {
        let repo = Repo::dataset("org/name").unwrap();
        assert_eq!(
            repo.listing_url("http://h", "refs/convert/parquet"),
            "http://h/api/datasets/org/name/revision/refs%2Fconvert%2Fparquet?blobs=true"
        );
        assert_eq!(
            repo.file_url("http://h", "c0", "a b/ü.csv"),
            "http://h/datasets/org/name/resolve/c0/a%20b/%C3%BC.csv"
        );
        assert_eq!(
            Repo::model("org/name").unwrap().file_url("http://h", "c0", "x"),
            "http://h/org/name/resolve/c0/x"
        );
    }

    #[test]
    fn names_that_leave_the_cache_are_refused() {
        for bad in ["", "../x", "a/..", "a/b/c", "/a", "a/", "a b", "a\\b", "a--b/c", "."] {
            assert!(Repo::model(bad).is_err(), "{bad}");
        }
        assert_eq!(Repo::model("gpt2").unwrap().folder(), "models--gpt2");
    }
}
