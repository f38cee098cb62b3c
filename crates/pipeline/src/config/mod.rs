//! An experiment file as types: read, merged with overrides, checked.

mod experiment;
mod layers;
mod limits;
mod suite;
mod teacher;
mod train;

pub use experiment::{Data, Encoder, Evaluate, Experiment, Output, Tracking};
pub use suite::{Suite, Variant};
pub use teacher::{Teacher, TeacherKind};
pub use train::{Method, Monitor, Train};
