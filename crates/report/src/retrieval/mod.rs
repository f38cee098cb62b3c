//! Adapters for retrieval: what was measured, and the page on it.

mod findings;
mod markdown;
mod metrics;
mod overview;
mod page;
mod table;

pub use metrics::{Leaked, Measures, PairCounts, RetrievalMetrics, RetrievalViews};

use crate::{Curve, Report, Section};

/// One adapter: its figures, and how it was fitted.
#[derive(Clone, Debug)]
pub struct RetrievalSection {
    /// A short name, unique in the report.
    pub name: String,
    /// What was measured.
    pub metrics: RetrievalMetrics,
    /// How training went.
    pub curve: Option<Curve>,
}

impl Section for RetrievalSection {
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

#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::Fact;

    /// Two adapters, one that gains and one that does not.
    pub(crate) fn report() -> Report<RetrievalSection> {
        let metrics: RetrievalMetrics =
            serde_json::from_str(include_str!("../../tests/golden/retrieval.json")).unwrap();
        let mut views = Vec::new();
        for (name, gain) in [("linear", [0.061, 0.045, 0.077]), ("residual", [-0.004, -0.012, 0.003])] {
            let mut metrics = metrics.clone();
            let [value, low, high] = gain;
            metrics.gain = manyview_core::Estimate { value, low, high };
            let epochs = || 1..5_usize;
            let curve = Curve::epochs(3, "validation nDCG@10", epochs())
                .with("train_loss", epochs().map(|epoch| Some(1.0 / epoch as f64)))
                .with("val_score", epochs().map(|epoch| Some(0.8 + 0.01 * epoch as f64)));
            views.push(RetrievalSection { name: name.into(), metrics, curve: Some(curve) });
        }
        Report {
            name: "Questions about illnesses".into(),
            facts: vec![Fact { label: "Pairs".into(), value: "1,482 of 521 documents".into() }],
            sections: views,
            reproduce: vec!["manyview run configs/retrieval.toml".into()],
            caveats: vec!["One split of one corpus.".into()],
        }
    }
}
