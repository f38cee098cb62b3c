//! Labellings against a server that fails in every way a server fails.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

mod answers;
mod endpoint;
mod inputs;
mod money;
mod replies;
mod resume;
mod scene;
