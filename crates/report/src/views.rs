//! The report on views: what an adapter makes of the texts under an instruction.

use crate::{Curve, Map, Report, Section, ViewsMetrics, markdown, page, table};

/// One view: its metrics and pictures.
#[derive(Clone, Debug)]
pub struct ViewsSection {
    /// A short name, unique in the report.
    pub name: String,
    /// What was measured.
    pub metrics: ViewsMetrics,
    /// Maps side by side: base, view and, where it exists, teacher.
    pub maps: Vec<Map>,
    /// How the adapter was fitted.
    pub curve: Option<Curve>,
}

impl Section for ViewsSection {
    fn html(report: &Report<Self>) -> String {
        page::html(report)
    }

    fn markdown(report: &Report<Self>) -> String {
        markdown::markdown(report)
    }

    fn table(report: &Report<Self>) -> String {
        table::table(report)
    }
}
