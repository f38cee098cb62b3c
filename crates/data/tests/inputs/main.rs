//! What users bring, in the variants that other programs write: read whole, or refused by name.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

mod counted;
mod forms;
mod scene;
mod tables;
mod vectors;
