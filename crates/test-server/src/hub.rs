//! The Hugging Face hub as it is read from.
//!
//! It speaks as the real one does: listings with sizes and git or SHA-256 names, small files by way of another place on
//! the same hub, large ones from a storage of another origin, all of it for those with the token where there is one.

use crate::http::{Listener, Request};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

/// The commit of the repository `org/name`.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What it does instead of answering rightly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Answers with a status.
    Status(u16),
    /// Answers with a page for people.
    Page,
    /// Promises the whole body and breaks off after some bytes.
    Cut(usize),
    /// Sends as much of a body in chunks, and breaks off before the last.
    CutChunked(usize),
    /// Sends as many wrong bytes.
    Corrupt,
    /// Sends the whole file whatever range was asked for.
    Whole,
    /// Sends to the same place under another name of this host.
    Away,
    /// Sends to the same place, for ever.
    Around,
    /// Answers another range than was asked for.
    Elsewhere,
    /// Names the file and its commit after something else, in headers.
    Renamed(&'static str),
}

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The name it was called by, with the port.
    pub host: String,
    /// Without a query.
    pub path: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `Authorization` header.
    pub token: Option<String>,
}

/// A commit of a repository.
struct Repo {
    /// `models/ORG/NAME` or `datasets/ORG/NAME`.
    place: String,
    commit: String,
    files: BTreeMap<String, Vec<u8>>,
}

#[derive(Default)]
struct State {
    repos: Vec<Repo>,
    faults: Vec<(String, Fault)>,
    asked: Vec<Asked>,
    listing: Option<String>,
    token: Option<String>,
    /// The port of the storage, where there is one.
    storage: Option<u16>,
}

/// The hub.
pub struct Server {
    /// Where it listens.
    pub endpoint: String,
    state: Arc<Mutex<State>>,
    listeners: Mutex<Vec<Listener>>,
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// One that holds nothing yet.
    pub fn new() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let listener = listen(&state);
        Self { endpoint: listener.url(), state, listeners: Mutex::new(vec![listener]) }
    }

    /// One that holds `files` as the model and the data set `org/name`.
    pub fn of(files: &[(&str, &[u8])]) -> Self {
        let server = Self::new();
        for place in ["models/org/name", "datasets/org/name"] {
            server.add(place, COMMIT, files.iter().map(|(name, bytes)| (name.to_string(), bytes.to_vec())));
        }
        server
    }

    /// Adds a commit of a repository, at which `main` is from now on.
    pub fn add(&self, place: &str, commit: &str, files: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let repo = Repo { place: place.into(), commit: commit.into(), files: files.into_iter().collect() };
        self.state.lock().unwrap().repos.insert(0, repo);
    }

    /// Lets in those with `token` alone.
    pub fn require(&self, token: &str) {
        self.state.lock().unwrap().token = Some(format!("Bearer {token}"));
    }

    /// Sends those who ask for a large file to another port of this host, which it gives.
    pub fn store_elsewhere(&self) -> String {
        let storage = listen(&self.state);
        let port = storage.port();
        self.state.lock().unwrap().storage = Some(port);
        self.listeners.lock().unwrap().push(storage);
        format!("127.0.0.1:{port}")
    }

    /// Does `faults` in turn, each once, when a path that ends so is asked for.
    pub fn fault(&self, path_end: &str, faults: &[Fault]) {
        let mut state = self.state.lock().unwrap();
        state.faults.extend(faults.iter().map(|&fault| (path_end.to_string(), fault)));
    }

    /// Does nothing wrong from now on.
    pub fn behave(&self) {
        self.state.lock().unwrap().faults.clear();
    }

    /// Answers questions for the listing with this.
    pub fn list(&self, listing: &str) {
        self.state.lock().unwrap().listing = Some(listing.into());
    }

    /// What it was asked so far; the next call begins anew.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// Hears nobody any more.
    pub fn stop(&self) {
        self.listeners.lock().unwrap().iter().for_each(Listener::stop);
    }
}

fn listen(state: &Arc<Mutex<State>>) -> Listener {
    let state = state.clone();
    Listener::start(0, move |stream| answer(stream, &state))
}

/// What large content is called.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// What git calls a file of this content.
pub fn git_name(bytes: &[u8]) -> String {
    hex(&Sha1::new().chain_update(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn is_large(name: &str) -> bool {
    [".safetensors", ".parquet", "tokenizer.json"].iter().any(|end| name.ends_with(end))
}

fn listing(repo: &Repo) -> String {
    let describe = |(name, bytes): (&String, &Vec<u8>)| {
        let lfs = is_large(name).then(|| serde_json::json!({"sha256": sha256(bytes), "size": bytes.len()}));
        serde_json::json!({"rfilename": name, "size": bytes.len(), "blobId": git_name(bytes), "lfs": lfs})
    };
    let siblings: Vec<_> = repo.files.iter().map(describe).collect();
    serde_json::json!({"sha": repo.commit, "siblings": siblings}).to_string()
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let here = stream.local_addr().unwrap().port();
    let Some(request) = Request::read_head(&mut BufReader::new(stream.try_clone().unwrap())) else { return };
    let header = |name: &str| request.header(name).map(String::from);
    let asked = Asked {
        host: header("host").unwrap_or_default(),
        range: header("range"),
        token: header("authorization"),
        path: request.target.split('?').next().unwrap_or_default().to_string(),
    };
    let reply = reply(&asked, here, &mut state.lock().unwrap());
    let _ = stream.write_all(&reply.bytes()).and_then(|()| stream.flush());
}

struct Reply {
    status: u16,
    headers: String,
    body: Vec<u8>,
    /// How much of the body is sent.
    sent: usize,
    chunked: bool,
}

impl Reply {
    fn of(status: u16, headers: String, body: Vec<u8>) -> Self {
        Self { status, headers, body, sent: usize::MAX, chunked: false }
    }

    fn status(status: u16) -> Self {
        Self::of(status, String::new(), Vec::new())
    }

    fn to(place: &str) -> Self {
        Self::of(307, format!("Location: {place}\r\n"), b"moved".into())
    }

    fn bytes(self) -> Vec<u8> {
        let Self { status, headers, body, sent, chunked } = self;
        let sent = &body[..sent.min(body.len())];
        let length = match chunked {
            true => "Transfer-Encoding: chunked".into(),
            false => format!("Content-Length: {}", body.len()),
        };
        let head = format!("HTTP/1.1 {status} X\r\n{length}\r\nConnection: close\r\n{headers}\r\n");
        let sent = match chunked {
            true => [format!("{:x}\r\n", sent.len()).as_bytes(), sent, b"\r\n"].concat(),
            false => sent.to_vec(),
        };
        [head.into_bytes(), sent].concat()
    }
}

fn reply(asked: &Asked, here: u16, state: &mut State) -> Reply {
    state.asked.push(asked.clone());
    let due = state.faults.iter().position(|(end, _)| asked.path.ends_with(end.as_str()));
    let fault = due.map(|i| state.faults.remove(i).1);
    match fault {
        Some(Fault::Status(status)) => return Reply::status(status),
        Some(Fault::Page) => return Reply::of(200, String::new(), b"<html>Please sign in</html>".into()),
        Some(Fault::Away) => {
            let (_, port) = asked.host.split_once(':').unwrap();
            return Reply::to(&format!("http://localhost:{port}{}", asked.path));
        }
        Some(Fault::Around) => {
            state.faults.push((asked.path.clone(), Fault::Around));
            return Reply::to(&asked.path);
        }
        _ => {}
    }
    let at_storage = state.storage == Some(here);
    if !at_storage && state.token.is_some() && asked.token != state.token {
        return Reply::status(401);
    }
    if let Some(revision) = asked.path.strip_prefix("/api/").filter(|path| path.contains("/revision/")) {
        let (place, revision) = revision.split_once("/revision/").unwrap();
        let mut commits = state.repos.iter().filter(|repo| repo.place == place);
        let Some(repo) = commits.find(|repo| ["main", &repo.commit].contains(&revision)) else {
            return Reply::status(404);
        };
        let body = state.listing.clone().unwrap_or_else(|| listing(repo));
        return faulty(Reply::of(200, String::new(), body.into_bytes()), fault);
    }
    // `/org/name/resolve/COMMIT/file`, or `/api/resolve-cache/models/org/name/COMMIT/file`, or the same at the storage.
    let path = asked.path.trim_start_matches('/').replacen("/resolve/", "/", 1);
    let (moved, path) = match path.strip_prefix("api/resolve-cache/") {
        Some(path) => (true, path.to_string()),
        None if path.starts_with("datasets/") => (false, path),
        None => (false, format!("models/{path}")),
    };
    let found = state.repos.iter().find_map(|repo| {
        let name = path.strip_prefix(&format!("{}/{}/", repo.place, repo.commit))?;
        Some((repo, name, repo.files.get(name)?))
    });
    let Some((repo, name, bytes)) = found else { return Reply::status(404) };
    let etag = match fault {
        Some(Fault::Renamed(name)) => name.to_string(),
        _ if is_large(name) => sha256(bytes),
        _ => git_name(bytes),
    };
    let about =
        format!("ETag: \"{etag}\"\r\nX-Linked-Etag: \"{etag}\"\r\nX-Repo-Commit: {}\r\n", repo.commit);
    if let Some(storage) = state.storage.filter(|_| !at_storage) {
        let to = match is_large(name) {
            true => format!("http://127.0.0.1:{storage}{}?signature=s", asked.path),
            false => format!("/api/resolve-cache/{path}"),
        };
        if is_large(name) || !moved {
            return Reply::of(302, format!("Location: {to}\r\n{about}"), Vec::new());
        }
    }
    let start = asked.range.as_ref().and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    faulty(part(bytes.clone(), start.filter(|_| fault != Some(Fault::Whole)), about, fault), fault)
}

/// The bytes from `start` on.
fn part(mut body: Vec<u8>, start: Option<usize>, about: String, fault: Option<Fault>) -> Reply {
    match start {
        Some(start) if start >= body.len() => Reply::status(416),
        Some(start) => {
            let start = if fault == Some(Fault::Elsewhere) { start - 1 } else { start };
            let range = format!("Content-Range: bytes {start}-{}/{}\r\n", body.len() - 1, body.len());
            Reply::of(206, range + &about, body.split_off(start))
        }
        None => Reply::of(200, about, body),
    }
}

fn faulty(mut reply: Reply, fault: Option<Fault>) -> Reply {
    match fault {
        Some(Fault::Corrupt) => reply.body.iter_mut().for_each(|b| *b ^= 0xff),
        Some(Fault::Cut(at)) => reply.sent = at,
        Some(Fault::CutChunked(at)) => (reply.sent, reply.chunked) = (at, true),
        _ => {}
    }
    reply
}
