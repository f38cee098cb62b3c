//! The record on disk, what a server gets of it, and what happens when that server is not well.
#![allow(clippy::unwrap_used)]

mod fake;
mod record;
mod secret;
mod server;
