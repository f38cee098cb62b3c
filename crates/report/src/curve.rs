use crate::chart::{Chart, Line};
use crate::numbers::{figure, score};
use serde::{Deserialize, Serialize};

/// How something was fitted: a row for each penalty tried or each epoch, a column for each figure; `curve.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What the rows are.
    pub rows: CurveRows,
    /// The penalty chosen, or those of each dimension; the epoch kept, from 1.
    pub chosen: Vec<f64>,
    /// What decided: the name of a score or of a loss.
    pub monitor: String,
    /// Equally long; the first has the penalties or the numbers of the epochs.
    pub columns: Vec<CurveColumn>,
}

/// What the rows of a [`Curve`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveRows {
    /// The penalties of a fit in closed form.
    Penalties,
    /// The epochs of training by gradient.
    Epochs,
}

/// One figure of every row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurveColumn {
    /// Such as `lambda`, `train_loss`, or `val_mae.NAME` of one dimension.
    pub name: String,
    /// None where it was not taken.
    pub values: Vec<Option<f64>>,
}

impl Curve {
    /// The penalties tried, `lambda`, and of them `chosen`; by leave-one-out unless `monitor` says otherwise.
    pub fn penalties(chosen: Vec<f64>, lambdas: impl IntoIterator<Item = f64>) -> Self {
        let curve = Self {
            rows: CurveRows::Penalties,
            chosen,
            monitor: "leave-one-out error".into(),
            columns: Vec::new(),
        };
        curve.with("lambda", lambdas.into_iter().map(Some))
    }

    /// The numbers of the epochs, `epoch`, and of them `best`, which `monitor` chose.
    pub fn epochs(best: usize, monitor: &str, epochs: impl IntoIterator<Item = usize>) -> Self {
        let curve = Self {
            rows: CurveRows::Epochs,
            chosen: vec![best as f64],
            monitor: monitor.into(),
            columns: Vec::new(),
        };
        curve.with("epoch", epochs.into_iter().map(|epoch| Some(epoch as f64)))
    }

    /// Adds a figure of every row; one that no row has is left out.
    #[must_use]
    pub fn with(mut self, name: &str, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values: Vec<Option<f64>> = values.into_iter().collect();
        if self.columns.is_empty() || values.iter().any(Option::is_some) {
            self.columns.push(CurveColumn { name: name.into(), values });
        }
        self
    }

    /// The rows: each with the figures it has, by name.
    pub fn points(&self) -> impl Iterator<Item = Vec<(&str, f64)>> {
        let of = |row: usize| {
            let cell = |column: &CurveColumn| column.values.get(row).copied().flatten();
            self.columns.iter().filter_map(|c| Some((c.name.as_str(), cell(c)?))).collect()
        };
        (0..self.len()).map(of)
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As CSV, for programs that know nothing of Manyview. A grid of penalties is even in `log10_lambda`.
    pub fn csv(&self) -> String {
        let logarithms = CurveColumn {
            name: "log10_lambda".into(),
            values: self.values("lambda").iter().map(|v| v.map(f64::log10)).collect(),
        };
        let extra = (self.rows == CurveRows::Penalties).then_some(&logarithms);
        let (first, others) = self.columns.split_at(self.columns.len().min(1));
        let columns: Vec<_> = first.iter().chain(extra).chain(others).collect();
        let mut csv = columns.iter().map(|c| quoted(&c.name)).collect::<Vec<_>>().join(",") + "\n";
        for row in 0..self.len() {
            let cell = |c: &&CurveColumn| c.values.get(row).copied().flatten().map(|v| v.to_string());
            csv +=
                &(columns.iter().map(|c| cell(c).unwrap_or_default()).collect::<Vec<_>>().join(",") + "\n");
        }
        csv
    }

    /// The curve in words.
    pub(crate) fn words(&self) -> String {
        let chosen = self.chosen.first().copied().unwrap_or_default();
        match self.rows {
            CurveRows::Penalties => {
                let at = self.values("lambda").iter().position(|lambda| *lambda == Some(chosen));
                let cosine = at.and_then(|at| self.values("leave_one_out_cosine").get(at).copied().flatten());
                let cosine = cosine.map_or(String::new(), |cosine| {
                    format!(", with a leave-one-out cosine of {} to the teacher", score(cosine))
                });
                format!("λ = {} was chosen among {} penalties{cosine}.", figure(chosen), self.len())
            }
            CurveRows::Epochs => {
                format!("Epoch {chosen} was kept among {}, by {}.", self.len(), self.monitor)
            }
        }
    }

    /// The curve as charts.
    pub(crate) fn charts(&self) -> String {
        match self.rows {
            CurveRows::Penalties => {
                self.chart("Leave-one-out error (mean squared)", &[("", "adapter", "leave_one_out_mse")])
                    + &self.chart(
                        "Leave-one-out cosine to the teacher",
                        &[("", "adapter", "leave_one_out_cosine")],
                    )
            }
            CurveRows::Epochs => {
                let what = self.monitor.strip_prefix("validation ").unwrap_or(&self.monitor);
                self.chart(
                    "Loss",
                    &[("training", "base", "train_loss"), ("validation", "adapter", "val_loss")],
                ) + &self.chart(&format!("Validation: {what}"), &[("", "adapter", "val_score")])
            }
        }
    }

    /// One chart: a line for each name, class and column.
    pub(crate) fn chart(&self, title: &str, lines: &[(&str, &'static str, &str)]) -> String {
        let powers = self.rows == CurveRows::Penalties;
        let lines = lines.iter().map(|(name, class, column)| {
            let points = self.line(column).into_iter().filter(|(x, _)| !powers || *x > 0.0);
            let points = points.map(|(x, y)| (if powers { x.log10() } else { x }, y));
            Line { name, class, points: points.collect() }
        });
        let same = self.chosen.windows(2).all(|w| w.first() == w.last());
        let chosen = self.chosen.first().copied().filter(|_| same);
        let (below, mark) = match self.rows {
            CurveRows::Penalties => {
                ("penalty λ", chosen.filter(|v| *v > 0.0).map(|v| (v.log10(), format!("λ = {}", figure(v)))))
            }
            CurveRows::Epochs => ("epoch", chosen.map(|v| (v, format!("epoch {v}")))),
        };
        Chart { title: title.into(), below, powers, lines: lines.collect(), mark }.html()
    }

    /// A column against the first one.
    pub(crate) fn line(&self, column: &str) -> Vec<(f64, f64)> {
        let x = self.columns.first().map_or(&[][..], |first| &first.values);
        x.iter().zip(self.values(column)).filter_map(|(x, y)| Some(((*x)?, (*y)?))).collect()
    }

    /// The figures of a column; none where there is no such column.
    pub(crate) fn values(&self, column: &str) -> &[Option<f64>] {
        self.columns.iter().find(|c| c.name == column).map_or(&[], |c| &c.values)
    }
}

fn quoted(name: &str) -> String {
    match name.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(score: Option<f64>) -> Curve {
        Curve::epochs(1, "validation nDCG@10", [1, 2])
            .with("train_loss", [Some(0.5), Some(0.25)])
            .with("val_loss", [Some(2.0), None])
            .with("val_score", [score, None])
    }

    #[test]
    fn a_curve_survives_json() {
        let json = serde_json::to_string(&epochs(None)).unwrap();
        assert_eq!(serde_json::from_str::<Curve>(&json).unwrap(), epochs(None));
    }

    #[test]
    fn the_title_of_a_monitored_score_says_once_that_it_is_of_validation() {
        let charts = epochs(Some(0.4)).charts();
        assert!(charts.contains("Validation: nDCG@10") && !charts.contains("Validation: v"));
    }

    #[test]
    fn an_epoch_without_validation_breaks_no_chart() {
        let curve = Curve::epochs(1, "loss", [1]).with("train_loss", [Some(0.5)]).with("val_loss", [None]);
        assert_eq!(curve.charts().matches("<svg").count(), 1);
        assert_eq!(Curve::penalties(vec![0.0], []).charts(), "");
    }

    #[test]
    fn a_path_of_penalties_has_a_line_for_each_with_its_logarithm() {
        let curve = Curve::penalties(vec![0.1], [0.1, 100.0])
            .with("leave_one_out_mse", [Some(0.5), Some(0.75)])
            .with("leave_one_out_rmse.wet, or not", [Some(1.0), None]);
        let expected = "lambda,log10_lambda,leave_one_out_mse,\"leave_one_out_rmse.wet, or not\"\n\
                        0.1,-1,0.5,1\n100,2,0.75,\n";
        assert_eq!(curve.csv(), expected);
    }

    #[test]
    fn a_figure_that_was_not_taken_has_no_column_and_no_point() {
        assert_eq!(epochs(None).csv(), "epoch,train_loss,val_loss\n1,0.5,2\n2,0.25,\n");
        let curve = epochs(None);
        let points: Vec<_> = curve.points().collect();
        assert_eq!(points[1], [("epoch", 2.0), ("train_loss", 0.25)]);
    }
}
