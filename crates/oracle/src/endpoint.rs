use crate::retry_after::retry_after;
use crate::rubric::start;
use crate::wire::{Format, Message, Request, Response};
use crate::{Answer, Error, Failure, Key, Oracle, Prompt, Question, Result, Rubric, Usage};
use manyview_core::Fingerprint;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use ureq::http::header;
use ureq::{Agent, Body, http};

/// What to ask, and how.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Where the server's API begins, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The name of the model.
    pub model: String,
    /// What lets in; none where nothing is needed.
    pub key: Option<Key>,
    /// How freely the model chooses its words; 0 for the likeliest ones.
    pub temperature: f64,
    /// Most tokens of an answer.
    pub max_tokens: u32,
    /// How long to wait for a whole answer.
    pub timeout: Duration,
    /// Whether to ask for a JSON object by `response_format`, which not every server knows.
    pub json: bool,
}

/// A language model behind a server that speaks OpenAI's chat completions.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    prompt: Prompt,
    rubric: Rubric,
    url: String,
    agent: Agent,
}

impl Endpoint {
    const CONNECT: Duration = Duration::from_secs(10);
    const LARGEST_ANSWER: u64 = 1 << 20;

    /// Takes the address of a server; nothing is sent.
    ///
    /// # Errors
    /// [`Error::Setting`] for an address, a key or a number that cannot be used.
    pub fn new(config: EndpointConfig, prompt: Prompt, rubric: Rubric) -> Result<Self> {
        let host = host(&config.base_url)?;
        let local = is_local(host);
        if let Some(key) = &config.key {
            if key.is_unfit() {
                return Err(Error::setting(
                    "key",
                    "expected letters, digits and signs, found none or others; correct it",
                ));
            }
            if !local && !config.base_url.starts_with("https://") {
                let problem = "expected https:// for a server elsewhere that is shown a key, found http://";
                return Err(Error::setting("base_url", problem));
            }
        }
        if !config.temperature.is_finite() || config.temperature < 0.0 {
            let problem = format!("expected a number from 0, found {}", config.temperature);
            return Err(Error::setting("temperature", problem));
        }
        let mut agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("manyview/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(config.timeout.min(Self::CONNECT)))
            .timeout_connect(Some(config.timeout.min(Self::CONNECT)))
            .timeout_global(Some(config.timeout));
        if local {
            agent = agent.proxy(None);
        }
        let url = format!("{}/chat/completions", config.base_url.trim_end_matches('/'));
        Ok(Self { agent: agent.build().into(), config, prompt, rubric, url })
    }

    fn send(&self, question: &Question) -> Result<http::Response<Body>, ureq::Error> {
        let words = self.prompt.of(question);
        let mut post = self.agent.post(&self.url);
        if let Some(key) = &self.config.key {
            post = post.header(header::AUTHORIZATION, key.authorization());
        }
        post.send_json(self.request(&words))
    }

    fn request<'a>(&'a self, words: &'a str) -> Request<'a> {
        Request {
            model: &self.config.model,
            messages: [Message { role: "user", content: words }],
            temperature: self.config.temperature,
            max_tokens: self.config.max_tokens,
            response_format: self.config.json.then_some(Format { kind: "json_object" }),
        }
    }

    /// That the question got no answer, or only a part of one.
    fn broken_off(&self, e: &ureq::Error) -> Failure {
        use ureq::Error as E;
        use ureq::Timeout::{Connect, Resolve};
        let refused = matches!(e, E::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused);
        let unsent = refused
            || matches!(e, E::ConnectionFailed | E::HostNotFound | E::Timeout(Connect | Resolve) | E::Tls(_));
        Failure::Retryable { error: self.unreachable(e.to_string()), after: None, sent: !unsent }
    }

    fn unreachable(&self, problem: String) -> Error {
        Error::Unreachable { oracle: self.url.clone(), problem: self.redact(problem) }
    }

    fn redact(&self, text: String) -> String {
        match &self.config.key {
            Some(key) => key.redact(&text),
            None => text,
        }
    }

    /// What a status other than a good one means.
    fn refusal(&self, status: u16, after: Option<Duration>, body: &str) -> Failure {
        let problem = self.redact(words(body));
        if matches!(status, 408 | 409 | 425 | 429 | 500..=599) {
            let error = self.unreachable(format!("status {status}: {problem}"));
            // A gateway that timed out had passed the question on.
            return Failure::Retryable { error, after, sent: status == 504 };
        }
        let cure = match status {
            400 | 413 | 422 => "shorten the text, or correct the model's settings",
            401 | 403 => "check the key and what it may do",
            402 => "add credit",
            404 => "check base_url and model",
            _ => "check base_url, which must be the server itself",
        };
        let error = Error::Refused { oracle: self.url.clone(), status, problem, cure: cure.into() };
        match status {
            400 | 413 | 422 => Failure::Unanswerable(error),
            _ => Failure::Fatal(error),
        }
    }

    fn read(&self, body: &str) -> Result<Answer, Failure> {
        let unusable = |found: String, usage: Option<Usage>| Failure::Unusable {
            error: Error::Answer {
                oracle: self.url.clone(),
                expected: self.rubric.expected(),
                found: self.redact(found),
            },
            usage,
        };
        let response: Response =
            serde_json::from_str(body).map_err(|e| unusable(format!("{:?} ({e})", start(body)), None))?;
        let usage = response.usage;
        let Some(choice) = response.choices.into_iter().next() else {
            return Err(unusable(format!("no choice in {:?}", start(body)), usage));
        };
        let text = choice.message.and_then(|message| message.content).unwrap_or_default();
        match self.rubric.scores(&text) {
            Ok(scores) => Ok(Answer { scores, usage }),
            Err(found) if choice.finish_reason.as_deref() == Some("length") => Err(unusable(
                format!("an answer cut after {} tokens: {found}; raise max_tokens", self.config.max_tokens),
                usage,
            )),
            Err(found) => Err(unusable(found, usage)),
        }
    }
}

impl Oracle for Endpoint {
    fn fingerprint(&self) -> Fingerprint {
        let EndpointConfig { base_url, model, temperature, max_tokens, json, .. } = &self.config;
        let of = Fingerprint::builder("endpoint/1")
            .field("base_url", base_url.trim_end_matches('/').as_bytes())
            .field("model", model.as_bytes())
            .field("temperature", &temperature.to_bits().to_le_bytes())
            .field("max_tokens", &max_tokens.to_le_bytes())
            .field("json", &[u8::from(*json)])
            .field("prompt", self.prompt.fingerprint().as_str().as_bytes());
        let of = self.rubric.dimensions.iter().fold(of, |of, name| of.field("dimension", name.as_bytes()));
        self.rubric
            .range
            .iter()
            .fold(of, |of, bound| of.field("range", &bound.to_bits().to_le_bytes()))
            .finish()
    }

    /// A token covers at least a byte of the request.
    fn largest_usage(&self, question: &Question) -> Option<Usage> {
        let prompt_tokens = serde_json::to_vec(&self.request(&self.prompt.of(question))).ok()?.len() as u64;
        Some(Usage { prompt_tokens, completion_tokens: self.config.max_tokens.into() })
    }

    fn ask(&self, question: &Question) -> Result<Answer, Failure> {
        let mut response = self.send(question).map_err(|e| self.broken_off(&e))?;
        let status = response.status().as_u16();
        let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|value| retry_after(value, SystemTime::now()));
        let body = response.body_mut().with_config().limit(Self::LARGEST_ANSWER).read_to_string();
        match status {
            200..=299 => self.read(&body.map_err(|e| self.broken_off(&e))?),
            _ => Err(self.refusal(status, after, &body.unwrap_or_default())),
        }
    }
}

/// What a refusal says: the message of an error as OpenAI forms it, or the first words of whatever page it is.
fn words(body: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    match answer.pointer("/error/message").and_then(serde_json::Value::as_str) {
        Some(message) => start(message),
        None => start(body),
    }
}

/// The host of an address, with its port.
fn host(url: &str) -> Result<&str> {
    // Before a `@` a password may stand, which no message may show.
    let fail = |problem: &str| {
        Err(Error::setting("base_url", format!("expected http:// or https:// and a host, found {problem}")))
    };
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split('/').next().unwrap_or_default();
    match scheme {
        "http" | "https" if rest.contains('@') => fail("a user or password; name the key in key_env"),
        "http" | "https" if rest.contains(['?', '#']) => fail("`?` or `#`; leave it out"),
        "http" | "https" if url.contains(|c: char| c.is_whitespace() || c.is_control()) => fail("a space"),
        "http" | "https" if !host.is_empty() && !host.starts_with(':') => Ok(host),
        "http" | "https" => fail("no host"),
        _ => fail("another scheme"),
    }
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
