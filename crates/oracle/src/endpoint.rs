use crate::address::Address;
use crate::refusal::{self, Sent};
use crate::reply::{self, Reply};
use crate::request::{Format, Message, Request, TokenLimit};
use crate::retry_after::retry_after;
use crate::rubric::start;
use crate::{Answer, Error, Failure, Key, Oracle, Prompt, Question, Result, Rubric, Usage};
use manyview_core::Fingerprint;
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
    /// The header the key is sent in, where that is not `Authorization`; Azure's is `api-key`.
    pub key_header: Option<String>,
    /// Whether a key may be sent without encryption within a private network.
    pub plain_http: bool,
    /// How freely the model chooses its words; 0 for the likeliest ones, none to send nothing.
    pub temperature: Option<f64>,
    /// Most tokens of an answer.
    pub max_tokens: TokenLimit,
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
        let address = Address::new(&config.base_url)?;
        if let Some(key) = &config.key {
            if key.is_unfit() {
                return Err(Error::setting(
                    "key",
                    "expected letters, digits and signs, found none or others; correct it",
                ));
            }
            if !address.local && !address.encrypted {
                may_be_plain(&address, config.plain_http)?;
            }
        }
        if let Some(temperature) = config.temperature.filter(|t| !t.is_finite() || *t < 0.0) {
            return Err(Error::setting(
                "temperature",
                format!("expected a number from 0, found {temperature}"),
            ));
        }
        if let Some(name) = &config.key_header
            && header::HeaderName::from_bytes(name.as_bytes()).is_err()
        {
            return Err(Error::setting(
                "key_header",
                format!("expected the name of a header, found {name:?}"),
            ));
        }
        let mut agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("manyview/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(config.timeout.min(Self::CONNECT)))
            .timeout_connect(Some(config.timeout.min(Self::CONNECT)))
            .timeout_global(Some(config.timeout));
        if address.local {
            agent = agent.proxy(None);
        }
        Ok(Self { agent: agent.build().into(), config, prompt, rubric, url: address.url })
    }

    fn send(&self, words: &str) -> Result<http::Response<Body>, ureq::Error> {
        let mut post = self.agent.post(&self.url);
        if let Some(key) = &self.config.key {
            post = match &self.config.key_header {
                Some(name) if !name.eq_ignore_ascii_case("authorization") => post.header(name, key.secret()),
                _ => post.header(header::AUTHORIZATION, key.authorization()),
            };
        }
        post.send_json(self.request(words))
    }

    fn request<'a>(&'a self, words: &'a str) -> Request<'a> {
        let limit = self.config.max_tokens;
        let newer = matches!(limit, TokenLimit::MaxCompletionTokens(_));
        Request {
            model: &self.config.model,
            messages: [Message { role: "user", content: words }],
            temperature: self.config.temperature,
            max_tokens: limit.tokens().filter(|_| !newer),
            max_completion_tokens: limit.tokens().filter(|_| newer),
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
        let problem = self.redact(refusal::words(body));
        if matches!(status, 408 | 409 | 425 | 429 | 500..=599) {
            let error = self.unreachable(format!("status {status}: {problem}"));
            // A gateway that timed out had passed the question on.
            return Failure::Retryable { error, after, sent: status == 504 };
        }
        let EndpointConfig { max_tokens, temperature, json, .. } = &self.config;
        let sent = Sent { limit: *max_tokens, temperature: temperature.is_some(), json: *json };
        let (cure, every) = refusal::cure(status, body, &sent);
        let error = Error::Refused { oracle: self.url.clone(), status, problem, cure };
        if every { Failure::Fatal(error) } else { Failure::Unanswerable(error) }
    }

    /// What an answer to the words `asked` says.
    fn read(&self, body: &str, asked: &str, after: Option<Duration>) -> Result<Answer, Failure> {
        let limit = self.config.max_tokens;
        let error = |found: String| Error::Answer {
            oracle: self.url.clone(),
            expected: self.rubric.expected(),
            found: self.redact(found),
        };
        let raise = |found: String| format!("{found}; raise {}", limit.key());
        let (words, cut, usage) = match reply::read(body) {
            Reply::Words { words, cut, usage } => (words, cut, usage),
            Reply::Error { status } => return Err(self.refusal(status, after, body)),
            Reply::Nothing { found, usage } => return Err(Failure::Unusable { error: error(found), usage }),
            Reply::Declined { found, usage, cut } => {
                let found = if cut { raise(found) } else { found };
                return Err(Failure::Declined { error: error(found), usage });
            }
        };
        let found = match self.rubric.scores(&words, asked) {
            // What was still to come might have been another answer.
            Ok(_) if cut && goes_on(&words) => {
                format!("{:?}, which goes on behind its scores", start(&words))
            }
            Ok(scores) => return Ok(Answer { scores, usage }),
            Err(found) => found,
        };
        let found = match (cut, limit.tokens()) {
            (false, _) => found,
            (true, Some(tokens)) => raise(format!("an answer cut after {tokens} tokens: {found}")),
            (true, None) => raise(format!("an answer cut at the server's own limit: {found}")),
        };
        Err(Failure::Unusable { error: error(found), usage })
    }
}

impl Oracle for Endpoint {
    fn fingerprint(&self) -> Fingerprint {
        let EndpointConfig { base_url, model, temperature, max_tokens, json, .. } = &self.config;
        let temperature =
            temperature.map_or_else(|| b"default".to_vec(), |t| t.to_bits().to_le_bytes().to_vec());
        let tokens = max_tokens.tokens().map_or_else(|| b"default".to_vec(), |n| n.to_le_bytes().to_vec());
        let of = Fingerprint::builder("endpoint/1")
            .field("base_url", base_url.trim_end_matches('/').as_bytes())
            .field("model", model.as_bytes())
            .field("temperature", &temperature)
            .field(max_tokens.key(), &tokens)
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
        let completion_tokens = self.config.max_tokens.tokens()?.into();
        let prompt_tokens = serde_json::to_vec(&self.request(&self.prompt.of(question))).ok()?.len() as u64;
        Some(Usage { prompt_tokens, completion_tokens })
    }

    /// At temperature 0 the likeliest words are chosen each time.
    fn repeats_itself(&self) -> bool {
        self.config.temperature == Some(0.0)
    }

    fn ask(&self, question: &Question) -> Result<Answer, Failure> {
        let asked = self.prompt.of(question);
        let mut response = self.send(&asked).map_err(|e| self.broken_off(&e))?;
        let status = response.status().as_u16();
        let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|value| retry_after(value, SystemTime::now()));
        let body = response.body_mut().with_config().limit(Self::LARGEST_ANSWER).read_to_string();
        match status {
            200..=299 => self.read(&body.map_err(|e| self.broken_off(&e))?, &asked, after),
            _ => Err(self.refusal(status, after, &body.unwrap_or_default())),
        }
    }
}

/// Whether words follow the last object of an answer.
fn goes_on(words: &str) -> bool {
    let rest = words.rsplit('}').next().unwrap_or_default();
    !rest.trim_matches(|c: char| c.is_whitespace() || c == '`').is_empty()
}

/// Whether a key may be sent to a server elsewhere without encryption.
fn may_be_plain(address: &Address, allowed: bool) -> Result<()> {
    let problem = match (allowed, address.private) {
        (true, true) => return Ok(()),
        (true, false) => {
            "expected https:// for a server that is shown a key, found http:// and a host that may be public: \
             plain_http holds for private addresses and names such as gpu.local alone"
        }
        (false, true) => {
            "expected https:// for a server elsewhere that is shown a key, found http://; within a network that you \
             trust, set plain_http = true"
        }
        (false, false) => "expected https:// for a server elsewhere that is shown a key, found http://",
    };
    Err(Error::setting("base_url", problem))
}
