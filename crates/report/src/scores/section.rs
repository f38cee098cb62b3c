use super::{ScoresMetrics, docx, markdown, page, table};
use crate::{Curve, Report, Result, Section};

/// One head: its metrics and pictures.
#[derive(Clone, Debug)]
pub struct ScoresSection {
    /// A short name, unique in the report.
    pub name: String,
    /// What was measured.
    pub metrics: ScoresMetrics,
    /// How it was fitted.
    pub curve: Curve,
    /// For each dimension, the true and the predicted score of some test texts.
    pub points: Vec<Vec<(f64, f64)>>,
    /// The test texts it is furthest off on, the worst first.
    pub worst: Vec<WorstText>,
}

/// A text that a head is far off on.
#[derive(Clone, Debug, PartialEq)]
pub struct WorstText {
    /// Its name.
    pub id: String,
    /// The text, or its start.
    pub text: String,
    /// The oracle's scores, one a dimension.
    pub truth: Vec<f64>,
    /// The head's.
    pub predicted: Vec<f64>,
}

impl Section for ScoresSection {
    fn html(report: &Report<Self>) -> String {
        page::html(report)
    }

    fn markdown(report: &Report<Self>) -> String {
        markdown::markdown(report)
    }

    fn table(report: &Report<Self>) -> String {
        table::table(report)
    }

    fn docx(report: &Report<Self>) -> Result<Option<Vec<u8>>> {
        docx::docx(report).map(Some)
    }
}

impl ScoresSection {
    /// What was found, in a sentence or two.
    pub(super) fn finding(&self) -> String {
        let m = &self.metrics;
        format!("{}: {}.", m.decision.verdict.as_str(), m.decision.reasons.join("; "))
    }

    /// The names of the dimensions.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.metrics.dimensions.iter().map(|d| d.name.as_str())
    }
}
