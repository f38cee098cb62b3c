//! An experiment file as types: read, merged with overrides, checked.

mod experiment;
mod idle;
mod layers;
mod limits;
mod pairs;
mod scores;
mod suite;
mod task;
mod teacher;
mod train;

pub use experiment::{Data, Encoder, Evaluate, Experiment, Output, Tracking};
pub use pairs::Pairs;
pub use scores::{HeadKind, LossKind, Scores};
pub use suite::{Suite, Variant};
pub use teacher::{Teacher, TeacherKind};
pub use train::{Learning, Method, Monitor, Train};
