use super::client::{Client, Failure, busy, failed, unreachable};
use super::repo::Repo;
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use ureq::http::{Response, header};
use ureq::{AsSendBody, Body, RequestExt};

/// The type of a JSON body.
pub(super) const JSON: &str = "application/json";
/// The hub may think about a commit for a while.
const PATIENCE: Duration = Duration::from_secs(120);
/// As much of an answer as is read.
const LARGEST_ANSWER: u64 = 8 << 20;

/// A request that changes something. It follows no redirect: what is sent must not end up elsewhere.
pub(super) struct Write<'a> {
    pub(super) method: &'static str,
    pub(super) url: &'a str,
    /// Headers; a token is one of them only where it may be sent.
    pub(super) headers: Vec<(String, String)>,
}

impl<'a> Write<'a> {
    pub(super) fn post(url: &'a str, content_type: &str) -> Self {
        Self { method: "POST", url, headers: vec![("content-type".into(), content_type.into())] }
    }

    pub(super) fn with(mut self, headers: impl IntoIterator<Item = (String, String)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

impl Client {
    /// Sends a body; an answer other than 2xx and those `fine` is a failure.
    pub(super) fn write(
        &self,
        repo: &Repo,
        write: &Write,
        body: impl AsSendBody,
        fine: &[u16],
    ) -> Result<Response<Body>, Failure> {
        let url = write.url;
        let mut request = ureq::http::Request::builder().method(write.method).uri(url);
        for (name, value) in &write.headers {
            request = request.header(name, value);
        }
        let unusable = |e: ureq::http::Error| Error::Answer { url: url.into(), problem: e.to_string() };
        let request = request.body(body).map_err(unusable)?;
        let request = request.with_agent(&self.agent).configure();
        let answer = request.timeout_recv_response(Some(PATIENCE)).run().map_err(|e| failed(url, e))?;
        let status = answer.status().as_u16();
        match status {
            200..=299 => Ok(answer),
            _ if fine.contains(&status) => Ok(answer),
            408 | 429 | 500..=599 => Err(busy(url, &answer)),
            300..=399 => {
                let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
                let problem = format!("moved to {}; name that repository", to.unwrap_or("another place"));
                Err(Error::Answer { url: url.into(), problem }.into())
            }
            _ => Err(self.forbidden(repo, url, status, answer)),
        }
    }

    /// Sends JSON and reads JSON, several times where that may help.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        repo: &Repo,
        write: &Write,
        body: &Value,
        progress: &dyn manyview_core::Progress,
    ) -> Result<T> {
        let body = body.to_string();
        let text = self.patiently(progress, || {
            let answer = self.write(repo, write, body.as_str(), &[])?;
            read(answer, write.url)
        })?;
        parsed(&text, write.url)
    }

    fn forbidden(&self, repo: &Repo, url: &str, status: u16, answer: Response<Body>) -> Failure {
        let cure = match status {
            401 => "the token is not valid here; make one that may write, and set HF_TOKEN",
            403 => {
                "the token may not write there; make one that may, or name another place, and set HF_TOKEN"
            }
            404 => "no such repository or branch, or the token does not show it; check the name and HF_TOKEN",
            _ => "the hub refuses it",
        };
        let said = said(answer).map(|said| format!(" (the hub says: {said})")).unwrap_or_default();
        let problem = format!("{cure}{said}");
        Error::Refused { repo: repo.to_string(), status, url: url.into(), problem }.into()
    }
}

/// The text of an answer.
pub(super) fn read(mut answer: Response<Body>, url: &str) -> Result<String, Failure> {
    let text = answer.body_mut().with_config().limit(LARGEST_ANSWER).read_to_string();
    text.map_err(|e| Failure::passing(unreachable(url, &e)))
}

/// An answer as what it should be.
pub(super) fn parsed<T: DeserializeOwned>(text: &str, url: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|e| Error::Answer { url: url.into(), problem: format!("not the answer of a hub: {e}") })
}

/// What the hub gives as its reason, on one line.
fn said(answer: Response<Body>) -> Option<String> {
    let text = read(answer, "").ok()?;
    let reason = serde_json::from_str::<Value>(&text).ok()?.get("error")?.as_str()?.to_string();
    Some(reason.chars().filter(|c| !c.is_control()).take(200).collect())
}
