//! The record on disk, what a server gets of it, and what happens when that server is not well.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

mod record;
mod secret;
mod server;
