//! Adapters for retrieval: what was measured, and the page on it.

mod markdown;
mod metrics;
mod overview;
mod page;
mod table;
mod words;

pub use metrics::{Leaked, Measures, PairCounts, RetrievalMetrics, RetrievalViews};

use crate::{Curve, Fact};

/// Everything a person should see of a run over pairs.
#[derive(Clone, Debug)]
pub struct RetrievalReport {
    /// The title.
    pub name: String,
    /// What was done: pairs, origin and licence, split, encoder, machine.
    pub summary: Vec<Fact>,
    /// One adapter, or several variants of one.
    pub views: Vec<RetrievalView>,
    /// Commands that repeat the run.
    pub reproduce: Vec<String>,
    /// What to believe, and what not.
    pub caveats: Vec<String>,
}

/// One adapter: its figures, and how it was fitted.
#[derive(Clone, Debug)]
pub struct RetrievalView {
    /// A short name, unique in the report.
    pub name: String,
    /// What was measured.
    pub metrics: RetrievalMetrics,
    /// How training went.
    pub curve: Option<Curve>,
}

impl RetrievalReport {
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

#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::EpochPoint;

    /// Two adapters, one that gains and one that does not.
    pub(crate) fn report() -> RetrievalReport {
        let metrics: RetrievalMetrics =
            serde_json::from_str(include_str!("../../tests/golden/retrieval.json")).unwrap();
        let mut views = Vec::new();
        for (name, gain) in [("linear", [0.061, 0.045, 0.077]), ("residual", [-0.004, -0.012, 0.003])] {
            let mut metrics = metrics.clone();
            let [value, low, high] = gain;
            metrics.gain = manyview_core::Estimate { value, low, high };
            let epoch = |epoch: usize| EpochPoint {
                epoch,
                train_loss: 1.0 / epoch as f64,
                val_loss: None,
                score: Some(0.8 + 0.01 * epoch as f64),
            };
            let curve = Curve::Training {
                best_epoch: 3,
                monitor: "validation nDCG@10".into(),
                epochs: (1..5).map(epoch).collect(),
            };
            views.push(RetrievalView { name: name.into(), metrics, curve: Some(curve) });
        }
        RetrievalReport {
            name: "Questions about illnesses".into(),
            summary: vec![Fact { label: "Pairs".into(), value: "1,482 of 521 documents".into() }],
            views,
            reproduce: vec!["manyview run configs/pairs.toml".into()],
            caveats: vec!["One split of one corpus.".into()],
        }
    }
}
