//! The Hugging Face hub as it is written to, with its storage under another name of this host.

use crate::http::{self, Listener, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::BufReader;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

/// What it does instead of answering rightly, or after having done what it was asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Answers with a status and a reason.
    Status(u16),
    /// Breaks off within the request.
    Cut,
    /// Does what it was asked, and breaks off without an answer.
    Mute,
    /// Sends to another address.
    Away,
}

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET`, `POST` or `PUT`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The name it was called by, with the port.
    pub host: String,
    /// The `Authorization` header.
    pub token: Option<String>,
    /// What was sent, or what came before it broke off.
    pub body: Vec<u8>,
}

/// What it holds.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Whether the repository was made.
    pub exists: bool,
    /// Whether it was made private.
    pub private: bool,
    /// Its branches.
    pub branches: Vec<String>,
    /// Content by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Large content by SHA-256.
    pub storage: BTreeMap<String, Vec<u8>>,
    /// Commits: message, and the paths each changed.
    pub commits: Vec<(String, Vec<String>)>,
    /// What it was asked.
    pub asked: Vec<Asked>,
    faults: Vec<(String, Fault)>,
}

/// The hub.
pub struct Server {
    /// Where it listens.
    pub endpoint: String,
    state: Arc<Mutex<State>>,
    _listener: Listener,
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// One without a repository.
    pub fn new() -> Self {
        let state = Arc::new(Mutex::new(State { branches: vec!["main".into()], ..State::default() }));
        let shared = state.clone();
        let listener = Listener::start(0, move |stream| answer(&stream, &shared));
        Self { endpoint: listener.url(), state, _listener: listener }
    }

    /// Does `faults` in turn, each once, when a path that contains `part` is asked for.
    pub fn fault(&self, part: &str, faults: &[Fault]) {
        self.with(|state| state.faults.extend(faults.iter().map(|&fault| (part.to_string(), fault))));
    }

    /// Looks at what it holds, or changes it.
    pub fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap())
    }

    /// What it was asked so far, as `METHOD path`.
    pub fn asked(&self) -> Vec<String> {
        self.with(|state| {
            state.asked.iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
        })
    }
}

impl State {
    fn commit(&self) -> String {
        format!("{:040x}", self.commits.len())
    }
}

/// Whether a file is kept in the storage.
pub fn is_large(path: &str) -> bool {
    path.ends_with(".safetensors")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn oid(path: &str, bytes: &[u8]) -> String {
    match is_large(path) {
        true => hex(&Sha256::digest(bytes)),
        false => {
            hex(&Sha1::new().chain_update(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
        }
    }
}

fn answer(stream: &TcpStream, state: &Mutex<State>) {
    let port = stream.local_addr().unwrap().port();
    let mut from = BufReader::new(stream.try_clone().unwrap());
    let Some(mut request) = Request::read_head(&mut from) else { return };
    let (method, path) = (request.method.clone(), request.target.clone());
    let fault = {
        let faults = &mut state.lock().unwrap().faults;
        faults.iter().position(|(part, _)| path.contains(part.as_str())).map(|i| faults.remove(i).1)
    };
    assert!(
        method == "GET" || request.header("content-length").is_some(),
        "{method} {path} without a length"
    );
    let length = request.length();
    if request.read_body(&mut from, if fault == Some(Fault::Cut) { length / 2 } else { length }).is_none() {
        return;
    }
    let header = |name: &str| request.header(name).map(String::from);
    let (host, token) = (header("host").unwrap_or_default(), header("authorization"));
    let asked = Asked { method, path, host, token, body: request.body };
    let mut state = state.lock().unwrap();
    state.asked.push(asked.clone());
    let (status, extra, body) = match fault {
        Some(Fault::Cut) => return,
        Some(Fault::Status(status)) => (status, String::new(), json!({"error": "the reason why"})),
        Some(Fault::Away) => (307, format!("Location: http://localhost:{port}{}\r\n", asked.path), json!({})),
        _ => {
            let (status, body) = reply(&asked, port, &mut state);
            (status, String::new(), body)
        }
    };
    drop(state);
    if fault == Some(Fault::Mute) {
        return;
    }
    let _ = http::answer(stream, status, &format!("connection: close\r\n{extra}"), &body.to_string());
}

fn reply(asked: &Asked, port: u16, state: &mut State) -> (u16, Value) {
    let path = asked.path.split('?').next().unwrap_or_default();
    let body = || serde_json::from_slice::<Value>(&asked.body).unwrap();
    if let ("PUT", Some(oid)) = (asked.method.as_str(), path.strip_prefix("/storage/")) {
        assert_eq!(hex(&Sha256::digest(&asked.body)), oid);
        state.storage.insert(oid.into(), asked.body.clone());
        return (200, json!({}));
    }
    if asked.token.as_deref() != Some("Bearer hf_secret") && path != "/verify" {
        return (401, json!({"error": "who are you?"}));
    }
    if path == "/api/repos/create" {
        let body = body();
        assert_eq!((&body["organization"], &body["name"]), (&"org".into(), &"name".into()));
        if state.exists {
            return (409, json!({"error": "You already created this model repo"}));
        }
        (state.exists, state.private) = (true, body["private"] == true);
        return (200, json!({"url": "x"}));
    }
    if !state.exists {
        return (404, json!({"error": "Repository not found"}));
    }
    let page = path.strip_prefix("/api/models/org/name");
    match (page.map(|page| page.trim_start_matches('/').split_once('/').unwrap_or((page, ""))), path) {
        (Some(("", "")), _) => (200, json!({"private": state.private})),
        (Some(("branch", branch)), _) => {
            state.branches.push(branch.into());
            (200, json!({}))
        }
        (Some((_, branch)), _) if !state.branches.iter().any(|b| b == branch) => {
            (404, json!({"error": "Invalid rev id"}))
        }
        (Some(("revision", _)), _) => (200, json!({"sha": state.commit(), "siblings": []})),
        (Some(("preupload", _)), _) => {
            let describe = |file: &Value| {
                let path = file["path"].as_str().unwrap();
                assert!(STANDARD.decode(file["sample"].as_str().unwrap()).unwrap().len() <= 512);
                let held = state.files.get(path).map(|bytes| oid(path, bytes));
                let mode = if is_large(path) { "lfs" } else { "regular" };
                json!({"path": path, "uploadMode": mode, "shouldIgnore": false, "oid": held})
            };
            let files: Vec<Value> = body()["files"].as_array().unwrap().iter().map(describe).collect();
            (200, json!({"files": files}))
        }
        (Some(("commit", _)), _) => commit(asked, state),
        (None, "/org/name.git/info/lfs/objects/batch") => {
            let describe = |object: &Value| {
                let oid = object["oid"].as_str().unwrap();
                let to = format!("http://localhost:{port}");
                let actions = (!state.storage.contains_key(oid)).then(|| {
                    json!({
                        "upload": {"href": format!("{to}/storage/{oid}?signature=s"), "header": {"x-let-in": "yes"}},
                        "verify": {"href": format!("{to}/verify")},
                    })
                });
                json!({"oid": oid, "size": object["size"], "actions": actions})
            };
            let objects: Vec<Value> = body()["objects"].as_array().unwrap().iter().map(describe).collect();
            (200, json!({"transfer": "basic", "objects": objects}))
        }
        (None, "/verify") => (200, json!({})),
        _ => (404, json!({"error": "no such page"})),
    }
}

fn commit(asked: &Asked, state: &mut State) -> (u16, Value) {
    let (mut message, mut paths) = (String::new(), Vec::new());
    for line in std::str::from_utf8(&asked.body).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line["value"][key].as_str().unwrap().to_string();
        if line["key"] == "header" {
            message = text("summary");
            continue;
        }
        let bytes = match line["key"].as_str() {
            Some("file") => STANDARD.decode(text("content")).unwrap(),
            Some("lfsFile") => match state.storage.get(&text("oid")) {
                Some(bytes) => bytes.clone(),
                None => return (400, json!({"error": "no such object"})),
            },
            other => panic!("{other:?}"),
        };
        state.files.insert(text("path"), bytes);
        paths.push(text("path"));
    }
    state.commits.push((message, paths));
    (200, json!({"success": true, "commitOid": state.commit(), "commitUrl": "x"}))
}
