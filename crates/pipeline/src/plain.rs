//! What a run found, as flat files for programs that know nothing of Manyview: plots from one, a table from the other.

use manyview_report::{Curve, Metrics, Views};
use serde::Serialize;

/// The file of the curve in a member's directory.
pub(crate) const CURVE: &str = "curve.csv";
/// The file of the scores in a member's directory.
pub(crate) const SCORES: &str = "scores.json";

/// The figures to compare runs by. No times: the same settings give the same scores.
#[derive(Debug, Serialize)]
pub(crate) struct PlainScores {
    v_measure: ByView,
    gain: f64,
    gain_low: f64,
    gain_high: f64,
    cosine: f64,
    knn_overlap: f64,
}

#[derive(Debug, Serialize)]
struct ByView {
    base: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<f64>,
    adapter: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    teacher: Option<f64>,
}

impl PlainScores {
    pub(crate) fn of(metrics: &Metrics) -> Self {
        let Views { base, offset, adapter, teacher } = &metrics.views;
        Self {
            v_measure: ByView {
                base: base.v_measure.mean,
                offset: offset.map(|scores| scores.v_measure.mean),
                adapter: adapter.v_measure.mean,
                teacher: teacher.map(|scores| scores.v_measure.mean),
            },
            gain: metrics.gain.value,
            gain_low: metrics.gain.low,
            gain_high: metrics.gain.high,
            cosine: metrics.fidelity.cosine,
            knn_overlap: metrics.fidelity.knn_overlap,
        }
    }
}

/// The path of penalties, or the epochs of training, as CSV. Figures that were not taken have no column.
pub(crate) fn csv(curve: &Curve) -> String {
    match curve {
        Curve::Penalty { points, .. } => {
            let column = |name, of: fn(f64, f64, f64) -> f64| -> Column {
                (name, points.iter().map(|p| Some(of(p.lambda, p.mse, p.cosine))).collect())
            };
            table(&[
                column("lambda", |lambda, _, _| lambda),
                column("log10_lambda", |lambda, _, _| lambda.log10()), // the grid is even in it
                column("leave_one_out_mse", |_, mse, _| mse),
                column("leave_one_out_cosine", |_, _, cosine| cosine),
            ])
        }
        Curve::Training { epochs, .. } => table(&[
            ("epoch", epochs.iter().map(|e| Some(e.epoch as f64)).collect()),
            ("train_loss", epochs.iter().map(|e| Some(e.train_loss)).collect()),
            ("val_loss", epochs.iter().map(|e| e.val_loss).collect()),
            ("val_score", epochs.iter().map(|e| e.score).collect()),
        ]),
    }
}

type Column = (&'static str, Vec<Option<f64>>);

fn table(columns: &[Column]) -> String {
    let taken: Vec<_> = columns.iter().filter(|(_, values)| values.iter().any(Option::is_some)).collect();
    let line = |cells: Vec<String>| cells.join(",") + "\n";
    let mut text = line(taken.iter().map(|(name, _)| (*name).to_string()).collect());
    for row in 0..columns.first().map_or(0, |(_, values)| values.len()) {
        let cell = |(_, values): &&Column| values[row].map_or_else(String::new, |value| value.to_string());
        text += &line(taken.iter().map(cell).collect());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_report::{EpochPoint, PenaltyPoint};

    #[test]
    fn a_path_of_penalties_has_a_line_for_each_with_its_logarithm() {
        let points = [(0.1, 0.5, 0.25), (100.0, 0.75, 0.125)];
        let points = points.map(|(lambda, mse, cosine)| PenaltyPoint { lambda, mse, cosine }).to_vec();
        let expected =
            "lambda,log10_lambda,leave_one_out_mse,leave_one_out_cosine\n0.1,-1,0.5,0.25\n100,2,0.75,0.125\n";
        assert_eq!(csv(&Curve::Penalty { chosen: 0.1, points }), expected);
    }

    #[test]
    fn a_figure_that_was_not_taken_has_no_column() {
        let epoch =
            |epoch, val_loss| EpochPoint { epoch, train_loss: 0.5 / epoch as f64, val_loss, score: None };
        let curve = |epochs| Curve::Training { best_epoch: 1, monitor: "val_loss".into(), epochs };
        assert_eq!(csv(&curve(vec![epoch(1, None), epoch(2, None)])), "epoch,train_loss\n1,0.5\n2,0.25\n");
        let both = csv(&curve(vec![epoch(1, Some(2.0)), epoch(2, None)]));
        assert_eq!(both, "epoch,train_loss,val_loss\n1,0.5,2\n2,0.25,\n");
    }
}
