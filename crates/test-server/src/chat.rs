//! A language model behind OpenAI's chat completions.

use crate::http::{Listener, Request, answer};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How the server takes a request.
#[derive(Clone, Debug)]
pub enum Mood {
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
pub struct Asked {
    /// Path and query.
    pub path: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// The request.
    pub body: Value,
}

impl Asked {
    /// The words of the prompt.
    pub fn prompt(&self) -> &str {
        self.body["messages"][0]["content"].as_str().unwrap()
    }
}

type Model = dyn Fn(&str) -> String + Send + Sync;

/// The server.
pub struct Server {
    listener: Listener,
    shared: Arc<Shared>,
}

struct Shared {
    /// What it says to a prompt when it is well.
    model: Box<Model>,
    moods: Mutex<VecDeque<Mood>>,
    asked: Mutex<Vec<Asked>>,
}

impl Server {
    /// A server that takes the first requests as `moods` say, and answers all others with what `model` says.
    pub fn new(
        moods: impl IntoIterator<Item = Mood>,
        model: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            model: Box::new(model),
            moods: Mutex::new(moods.into_iter().collect()),
            asked: Mutex::default(),
        });
        let serving = shared.clone();
        Self { listener: Listener::start(0, move |stream| serving.serve(&stream)), shared }
    }

    /// Where its API begins.
    pub fn url(&self) -> String {
        format!("{}/v1", self.listener.url())
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(request) = Request::read(&mut reader) {
            let asked = Asked {
                path: request.target.clone(),
                authorization: request.header("authorization").unwrap_or_default().into(),
                body: request.json(),
            };
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
            let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
            if answer(stream, status, &header, &body).is_err() {
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
