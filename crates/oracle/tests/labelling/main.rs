//! Labellings against a server that fails in every way a server fails.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

mod endpoint;
mod money;
mod resume;
mod scene;
