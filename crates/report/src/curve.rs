use crate::chart::{Chart, Line};
use crate::numbers::{figure, score};
use serde::{Deserialize, Serialize};

/// How an adapter was fitted: what was tried and what was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Curve {
    /// Ridge: leave-one-out figures by penalty.
    Penalty {
        /// The penalty chosen.
        chosen: f64,
        /// Those tried.
        points: Vec<PenaltyPoint>,
    },
    /// Gradient: figures by epoch.
    Training {
        /// The epoch whose adapter was kept, from 0.
        best_epoch: usize,
        /// What decided: the name of the score, or of the loss.
        monitor: String,
        /// Every epoch run.
        epochs: Vec<EpochPoint>,
    },
}

/// One penalty tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PenaltyPoint {
    /// The penalty.
    pub lambda: f64,
    /// Leave-one-out mean squared error.
    pub mse: f64,
    /// Leave-one-out mean cosine.
    pub cosine: f64,
}

/// One epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochPoint {
    /// Its number, as [`Curve::Training`] counts them.
    pub epoch: usize,
    /// Loss on the training texts.
    pub train_loss: f64,
    /// Loss on the validation texts.
    pub val_loss: Option<f64>,
    /// The monitored score on the validation texts.
    pub score: Option<f64>,
}

impl Curve {
    /// The curve in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Penalty { chosen, points } => {
                let at = points.iter().find(|p| p.lambda == *chosen);
                let cosine = at.map_or(String::new(), |p| {
                    format!(", with a leave-one-out cosine of {} to the teacher", score(p.cosine))
                });
                format!("λ = {} was chosen among {} penalties{cosine}.", figure(*chosen), points.len())
            }
            Self::Training { best_epoch, monitor, epochs } => {
                format!("Epoch {best_epoch} was kept among {}, by {monitor}.", epochs.len())
            }
        }
    }

    /// The curve as charts.
    pub(crate) fn charts(&self) -> String {
        match self {
            Self::Penalty { chosen, points } => {
                let line = |y: fn(&PenaltyPoint) -> f64| {
                    let points = points.iter().filter(|p| p.lambda > 0.0).map(|p| (p.lambda.log10(), y(p)));
                    Line { name: "", class: "adapter", points: points.collect() }
                };
                let mark = (*chosen > 0.0).then(|| (chosen.log10(), format!("λ = {}", figure(*chosen))));
                let chart = |title: &str, y| {
                    let lines = vec![line(y)];
                    Chart {
                        title: title.into(), below: "penalty λ", powers: true, lines, mark: mark.clone()
                    }
                    .html()
                };
                chart("Leave-one-out error (mean squared)", |p| p.mse)
                    + &chart("Leave-one-out cosine to the teacher", |p| p.cosine)
            }
            Self::Training { best_epoch, monitor, epochs } => {
                let line = |name, class, y: fn(&EpochPoint) -> Option<f64>| {
                    let points = epochs.iter().filter_map(|e| Some((e.epoch as f64, y(e)?)));
                    Line { name, class, points: points.collect() }
                };
                let mark = Some((*best_epoch as f64, format!("epoch {best_epoch}")));
                let chart = |title: &str, lines| {
                    Chart { title: title.into(), below: "epoch", powers: false, lines, mark: mark.clone() }
                        .html()
                };
                let losses = vec![
                    line("training", "base", |e| Some(e.train_loss)),
                    line("validation", "adapter", |e| e.val_loss),
                ];
                let score = line("", "adapter", |e| e.score);
                let what = monitor.strip_prefix("validation ").unwrap_or(monitor);
                chart("Loss", losses) + &chart(&format!("Validation: {what}"), vec![score])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_survives_json() {
        let curve =
            Curve::Penalty { chosen: 0.1, points: vec![PenaltyPoint { lambda: 0.1, mse: 0.2, cosine: 0.9 }] };
        let json = serde_json::to_string(&curve).unwrap();
        assert_eq!(serde_json::from_str::<Curve>(&json).unwrap(), curve);
    }

    #[test]
    fn the_title_of_a_monitored_score_says_once_that_it_is_of_validation() {
        let epoch = EpochPoint { epoch: 1, train_loss: 0.5, val_loss: None, score: Some(0.4) };
        let curve =
            Curve::Training { best_epoch: 1, monitor: "validation nDCG@10".into(), epochs: vec![epoch] };
        assert!(curve.charts().contains("Validation: nDCG@10") && !curve.charts().contains("Validation: v"));
    }

    #[test]
    fn an_epoch_without_validation_breaks_no_chart() {
        let epoch = EpochPoint { epoch: 0, train_loss: 0.5, val_loss: None, score: None };
        let curve = Curve::Training { best_epoch: 0, monitor: "loss".into(), epochs: vec![epoch] };
        assert_eq!(curve.charts().matches("<svg").count(), 1);
        let none = Curve::Penalty { chosen: 0.0, points: vec![] };
        assert_eq!(none.charts(), "");
    }
}
