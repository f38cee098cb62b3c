//! Turns measurements into one HTML page, Markdown and a table for the terminal.
//!
//! The first type to know is [`Report`]: what was done, the [`ViewsMetrics`] of each view, 2-D maps of it ([`project`]) and
//! how its adapter was fitted ([`Curve`]).
//!
//! One decision: the page is a single file without scripts or anything from outside. It can be sent to a colleague,
//! opened offline in ten years, and printed; the charts are SVG in percentages, so their text stays readable on a phone.
#![forbid(unsafe_code)]

mod axis;
mod chart;
mod curve;
mod error;
mod escape;
mod finding;
mod latency;
mod map;
mod markdown;
mod metrics;
mod numbers;
mod overview;
mod page;
mod palette;
mod projection;
mod report;
mod retrieval;
mod scores;
mod section;
mod table;
mod view_scores;
mod views;

#[cfg(test)]
mod sample;

pub use curve::{Curve, CurveColumn, CurveRows};
pub use error::{Error, Result};
pub use map::Map;
pub use metrics::{Batch, Encoding, Fidelity, FitMetrics, HeldOut, Latencies, Scores, Views, ViewsMetrics};
pub use projection::project;
pub use report::{Fact, Report, Section};
pub use retrieval::{Leaked, Measures, PairCounts, RetrievalMetrics, RetrievalSection, RetrievalViews};
pub use scores::{
    Decision, Errors, NamedErrors, Noise, ScoresMetrics, ScoresSection, TierMetrics, Verdict, WorstText,
};
pub use views::ViewsSection;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
