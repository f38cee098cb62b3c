//! The report on scores: how well heads predict an oracle's scores from vectors.

mod charts;
mod docx;
mod markdown;
mod metrics;
mod page;
#[cfg(test)]
mod sample;
mod section;
mod table;
mod words;

pub use metrics::{Decision, Errors, NamedErrors, Noise, ScoresMetrics, TierMetrics, Verdict};
pub use section::{ScoresSection, WorstText};
