//! The store from outside: what it remembers, and how it repairs itself.
#![allow(clippy::unwrap_used)] // helpers of tests, which the configuration does not see as tests

mod many;
mod remembers;
mod repair;
mod toy;
