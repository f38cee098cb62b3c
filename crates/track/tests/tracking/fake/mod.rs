//! A tracking server on a loopback port, as strict as MLflow's, that can be told to misbehave.

mod store;

pub(crate) use store::Store;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// How the server takes a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mood {
    /// Does it and says so.
    Well,
    /// Neither does it nor answers.
    Slow,
    /// Does it, and hangs up before it says so, every third time.
    Forgetful,
    /// Answers 500.
    Broken,
    /// Answers 401, and repeats what it was shown.
    Refusing,
    /// Answers 500 to artifacts only.
    WithoutArtifacts,
}

pub(crate) struct Fake {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    mood: Mutex<Mood>,
    store: Mutex<Store>,
    done: AtomicUsize,
    over: AtomicBool,
}

impl Fake {
    pub(crate) fn new(mood: Mood) -> Self {
        Self::at(0, mood)
    }

    pub(crate) fn at(port: u16, mood: Mood) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            mood: mood.into(),
            store: Mutex::default(),
            done: 0.into(),
            over: false.into(),
        });
        let serving = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = serving.clone();
                thread::spawn(move || serve(&stream.unwrap(), &shared));
            }
        });
        Self { port, shared }
    }

    /// A port where nobody listens.
    pub(crate) fn free_port() -> u16 {
        TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn mood(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.shared.store.lock().unwrap()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

fn serve(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader) {
        let mood = *shared.mood.lock().unwrap();
        let artifact = request.path.starts_with("/api/2.0/mlflow-artifacts/");
        let (status, answer) = match mood {
            Mood::Slow => {
                thread::sleep(Duration::from_secs(2));
                return;
            }
            Mood::Broken => (500, json!({ "error_code": "INTERNAL_ERROR", "message": "out of disk" })),
            Mood::WithoutArtifacts if artifact => {
                (500, json!({ "error_code": "INTERNAL_ERROR", "message": "s3" }))
            }
            Mood::Refusing => {
                (401, json!({ "error_code": "UNAUTHENTICATED", "message": request.authorization }))
            }
            _ => shared.store.lock().unwrap().answer(&request),
        };
        if mood == Mood::Forgetful && shared.done.fetch_add(1, Ordering::SeqCst) % 3 == 2 {
            return;
        }
        let body = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}",
            body.len()
        );
        if (&*stream).write_all(format!("{head}\r\n\r\n{body}").as_bytes()).is_err() {
            return;
        }
    }
}

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) authorization: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    fn read(reader: &mut BufReader<&TcpStream>) -> Option<Self> {
        let mut line = || {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|n| *n > 0).map(|_| line.trim_end().to_owned())
        };
        let first = line()?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, query) = (decoded(path), decoded(query));
        let (mut length, mut authorization) = (0, String::new());
        loop {
            let line = line()?;
            match line.split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().unwrap()
                }
                Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                    authorization = value.into()
                }
                Some(_) => (),
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self { method, path, query, authorization, body })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
