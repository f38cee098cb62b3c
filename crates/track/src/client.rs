use crate::cursor::Remote;
use crate::item::{Batch, Item};
use crate::{Error, Result, Server, percent};
use manyview_core::Progress;
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use std::time::Duration;
use ureq::http::{Response, header};
use ureq::{Agent, Body, RequestBuilder, SendBody};

/// The tag by which a run is found on a server.
pub(crate) const RUN_TAG: &str = "manyview.run";

/// Speaks MLflow's REST API 2.0.
pub(crate) struct Client {
    agent: Agent,
    server: Server,
}

impl Client {
    const CONNECT: Duration = Duration::from_secs(5);
    const LARGEST_ANSWER: u64 = 4 << 20;
    /// The server may pass an artifact on before it answers.
    const UPLOAD_ANSWER: Duration = Duration::from_secs(60);
    /// From here on it is asked first whether it would take as much.
    const LARGE: u64 = 1 << 20;

    pub(crate) fn new(server: Server) -> Self {
        let patience = server.patience();
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept_encoding("identity")
            .user_agent(concat!("manyview/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(patience.min(Self::CONNECT)))
            .timeout_connect(Some(patience.min(Self::CONNECT)))
            .timeout_per_write(Some(patience))
            .timeout_recv_body(Some(patience));
        if server.is_local() {
            config = config.proxy(None);
        }
        Self { agent: config.build().into(), server }
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// The identity of the experiment called `name`, made where there is none.
    pub(crate) fn experiment(&self, name: &str) -> Result<String> {
        if let Some(id) = self.experiment_by_name(name)? {
            return Ok(id);
        }
        match self.post("experiments/create", &json!({ "name": name })) {
            Ok(answer) => self.text(&answer, "/experiment_id"),
            // Another run may have made it meanwhile.
            Err(e @ Error::Refused { status: 400, .. }) => self.experiment_by_name(name)?.ok_or(e),
            Err(e) => Err(e),
        }
    }

    fn experiment_by_name(&self, name: &str) -> Result<Option<String>> {
        match self.ask("experiments/get-by-name", ("experiment_name", name)) {
            Ok(answer) => self.text(&answer, "/experiment/experiment_id").map(Some),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The run with our identity `run`; the oldest, should there be several.
    pub(crate) fn find(&self, experiment: &str, run: &str) -> Result<Option<Remote>> {
        let search = json!({
            "experiment_ids": [experiment],
            "filter": format!("tags.`{RUN_TAG}` = '{run}'"),
            "order_by": ["attributes.start_time ASC"],
            "max_results": 1,
        });
        let answer = self.post("runs/search", &search)?;
        answer.pointer("/runs/0").map(|run| self.remote(run)).transpose()
    }

    /// Makes a run that [`Client::find`] finds by `run`.
    pub(crate) fn create(&self, experiment: &str, run: &str, name: &str, time: u64) -> Result<Remote> {
        let create = json!({
            "experiment_id": experiment,
            "run_name": name,
            "start_time": time,
            "tags": [{ "key": RUN_TAG, "value": run }, { "key": "mlflow.runName", "value": name }],
        });
        let answer = self.post("runs/create", &create)?;
        self.remote(answer.get("run").unwrap_or(&Value::Null))
    }

    fn remote(&self, run: &Value) -> Result<Remote> {
        let artifact_uri = run.pointer("/info/artifact_uri").and_then(Value::as_str).unwrap_or_default();
        Ok(Remote { run_id: self.text(run, "/info/run_id")?, artifact_uri: artifact_uri.into() })
    }

    /// Whether the run is there and not deleted.
    pub(crate) fn active(&self, run_id: &str) -> Result<bool> {
        let answer = self.ask("runs/get", ("run_id", run_id))?;
        Ok(answer.pointer("/run/info/lifecycle_stage").and_then(Value::as_str) != Some("deleted"))
    }

    /// Logs `items`, which fit into one request.
    pub(crate) fn log(&self, run_id: &str, items: &[Item]) -> Result<()> {
        #[derive(Serialize)]
        struct Log<'a> {
            run_id: &'a str,
            #[serde(flatten)]
            batch: Batch<'a>,
        }
        self.post("runs/log-batch", &Log { run_id, batch: Batch::of(items) }).map(drop)
    }

    /// Says how the run is, and since when it is over.
    pub(crate) fn update(&self, run_id: &str, status: &str, end: Option<u64>) -> Result<()> {
        let mut update = json!({ "run_id": run_id, "status": status });
        if let (Some(end), Some(fields)) = (end, update.as_object_mut()) {
            fields.insert("end_time".into(), end.into());
        }
        self.post("runs/update", &update).map(drop)
    }

    /// Puts the first `length` bytes of `file` at `path` below the artifacts of the server.
    pub(crate) fn put(&self, path: &str, file: File, length: u64, progress: &dyn Progress) -> Result<()> {
        let url = self.url(&format!("mlflow-artifacts/artifacts/{}", percent::encode(path)));
        let mut request = self.signed(self.agent.put(&url)).header(header::CONTENT_LENGTH, length);
        if length >= Self::LARGE {
            request = request.header(header::EXPECT, "100-continue");
        }
        let request = request.content_type("application/octet-stream");
        let request = request.config().timeout_recv_response(Some(Self::UPLOAD_ANSWER)).build();
        let mut body = Stoppable { file: file.take(length), progress };
        self.answer(request.send(SendBody::from_reader(&mut body))).map(drop)
    }

    fn post(&self, call: &str, body: &impl Serialize) -> Result<Value> {
        let request = self.signed(self.agent.post(self.url(&format!("mlflow/{call}"))));
        let request = request.config().timeout_global(Some(self.server.patience())).build();
        self.parsed(call, self.answer(request.send_json(body))?)
    }

    fn ask(&self, call: &str, query: (&str, &str)) -> Result<Value> {
        let request =
            self.signed(self.agent.get(self.url(&format!("mlflow/{call}")))).query(query.0, query.1);
        let request = request.config().timeout_global(Some(self.server.patience())).build();
        self.parsed(call, self.answer(request.call())?)
    }

    fn url(&self, call: &str) -> String {
        format!("{}/api/2.0/{call}", self.server.uri())
    }

    fn signed<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match self.server.authorization() {
            Some(value) => request.header(header::AUTHORIZATION, value),
            None => request,
        }
    }

    /// The body of a good answer; the server's own words otherwise.
    fn answer(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<String> {
        let server = self.server.uri().to_owned();
        let unreachable = |e: ureq::Error| Error::Unreachable {
            server: server.clone(),
            problem: self.server.redact(&e.to_string()),
        };
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(Self::LARGEST_ANSWER).read_to_string();
        if (200..300).contains(&status) {
            return text.map_err(unreachable);
        }
        let problem = self.server.redact(&words(&text.unwrap_or_default()));
        match status {
            408 | 429 | 500..=599 => {
                Err(Error::Unreachable { server, problem: format!("status {status}: {problem}") })
            }
            _ => Err(Error::Refused { server, status, problem }),
        }
    }

    fn parsed(&self, call: &str, text: String) -> Result<Value> {
        serde_json::from_str(&text).map_err(|e| self.unlike(format!("{e} in that of {call}")))
    }

    fn text(&self, answer: &Value, at: &str) -> Result<String> {
        let text = answer.pointer(at).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| self.unlike(format!("none with {at}")))
    }

    fn unlike(&self, problem: String) -> Error {
        Error::Answer { server: self.server.uri().into(), problem: self.server.redact(&problem) }
    }
}

/// What a refusal says: MLflow's code and message, or the first words of whatever page it is.
fn words(text: &str) -> String {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let field = |name| answer.get(name).and_then(Value::as_str);
    let words = match (field("error_code"), field("message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => text.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    words.chars().take(300).collect()
}

/// A file that ends in an error once it should not be sent any more.
struct Stoppable<'a> {
    file: std::io::Take<File>,
    progress: &'a dyn Progress,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.progress.stopped() { Err(std::io::Error::other("stopped")) } else { self.file.read(buffer) }
    }
}
