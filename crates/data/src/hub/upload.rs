use super::Hub;
use super::client::{Client, Failure};
use super::repo::{Repo, is_commit};
use super::upload_file::LocalFile;
use super::upload_request::{JSON, Write, parsed, read};
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use manyview_core::Progress;
use serde::Deserialize;
use serde_json::json;
use std::path::Path;

const NDJSON: &str = "application/x-ndjson";

/// Where a directory goes to, and how.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The repository, `ORG/NAME`; it is made where there is none.
    pub repo: String,
    /// The branch; it is made where there is none.
    pub revision: String,
    /// Whether nobody else may see it. An upload to a repository that everyone sees is then refused.
    pub private: bool,
    /// What the commit says of itself.
    pub message: String,
}

/// What an upload did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The commit that holds the files: a new one, or the one there was when nothing had changed.
    pub commit: String,
    /// Its page.
    pub url: String,
    /// Files of the commit that are new or changed.
    pub changed: usize,
}

/// How the hub wants a file.
#[derive(Deserialize)]
struct Wanted {
    path: String,
    #[serde(rename = "uploadMode")]
    mode: String,
    #[serde(default, rename = "shouldIgnore")]
    ignored: bool,
    /// What it has under that path: SHA-256 of large files, git's SHA-1 of others.
    #[serde(default)]
    oid: Option<String>,
}

#[derive(Deserialize)]
struct Preupload {
    files: Vec<Wanted>,
}

#[derive(Deserialize)]
struct Committed {
    #[serde(rename = "commitOid")]
    commit: String,
}

#[derive(Deserialize)]
struct About {
    private: bool,
}

/// A file that the hub does not have yet.
struct Change<'a> {
    file: &'a LocalFile,
    oid: String,
    large: bool,
}

impl Hub {
    /// Sends the files below `dir`, hidden ones left out, as one commit: all of them or none. Content that the hub has
    /// already is not sent again, and without a change there is no commit. Files that are only on the hub stay there.
    ///
    /// # Errors
    /// [`Error::Repository`] without a token, without network, or for a name that is none; [`Error::Refused`],
    /// [`Error::Unreachable`], [`Error::Answer`], files that cannot be read, or an interruption.
    pub fn upload(&self, dir: &Path, upload: &Upload, progress: &dyn Progress) -> Result<Uploaded> {
        let (client, repo) = (&self.client, Repo::model(&upload.repo)?);
        repo.owner_and_name()?;
        if self.offline {
            return Err(repo.error("the network may not be used; unset HF_HUB_OFFLINE to push"));
        }
        if client.token.is_none() {
            return Err(repo.error("expected a token that may write, found none; set HF_TOKEN"));
        }
        let files = LocalFile::below(dir, &repo)?;
        client.make_repository(&repo, upload, progress)?;
        client.make_branch(&repo, &upload.revision, progress)?;
        let (commit, changed) = client.patiently(progress, || {
            // After a commit whose answer was lost, the next try finds nothing to change.
            let changes = client.changes(&repo, upload, &files, progress)?;
            if changes.is_empty() {
                return Ok((client.listing(&repo, &upload.revision, progress)?.commit, 0));
            }
            let large: Vec<_> = changes.iter().filter(|c| c.large).map(|c| (c.file, c.oid.clone())).collect();
            if !large.is_empty() {
                client.send_large(&repo, &upload.revision, &large, progress)?;
            }
            Ok((client.commit(&repo, upload, &changes)?, changes.len()))
        })?;
        Ok(Uploaded { url: format!("{}/{repo}/tree/{commit}", client.endpoint), commit, changed })
    }
}

impl Client {
    /// Makes the repository, or finds it there.
    fn make_repository(&self, repo: &Repo, upload: &Upload, progress: &dyn Progress) -> Result<()> {
        let (organization, name) = repo.owner_and_name()?;
        let url = format!("{}/api/repos/create", self.endpoint);
        let mut body = json!({"type": "model", "organization": organization, "name": name});
        if upload.private {
            body["private"] = true.into();
            body["visibility"] = "private".into();
        }
        let write = Write::post(&url, JSON).with(self.token_for(&url));
        let body = body.to_string();
        let made = self.patiently(progress, || self.write(repo, &write, body.as_str(), &[409]).map(drop));
        let about = || -> Result<About> {
            let url = repo.about_url(&self.endpoint);
            let text =
                self.patiently(progress, || self.get(repo, &url, 0).and_then(|answer| read(answer, &url)))?;
            parsed(&text, &url)
        };
        match made {
            // A token for one repository alone may write to it, and not make it.
            Err(e @ Error::Refused { status: 403, .. }) if about().is_err() => return Err(e),
            Err(Error::Refused { status: 403, .. }) | Ok(()) => {}
            Err(e) => return Err(e),
        }
        match upload.private && !about()?.private {
            false => Ok(()),
            true => Err(repo.error(
                "expected a private repository, found one that everyone sees; make it private on its page, or push \
                 without --private",
            )),
        }
    }

    fn make_branch(&self, repo: &Repo, revision: &str, progress: &dyn Progress) -> Result<()> {
        if revision == "main" || revision.starts_with("refs/") {
            return Ok(());
        }
        let url = repo.api_url(&self.endpoint, "branch", revision);
        let write = Write::post(&url, JSON).with(self.token_for(&url));
        self.patiently(progress, || self.write(repo, &write, "{}", &[409]).map(drop))
    }

    /// The files that the hub lacks or has otherwise.
    fn changes<'a>(
        &self,
        repo: &Repo,
        upload: &Upload,
        files: &'a [LocalFile],
        progress: &dyn Progress,
    ) -> Result<Vec<Change<'a>>> {
        const AT_ONCE: usize = 256;
        let url = repo.api_url(&self.endpoint, "preupload", &upload.revision);
        let write = Write::post(&url, JSON).with(self.token_for(&url));
        let mut changes = Vec::new();
        for files in files.chunks(AT_ONCE) {
            let mut described = Vec::new();
            for file in files {
                let sample = STANDARD.encode(file.sample()?);
                described.push(json!({"path": file.path, "size": file.size, "sample": sample}));
            }
            let answer: Preupload = self.ask(repo, &write, &json!({"files": described}), progress)?;
            for file in files {
                let Some(wanted) = answer.files.iter().find(|wanted| wanted.path == file.path) else {
                    let problem = format!("says nothing of {}, which it was to be sent", file.path);
                    return Err(Error::Answer { url, problem });
                };
                let large = wanted.mode == "lfs" && file.size > 0; // storage takes nothing empty
                let oid = if large { file.sha256()? } else { file.git_sha1()? };
                if !wanted.ignored && wanted.oid.as_ref() != Some(&oid) {
                    changes.push(Change { file, oid, large });
                }
            }
        }
        Ok(changes)
    }

    /// Makes the commit; gives its hash.
    fn commit(&self, repo: &Repo, upload: &Upload, changes: &[Change]) -> Result<String, Failure> {
        let url = repo.api_url(&self.endpoint, "commit", &upload.revision);
        let header = json!({"key": "header", "value": {"summary": upload.message, "description": ""}});
        let mut lines = format!("{header}\n");
        for Change { file, oid, large } in changes {
            let line = match large {
                true => json!({
                    "key": "lfsFile",
                    "value": {"path": file.path, "algo": "sha256", "oid": oid, "size": file.size},
                }),
                false => json!({
                    "key": "file",
                    "value": {"path": file.path, "encoding": "base64", "content": STANDARD.encode(file.bytes()?)},
                }),
            };
            lines += &format!("{line}\n");
        }
        let write = Write::post(&url, NDJSON).with(self.token_for(&url));
        let answer = self.write(repo, &write, lines.as_str(), &[])?;
        let commit = parsed::<Committed>(&read(answer, &url)?, &url)?.commit;
        match is_commit(&commit) {
            true => Ok(commit),
            false => {
                let problem = format!("expected a commit of 40 hex digits, found `{commit}`");
                Err(Error::Answer { url, problem }.into())
            }
        }
    }
}
