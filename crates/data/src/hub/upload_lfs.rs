//! Large files: announced under their SHA-256, then sent to where the hub says, which need not be the hub.
use super::client::{Client, Failure};
use super::repo::Repo;
use super::upload_file::{LocalFile, Sent};
use super::upload_request::Write;
use crate::{Error, Result};
use manyview_core::Progress;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use ureq::SendBody;

const LFS: &str = "application/vnd.git-lfs+json";
/// The most that storage takes in one request.
const LARGEST: u64 = 5_000_000_000;

#[derive(Deserialize)]
struct Batch {
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    #[serde(default)]
    actions: Option<Actions>,
    #[serde(default)]
    error: Option<Problem>,
}

#[derive(Deserialize)]
struct Actions {
    upload: Option<Action>,
    verify: Option<Action>,
}

#[derive(Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Problem {
    message: String,
}

impl Client {
    /// Sends those of the files, each with its SHA-256, that the hub does not have; gives their number.
    pub(super) fn send_large(
        &self,
        repo: &Repo,
        revision: &str,
        files: &[(&LocalFile, String)],
        progress: &dyn Progress,
    ) -> Result<usize> {
        if let Some((file, _)) = files.iter().find(|(file, _)| file.size > LARGEST) {
            let problem = format!(
                "expected files of at most {LARGEST} bytes, found {} of {}; push it with `hf upload`",
                file.path, file.size
            );
            return Err(repo.error(problem));
        }
        let url = repo.batch_url(&self.endpoint);
        let objects: Vec<_> =
            files.iter().map(|(file, oid)| json!({"oid": oid, "size": file.size})).collect();
        let announced = json!({
            "operation": "upload",
            "transfers": ["basic"],
            "hash_algo": "sha256",
            "ref": {"name": revision},
            "objects": objects,
        });
        let accept = ("accept".to_string(), LFS.to_string());
        let write = Write::post(&url, LFS).with([accept]).with(self.token_for(&url));
        let batch: Batch = self.ask(repo, &write, &announced, progress)?;
        let mut sent = 0;
        for (file, oid) in files {
            let Some(object) = batch.objects.iter().find(|object| object.oid == *oid) else {
                let problem = format!("says nothing of {}, which it was to be sent", file.path);
                return Err(Error::Answer { url, problem });
            };
            if let Some(problem) = &object.error {
                return Err(repo.error(format!("the hub does not take {}: {}", file.path, problem.message)));
            }
            let Some(actions) = &object.actions else { continue };
            if let Some(upload) = &actions.upload {
                self.patiently(progress, || self.send(repo, file, upload, progress))?;
                sent += 1;
            }
            if let Some(verify) = &actions.verify {
                self.patiently(progress, || self.verify(repo, file, oid, verify))?;
            }
        }
        Ok(sent)
    }

    /// One file to storage. What it may need to be let in is in the address and the headers the hub gave.
    fn send(
        &self,
        repo: &Repo,
        file: &LocalFile,
        to: &Action,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        progress.begin(&format!("push {}", file.path), file.size);
        let mut from = Sent { file: file.open()?, progress };
        let length = ("content-length".to_string(), file.size.to_string());
        let headers = to.header.clone().into_iter().chain([length]).collect();
        let write = Write { method: "PUT", url: &to.href, headers };
        let done = self.write(repo, &write, SendBody::from_reader(&mut from), &[]);
        progress.end();
        match done {
            Err(_) if progress.stopped() => Err(Error::Core(manyview_core::Error::Interrupted).into()),
            done => done.map(drop),
        }
    }

    fn verify(&self, repo: &Repo, file: &LocalFile, oid: &str, at: &Action) -> Result<(), Failure> {
        let body = json!({"oid": oid, "size": file.size}).to_string();
        let let_in = at.header.keys().any(|name| name.eq_ignore_ascii_case("authorization"));
        let token = self.token_for(&at.href).filter(|_| !let_in);
        let write = Write::post(&at.href, LFS).with(at.header.clone()).with(token);
        self.write(repo, &write, body.as_str(), &[]).map(drop)
    }
}
