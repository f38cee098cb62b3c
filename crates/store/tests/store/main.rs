//! The store from outside: what it keeps, and how it repairs itself.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // not seen as tests; the figures of tests/README.md are printed

mod aligned;
mod buffered;
mod compacted;
mod crashes;
mod damage;
mod many;
mod operations;
mod repair;
mod reuse;
mod toy;
