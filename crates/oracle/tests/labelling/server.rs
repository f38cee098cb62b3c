//! A server on a loopback port that speaks as much of OpenAI's chat completions as is needed, and can be told to fail.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How the server takes a request.
#[derive(Clone, Debug)]
pub(crate) enum Mood {
    /// Answers with these words of a model.
    Says(String),
    /// Answers with a status, a header and a body.
    Status(u16, &'static str, String),
    /// Says nothing for that long, then hangs up.
    Slow(Duration),
    /// Breaks off in the middle of a good answer.
    Cut,
    /// Answers well, but does not say what it took.
    Unpriced,
}

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

impl Asked {
    /// The words of the prompt.
    pub(crate) fn prompt(&self) -> &str {
        self.body["messages"][0]["content"].as_str().unwrap()
    }
}

type Model = dyn Fn(&str) -> String + Send + Sync;

pub(crate) struct Server {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// What it says to a prompt when it is well.
    model: Box<Model>,
    moods: Mutex<VecDeque<Mood>>,
    asked: Mutex<Vec<Asked>>,
    over: AtomicBool,
}

impl Server {
    /// A server that takes the first requests as `moods` say, and answers all others with what `model` says.
    pub(crate) fn new(
        moods: impl IntoIterator<Item = Mood>,
        model: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            model: Box::new(model),
            moods: Mutex::new(moods.into_iter().collect()),
            asked: Mutex::default(),
            over: false.into(),
        });
        let serving = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = serving.clone();
                thread::spawn(move || shared.serve(&stream.unwrap()));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(asked) = read(&mut reader) {
            let prompt = asked.prompt().to_string();
            self.asked.lock().unwrap().push(asked);
            let mood = self.moods.lock().unwrap().pop_front();
            let good = |words: String| completion(&words, true);
            let (status, header, body) = match mood {
                None => (200, "", good((self.model)(&prompt))),
                Some(Mood::Says(words)) => (200, "", good(words)),
                Some(Mood::Unpriced) => (200, "", completion(&(self.model)(&prompt), false)),
                Some(Mood::Status(status, header, body)) => (status, header, body),
                Some(Mood::Slow(long)) => return thread::sleep(long),
                Some(Mood::Cut) => {
                    let body = good((self.model)(&prompt));
                    let head = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n", body.len());
                    (&*stream).write_all(format!("{head}{}", &body[..body.len() / 2]).as_bytes()).ok();
                    return;
                }
            };
            let end = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{end}content-length: {}",
                body.len()
            );
            if (&*stream).write_all(format!("{head}\r\n\r\n{body}").as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// A completion with the words of a model; 1000 tokens of question and 100 of answer.
fn completion(words: &str, priced: bool) -> String {
    let mut answer = json!({
        "id": "x", "object": "chat.completion",
        "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": words } }],
    });
    if priced {
        answer["usage"] = json!({ "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100 });
    }
    answer.to_string()
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Asked> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0).map(|_| line.trim_end().to_owned())
    };
    let path = line()?.split(' ').nth(1)?.to_owned();
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let line = line()?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap()
            }
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => authorization = value.into(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { path, authorization, body: serde_json::from_slice(&body).ok()? })
}
