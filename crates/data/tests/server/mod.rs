//! A server of one repository on the loopback interface, which can be told to misbehave.

#![allow(clippy::unwrap_used)]

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The commit it serves.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What it does instead of answering rightly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Answers with a status.
    Status(u16),
    /// Promises the whole body and breaks off after some bytes.
    Cut(usize),
    /// Sends as many wrong bytes.
    Corrupt,
    /// Sends the whole file whatever range was asked for.
    Whole,
    /// Sends to the same place under another name of this host.
    Away,
    /// Answers another range than was asked for.
    Elsewhere,
}

/// What it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    pub(crate) token: Option<String>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    faults: Vec<(String, Fault)>,
    asked: Vec<Asked>,
    listing: Option<String>,
}

pub(crate) struct Server {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(crate) fn of(files: &[(&str, &[u8])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        state.lock().unwrap().files =
            files.iter().map(|(name, bytes)| (name.to_string(), bytes.to_vec())).collect();
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || answer(stream, &state));
            }
        });
        Self { endpoint, state }
    }

    /// Does `faults` in turn, each once, when a path that ends so is asked for.
    pub(crate) fn fault(&self, path_end: &str, faults: &[Fault]) {
        let mut state = self.state.lock().unwrap();
        state.faults.extend(faults.iter().map(|&fault| (path_end.to_string(), fault)));
    }

    /// Answers questions for the listing with this.
    pub(crate) fn list(&self, listing: &str) {
        self.state.lock().unwrap().listing = Some(listing.into());
    }

    /// What it was asked so far; the next call begins anew.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn listing(files: &BTreeMap<String, Vec<u8>>) -> String {
    let siblings: Vec<_> = files
        .iter()
        .map(|(name, bytes)| {
            let lfs = name.ends_with(".safetensors").then(|| serde_json::json!({"sha256": sha256(bytes)}));
            let git = sha256(bytes)[..40].to_string();
            serde_json::json!({"rfilename": name, "size": bytes.len(), "blobId": git, "lfs": lfs})
        })
        .collect();
    serde_json::json!({"sha": COMMIT, "siblings": siblings}).to_string()
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let header = |name: &str| {
        headers.iter().find_map(|h| h.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)))
    };
    let path = first.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_string();
    let asked = Asked {
        host: header("host").map(|(_, v)| v.to_string()).unwrap_or_default(),
        range: header("range").map(|(_, v)| v.to_string()),
        token: header("authorization").map(|(_, v)| v.to_string()),
        path,
    };
    let (status, extra, body, cut) = reply(&asked, &mut state.lock().unwrap());
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{extra}\r\n", body.len());
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body[..cut.min(body.len())]);
    let _ = stream.flush();
}

type Reply = (u16, String, Vec<u8>, usize);

fn reply(asked: &Asked, state: &mut State) -> Reply {
    state.asked.push(asked.clone());
    let due = state.faults.iter().position(|(end, _)| asked.path.ends_with(end.as_str()));
    let fault = due.map(|i| state.faults.remove(i).1);
    if let Some(Fault::Status(status)) = fault {
        return (status, String::new(), Vec::new(), 0);
    }
    if fault == Some(Fault::Away) {
        let (_, port) = asked.host.split_once(':').unwrap();
        return (302, format!("Location: http://localhost:{port}{}\r\n", asked.path), Vec::new(), 0);
    }
    let api = ["/api/models/org/name/revision/", "/api/datasets/org/name/revision/"];
    let mut body = if let Some(revision) = api.iter().find_map(|api| asked.path.strip_prefix(api)) {
        if !["main", COMMIT].contains(&revision) {
            return (404, String::new(), Vec::new(), 0);
        }
        state.listing.clone().unwrap_or_else(|| listing(&state.files)).into_bytes()
    } else {
        let path = asked.path.trim_start_matches("/datasets").trim_start_matches("/org/name/resolve/");
        match path.strip_prefix(&format!("{COMMIT}/")).and_then(|file| state.files.get(file)) {
            Some(bytes) => bytes.clone(),
            None => return (404, String::new(), Vec::new(), 0),
        }
    };
    if fault == Some(Fault::Corrupt) {
        body.iter_mut().for_each(|b| *b ^= 0xff);
    }
    let start = asked.range.as_ref().and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let cut = if let Some(Fault::Cut(at)) = fault { at } else { usize::MAX };
    match start.filter(|_| fault != Some(Fault::Whole)) {
        Some(start) if start >= body.len() => (416, String::new(), Vec::new(), 0),
        Some(start) => {
            let start = if fault == Some(Fault::Elsewhere) { start - 1 } else { start };
            let range = format!("Content-Range: bytes {start}-{}/{}\r\n", body.len() - 1, body.len());
            (206, range, body.split_off(start), cut)
        }
        None => (200, String::new(), body, cut),
    }
}
