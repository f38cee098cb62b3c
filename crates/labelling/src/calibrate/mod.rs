//! Whether an oracle's prompt can be trusted with a batch: samples, and reports on their labels.

mod decide;
mod figures;
mod group;
mod report;
mod sample;
mod settings;
mod text;

pub use decide::{Decision, Finding};
pub use figures::{CostFigures, DimensionFigures, Disagreement, GroupFigures};
pub use group::{By, Group};
pub use report::{Report, ReportRequest, reports, run as report};
pub use sample::{Sample, SampleRequest, run as sample};

/// The field that marks a row of a sample.
pub(crate) const SAMPLED: &str = "calibration";
