//! A tracking server, as strict as MLflow's.

mod store;

pub use store::Store;

use crate::http::{Listener, Request, answer};
use serde_json::json;
use std::io::BufReader;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// How the server takes a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
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

/// The server.
pub struct TrackingServer {
    listener: Listener,
    shared: Arc<Shared>,
}

struct Shared {
    mood: Mutex<Mood>,
    store: Mutex<Store>,
    done: AtomicUsize,
}

impl TrackingServer {
    /// One on a free port.
    pub fn new(mood: Mood) -> Self {
        Self::at(0, mood)
    }

    /// One on `port`.
    pub fn at(port: u16, mood: Mood) -> Self {
        let shared = Arc::new(Shared { mood: mood.into(), store: Mutex::default(), done: 0.into() });
        let serving = shared.clone();
        Self { listener: Listener::start(port, move |stream| serve(&stream, &serving)), shared }
    }

    /// Its address.
    pub fn uri(&self) -> String {
        self.listener.url()
    }

    /// How it takes requests from now on.
    pub fn mood(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// What it holds.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.shared.store.lock().unwrap()
    }
}

fn serve(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = Request::read(&mut reader) {
        let mood = *shared.mood.lock().unwrap();
        let artifact = request.target.starts_with("/api/2.0/mlflow-artifacts/");
        let (status, body) = match mood {
            Mood::Slow => {
                thread::sleep(Duration::from_secs(2));
                return;
            }
            Mood::Broken => (500, json!({ "error_code": "INTERNAL_ERROR", "message": "out of disk" })),
            Mood::WithoutArtifacts if artifact => {
                (500, json!({ "error_code": "INTERNAL_ERROR", "message": "s3" }))
            }
            Mood::Refusing => {
                (401, json!({ "error_code": "UNAUTHENTICATED", "message": request.header("authorization") }))
            }
            _ => shared.store.lock().unwrap().answer(&request),
        };
        if mood == Mood::Forgetful && shared.done.fetch_add(1, Ordering::SeqCst) % 3 == 2 {
            return;
        }
        if answer(stream, status, "", &body.to_string()).is_err() {
            return;
        }
    }
}
