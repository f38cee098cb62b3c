//! Turns measurements into one HTML page, Markdown and a table for the terminal.
//!
//! The first type to know is [`Report`]: what was done, the [`Metrics`] of each view, 2-D maps of it ([`project`]) and
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
mod heads;
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

#[cfg(test)]
mod sample;

pub use curve::{Curve, EpochPoint, PenaltyPoint};
pub use error::{Error, Result};
pub use heads::{
    Decision, Errors, HeadCurve, HeadEpochPoint, HeadMetrics, HeadPenaltyPoint, HeadReport, HeadView,
    NamedErrors, Noise, TierFigures, Verdict, WorstText,
};
pub use map::Map;
pub use metrics::{Batch, Encoding, Fidelity, FitMetrics, HeldOut, Latencies, Metrics, Scores, Views};
pub use projection::project;
pub use report::{Fact, Report, ViewReport};
pub use retrieval::{
    Leaked, Measures, PairCounts, RetrievalMetrics, RetrievalReport, RetrievalView, RetrievalViews,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
