use super::client::{Client, Failure, unreachable};
use super::listing::{Content, Listed, hex};
use super::repo::Repo;
use crate::{Error, Result};
use manyview_core::Progress;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use ureq::Body;
use ureq::http::{Response, header};

const CHUNK: usize = 1 << 16;

impl Client {
    /// Fetches a file into `part`, going on where an earlier download stopped, and returns once its size and
    /// its hash are those the hub states.
    pub(super) fn download(
        &self,
        repo: &Repo,
        commit: &str,
        file: &Listed,
        part: &Path,
        progress: &dyn Progress,
    ) -> Result<()> {
        let url = repo.file_url(&self.endpoint, commit, &file.path);
        self.patiently(progress, || {
            let there = std::fs::metadata(part).map_or(0, |there| there.len());
            let have = if file.content().is_some() { there } else { 0 }; // what cannot be checked is not gone on with
            progress.begin(&format!("fetch {}", file.path), file.size.unwrap_or(0));
            if have == 0 || file.size != Some(have) {
                let answer = self.get(repo, &url, have)?;
                receive(answer, &url, part, have, progress)?;
            } else {
                progress.advance(have);
            }
            check(file, &url, part)
        })?;
        progress.end();
        Ok(())
    }
}

/// Appends the answer to the `have` bytes of `part`, or starts over where the server does.
fn receive(
    answer: Response<Body>,
    url: &str,
    part: &Path,
    have: u64,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let fail = |e| Failure::from(Error::io(part)(e));
    if answer.status().as_u16() == 416 {
        std::fs::remove_file(part).or_else(not_there).map_err(fail)?;
        let problem = "the hub has no more of this file than was fetched before".into();
        return Err(Failure::passing(Error::Answer { url: url.into(), problem }));
    }
    let resumes = answer.status().as_u16() == 206 && starts_at(&answer, have);
    if answer.status().as_u16() == 206 && !resumes {
        std::fs::remove_file(part).or_else(not_there).map_err(fail)?;
        let problem = "the hub sent another range than was asked for".into();
        return Err(Failure::passing(Error::Answer { url: url.into(), problem }));
    }
    let mut to = File::options()
        .create(true)
        .write(true)
        .truncate(!resumes)
        .append(resumes)
        .open(part)
        .map_err(fail)?;
    if resumes {
        progress.advance(have);
    }
    let mut from = answer.into_body().into_reader();
    let mut chunk = vec![0; CHUNK];
    loop {
        if progress.stopped() {
            to.sync_all().map_err(fail)?;
            return Err(Error::Core(manyview_core::Error::Interrupted).into());
        }
        match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => {
                to.write_all(&chunk[..n]).map_err(fail)?;
                progress.advance(n as u64);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(Failure::passing(unreachable(url, &e))),
        }
    }
    to.sync_all().map_err(fail)
}

fn starts_at(answer: &Response<Body>, have: u64) -> bool {
    let range = answer.headers().get(header::CONTENT_RANGE).and_then(|v| v.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {have}-")))
}

/// Compares `part` with what the hub states; a wrong one is removed, a short one is kept to go on with.
fn check(file: &Listed, url: &str, part: &Path) -> Result<(), Failure> {
    let fail = |e| Failure::from(Error::io(part)(e));
    let found = std::fs::metadata(part).map_err(fail)?.len();
    if let Some(size) = file.size.filter(|&size| found < size) {
        return Err(Failure::passing(unreachable(
            url,
            &format!("it broke off after {found} of {size} bytes"),
        )));
    }
    let wrong = match file.content() {
        Some(Content::Sha256(stated)) => {
            !stated.eq_ignore_ascii_case(&digest(Sha256::new(), part).map_err(fail)?)
        }
        Some(Content::Git(stated)) => {
            let start = Sha1::new().chain_update(format!("blob {found}\0"));
            !stated.eq_ignore_ascii_case(&digest(start, part).map_err(fail)?)
        }
        None => false,
    };
    if wrong || file.size.is_some_and(|size| size != found) {
        std::fs::remove_file(part).map_err(fail)?;
        let problem =
            format!("size or hash of {} differ from what the hub states; it was removed", file.path);
        return Err(Failure::passing(Error::Answer { url: url.into(), problem }));
    }
    Ok(())
}

/// The digest of what `hash` has seen and of the file after it.
fn digest<D: Digest>(mut hash: D, path: &Path) -> std::io::Result<String> {
    let (mut file, mut chunk) = (File::open(path)?, vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&chunk[..n]),
        }
    }
}

fn not_there(e: std::io::Error) -> std::io::Result<()> {
    if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) }
}
