use super::{HeadCurve, HeadMetrics, docx, markdown, page, table};
use crate::{Fact, Result};

/// Everything a person should see of a run that fits heads.
#[derive(Clone, Debug)]
pub struct HeadReport {
    /// The title.
    pub name: String,
    /// What was done.
    pub summary: Vec<Fact>,
    /// One head each.
    pub views: Vec<HeadView>,
    /// Commands that repeat the run.
    pub reproduce: Vec<String>,
    /// What to believe, and what not.
    pub caveats: Vec<String>,
}

/// One head: its figures and pictures.
#[derive(Clone, Debug)]
pub struct HeadView {
    /// A short name, unique in the report.
    pub name: String,
    /// What was measured.
    pub metrics: HeadMetrics,
    /// How it was fitted.
    pub curve: HeadCurve,
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

impl HeadReport {
    /// One self-contained page: no scripts, nothing from outside, light and dark.
    pub fn html(&self) -> String {
        page::html(self)
    }

    /// The same facts, figures and words, without the pictures.
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }

    /// The same as a Word document: the bytes of a `.docx` file.
    ///
    /// # Errors
    /// None but those of the writer of archives.
    pub fn docx(&self) -> Result<Vec<u8>> {
        docx::docx(self)
    }

    /// A table of plain text for the terminal.
    pub fn table(&self) -> String {
        table::table(self)
    }
}

impl HeadView {
    /// What was found, in a sentence or two.
    pub(crate) fn finding(&self) -> String {
        let m = &self.metrics;
        format!("{}: {}.", m.decision.verdict.as_str(), m.decision.reasons.join("; "))
    }
}
