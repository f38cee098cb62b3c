//! Keeps a record of every run in a local file, and sends it to an MLflow server when there is one.
//!
//! The first type to know is [`Tracker`]: opened once a run, told of parameters, metrics, tags and artifacts, and
//! finished with a [`Status`]. [`read`] gives the record back; [`sync`] sends what a [`Server`] missed.
//!
//! One decision: the file is the queue. An event is a line of `tracking.jsonl` before anything is sent, and the thread
//! that sends reads that file from where the server's last acknowledgement left off. A server that is down costs no
//! memory and loses nothing, and `sync` is the same code as the thread.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod artifact;
mod client;
mod cursor;
mod delivery;
mod error;
mod event;
mod item;
mod journal;
mod lock;
mod log;
mod name;
mod percent;
mod sender;
mod server;
mod step;
mod sync;
mod tracker;

pub use error::{Error, Result};
pub use event::{Entry, Event, Status};
pub use log::{Log, read};
pub use server::Server;
pub use sync::{Synced, sync};
pub use tracker::{RunInfo, Tracker};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
