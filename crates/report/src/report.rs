use crate::{Curve, Map, Metrics, markdown, page, table};

/// Everything a person should see of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The title.
    pub name: String,
    /// What was done: corpus, origin and licence, number of texts, encoder, sizes of the split, machine.
    pub summary: Vec<Fact>,
    /// One view an instruction, or a variant of one.
    pub views: Vec<ViewReport>,
    /// Commands that repeat the run.
    pub reproduce: Vec<String>,
    /// What to believe, and what not.
    pub caveats: Vec<String>,
}

/// One line of what was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it is about.
    pub label: String,
    /// What was found or chosen.
    pub value: String,
}

/// One view: its figures and pictures.
#[derive(Clone, Debug)]
pub struct ViewReport {
    /// A short name, unique in the report.
    pub name: String,
    /// What was measured.
    pub metrics: Metrics,
    /// Maps side by side: base, view and, where it exists, teacher.
    pub maps: Vec<Map>,
    /// How the adapter was fitted.
    pub curve: Option<Curve>,
}

impl Report {
    /// One self-contained page: no scripts, nothing from outside, light and dark.
    pub fn html(&self) -> String {
        page::html(self)
    }

    /// The same facts, figures and words, without the pictures.
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }

    /// A table of plain text for the terminal, at most 110 columns wide.
    pub fn table(&self) -> String {
        table::table(self)
    }
}
