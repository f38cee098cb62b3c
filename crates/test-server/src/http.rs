//! As much of HTTP/1.1 as the servers need.
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// A port that hears until it is stopped or dropped.
#[derive(Debug)]
pub struct Listener {
    port: u16,
    over: Arc<AtomicBool>,
}

impl Listener {
    /// Lets `serve` take each connection to `port`, or to a free one if that is 0, on a thread of its own.
    pub fn start(port: u16, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (over, serve) = (Arc::<AtomicBool>::default(), Arc::new(serve));
        let is_over = over.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let serve = serve.clone();
                stream.into_iter().for_each(|stream| {
                    drop(thread::spawn({
                        let serve = serve.clone();
                        move || serve(stream)
                    }))
                });
            }
        });
        Self { port, over }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Hears nobody any more once this returns.
    pub fn stop(&self) {
        self.over.store(true, Ordering::SeqCst);
        while TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            thread::yield_now();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).ok(); // wakes it to notice
    }
}

/// A port where nobody listens.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// What a client asks.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    headers: Vec<(String, String)>,
    /// Empty where none was sent or read.
    pub body: Vec<u8>,
}

impl Request {
    /// The next request of a connection; none at its end.
    pub fn read(reader: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut request = Self::read_head(reader)?;
        request.read_body(reader, request.length())?;
        Some(request)
    }

    /// The next request of a connection without its body.
    pub fn read_head(reader: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = || {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|n| *n > 0).map(|_| line.trim_end().to_owned())
        };
        let first = line()?;
        let mut words = first.split(' ').map(String::from);
        let (method, target) = (words.next()?, words.next()?);
        let mut headers = Vec::new();
        loop {
            match line()?.split_once(": ") {
                Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
                None => return Some(Self { method, target, headers, body: Vec::new() }),
            }
        }
    }

    /// Reads `length` bytes of the body; none where the client breaks off.
    pub fn read_body(&mut self, reader: &mut BufReader<TcpStream>, length: usize) -> Option<()> {
        self.body = vec![0; length];
        reader.read_exact(&mut self.body).ok()
    }

    /// The length of the body as it is stated.
    pub fn length(&self) -> usize {
        self.header("content-length").map_or(0, |length| length.parse().unwrap())
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }

    /// Path and query, each with its escapes undone.
    pub fn path_and_query(&self) -> (String, String) {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        (unescaped(path), unescaped(query))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends an answer in JSON. `headers` are whole lines, each with its end.
///
/// # Errors
/// A client that is gone.
pub fn answer(mut stream: &TcpStream, status: u16, headers: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n");
    stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes())
}

fn unescaped(text: &str) -> String {
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
