//! A hub on the loopback interface that takes uploads, with its storage under another name of this host.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What it does instead of answering rightly, or after having done what it was asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
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
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) host: String,
    pub(crate) token: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// What it holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) exists: bool,
    pub(crate) private: bool,
    pub(crate) branches: Vec<String>,
    /// Content by path.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Large content by SHA-256.
    pub(crate) storage: BTreeMap<String, Vec<u8>>,
    /// Commits: message, and the paths each changed.
    pub(crate) commits: Vec<(String, Vec<String>)>,
    pub(crate) asked: Vec<Asked>,
    faults: Vec<(String, Fault)>,
}

pub(crate) struct Server {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { branches: vec!["main".into()], ..State::default() }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || answer(stream, port, &state));
            }
        });
        Self { endpoint: format!("http://127.0.0.1:{port}"), state }
    }

    /// Does `faults` in turn, each once, when a path that contains `part` is asked for.
    pub(crate) fn fault(&self, part: &str, faults: &[Fault]) {
        self.with(|state| state.faults.extend(faults.iter().map(|&fault| (part.to_string(), fault))));
    }

    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap())
    }

    /// What it was asked so far, as `METHOD path`.
    pub(crate) fn asked(&self) -> Vec<String> {
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

pub(crate) fn is_large(path: &str) -> bool {
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

fn answer(mut stream: TcpStream, port: u16, state: &Mutex<State>) {
    let mut from = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        match from.read_line(&mut line) {
            Ok(n) if n > 2 => lines.push(line.trim_end().to_string()),
            Ok(2) if !lines.is_empty() => break,
            _ => return,
        }
    }
    let header = |name: &str| {
        let named = |line: &String| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_string())
        };
        lines.iter().find_map(named)
    };
    let mut first = lines[0].split(' ').map(String::from);
    let (method, path) = (first.next().unwrap(), first.next().unwrap());
    let fault = {
        let faults = &mut state.lock().unwrap().faults;
        faults.iter().position(|(part, _)| path.contains(part.as_str())).map(|i| faults.remove(i).1)
    };
    let length: usize = header("content-length").map_or(0, |n| n.parse().unwrap());
    assert!(method == "GET" || header("content-length").is_some(), "{method} {path} without a length");
    let mut body = vec![0; if fault == Some(Fault::Cut) { length / 2 } else { length }];
    if from.read_exact(&mut body).is_err() {
        return;
    }
    let asked = Asked {
        method,
        path,
        host: header("host").unwrap_or_default(),
        token: header("authorization"),
        body,
    };
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
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{extra}\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
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
