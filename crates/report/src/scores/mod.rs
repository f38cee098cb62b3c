//! The report on scores: how well heads predict an oracle's scores from vectors.

mod cells;
mod charts;
mod docx;
mod markdown;
mod metrics;
mod page;
#[cfg(test)]
mod sample;
mod section;
mod table;

pub use metrics::{Decision, Errors, NamedErrors, Noise, ScoresMetrics, TierMetrics, Verdict};
pub use section::{ScoresSection, WorstText};
