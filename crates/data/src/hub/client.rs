use super::address::{moved, same_origin};
use super::listing::Listing;
use super::repo::Repo;
use crate::{Error, Result};
use manyview_core::Progress;
use std::time::{Duration, Instant};
use ureq::http::{Response, header};
use ureq::{Agent, Body};

/// Speaks HTTP with the hub, and tries again where that may help.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) agent: Agent,
    pub(super) endpoint: String,
    pub(super) token: Option<String>,
    pub(super) delay: Duration,
}

/// Why a try failed, and whether to try again, and after how long at the least.
pub(super) struct Failure {
    error: Error,
    again: Option<Duration>,
}

impl Failure {
    pub(super) fn passing(error: Error) -> Self {
        Self { error, again: Some(Duration::ZERO) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, again: None }
    }
}

impl Client {
    const TRIES: u32 = 5;
    const LONGEST_WAIT: Duration = Duration::from_secs(30);
    const MOST_REDIRECTS: usize = 10;
    const LARGEST_LISTING: u64 = 64 << 20;

    pub(super) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0) // we follow them, for we know whom the token is for
            .accept_encoding("identity")
            .user_agent(concat!("manyview/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .timeout_per_read(Some(Duration::from_secs(30)));
        Self {
            agent: config.build().into(),
            endpoint: "https://huggingface.co".into(),
            token: None,
            delay: Duration::from_millis(300),
        }
    }

    /// What the hub holds at `revision`.
    pub(super) fn listing(&self, repo: &Repo, revision: &str, progress: &dyn Progress) -> Result<Listing> {
        let url = repo.listing_url(&self.endpoint, revision);
        let listing = self.patiently(progress, || {
            let mut answer = self.get(repo, &url, 0)?;
            let text = answer.body_mut().with_config().limit(Self::LARGEST_LISTING).read_to_string();
            text.map_err(|e| Failure::passing(unreachable(&url, &e)))
        })?;
        let wrong = |e| Error::Answer {
            url: url.clone(),
            problem: format!("not a description of a repository: {e}"),
        };
        serde_json::from_str::<Listing>(&listing).map_err(wrong)?.checked(&url)
    }

    /// Asks for `url` from byte `from` on, and where it sends us, each place of another origin without the token;
    /// answers other than 200, 206 and 416 are failures.
    pub(super) fn get(&self, repo: &Repo, url: &str, from: u64) -> Result<Response<Body>, Failure> {
        let mut place = url.to_string();
        for _ in 0..=Self::MOST_REDIRECTS {
            let mut request = self.agent.get(&place);
            if let Some((name, token)) = self.token_for(&place) {
                request = request.header(name, token);
            }
            if from > 0 {
                request = request.header(header::RANGE, format!("bytes={from}-"));
            }
            let answer = request.call().map_err(|e| failed(url, e))?;
            place = match answer.status().as_u16() {
                200 | 206 | 416 => return Ok(answer),
                301 | 302 | 303 | 307 | 308 => moved(&place, &answer)?,
                status => return Err(self.refusal(repo, url, status, &answer)),
            };
        }
        let problem = format!("sent to other places more than {} times", Self::MOST_REDIRECTS);
        Err(Error::Answer { url: url.into(), problem }.into())
    }

    /// The header with the token, for addresses of the hub itself and no others.
    pub(super) fn token_for(&self, url: &str) -> Option<(String, String)> {
        let token = self.token.as_ref().filter(|_| same_origin(url, &self.endpoint))?;
        Some((header::AUTHORIZATION.to_string(), format!("Bearer {token}")))
    }

    /// What an answer other than the expected ones means, and whether to ask again.
    fn refusal(&self, repo: &Repo, url: &str, status: u16, answer: &Response<Body>) -> Failure {
        let problem = match status {
            401 if self.token.is_some() => "the token is not valid here; make a new one and set HF_TOKEN",
            401 => {
                "the name is wrong, or the repository is private or gated; check the name, or set HF_TOKEN"
            }
            403 => {
                "the repository is gated or private; accept its terms on its page, then set HF_TOKEN to a token with \
                    access"
            }
            404 => "no such repository, revision or file; check the name and the revision",
            408 | 429 | 500..=599 => return busy(url, answer),
            _ => {
                let problem = format!("unexpected status {status}");
                return Error::Answer { url: url.into(), problem }.into();
            }
        };
        Error::Refused { repo: repo.to_string(), status, url: url.into(), problem: problem.into() }.into()
    }

    /// Tries a few times, with longer and longer waits between, unless told to stop.
    pub(super) fn patiently<T>(
        &self,
        progress: &dyn Progress,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T> {
        let mut tries = 1;
        loop {
            match attempt() {
                Ok(done) => return Ok(done),
                Err(Failure { error, again: Some(wait) }) if tries < Self::TRIES => {
                    tracing::debug!("try {tries}: {error}");
                    let backoff = self.delay * 2u32.pow(tries - 1);
                    pause(backoff.max(wait).min(Self::LONGEST_WAIT), progress)?;
                    tries += 1;
                }
                Err(Failure { error, .. }) => return Err(error),
            }
        }
    }
}

/// A request that got no answer; some may go better the next time.
pub(super) fn failed(url: &str, e: ureq::Error) -> Failure {
    let error = unreachable(url, &e);
    match e {
        ureq::Error::Timeout(_) | ureq::Error::Io(_) | ureq::Error::Protocol(_) => Failure::passing(error),
        _ => error.into(),
    }
}

/// An answer that asks for patience.
pub(super) fn busy(url: &str, answer: &Response<Body>) -> Failure {
    let problem = format!("the hub answers {}", answer.status().as_u16());
    Failure { error: Error::Unreachable { url: url.into(), problem }, again: Some(asked_to_wait(answer)) }
}

pub(super) fn unreachable(url: &str, e: &dyn std::fmt::Display) -> Error {
    Error::Unreachable { url: url.into(), problem: e.to_string() }
}

fn asked_to_wait(answer: &Response<Body>) -> Duration {
    let seconds = answer.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

fn pause(length: Duration, progress: &dyn Progress) -> Result<()> {
    let until = Instant::now() + length;
    while !progress.stopped() {
        match until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return Ok(()),
            left => std::thread::sleep(left.min(Duration::from_millis(50))),
        }
    }
    Err(manyview_core::Error::Interrupted.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_for_the_origin_of_the_hub_alone() {
        let mut client = Client::new();
        client.token = Some("hf_secret".into());
        for url in ["https://huggingface.co/x", "https://HUGGINGFACE.co:443/y?z"] {
            assert!(client.token_for(url).is_some(), "{url}");
        }
        for url in [
            "http://huggingface.co/x",
            "https://huggingface.co:444/x",
            "https://huggingface.co.evil.org/x",
            "https://evil.org/huggingface.co",
            "https://huggingface.co@evil.org/",
            "//huggingface.co/x",
            "",
        ] {
            assert!(client.token_for(url).is_none(), "{url}");
        }
    }
}
