//! The report on heads: what an oracle's figures are predicted from vectors with.

mod charts;
mod docx;
mod markdown;
mod metrics;
mod page;
mod report;
#[cfg(test)]
mod sample;
mod table;
mod words;

pub use metrics::{
    Decision, Errors, HeadCurve, HeadEpochPoint, HeadMetrics, HeadPenaltyPoint, NamedErrors, Noise,
    TierFigures, Verdict,
};
pub use report::{HeadReport, HeadView, WorstText};
