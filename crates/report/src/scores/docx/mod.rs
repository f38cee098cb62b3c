//! The report as a Word document.

mod chart;
mod document;
mod package;

use super::ScoresSection;
use super::cells::{COLUMNS, cells, facts, fitted, rows, short};
use crate::escape::short as cut;
use crate::numbers::{figure, percent, score};
use crate::{CurveRows, Report, Result};
use chart::Chart;
use document::Document;

/// Epochs or penalties in the table of the fit: of more, evenly spaced ones.
const STEPS: usize = 20;

/// The bytes of a `.docx` file.
pub(super) fn docx(report: &Report<ScoresSection>) -> Result<Vec<u8>> {
    let mut to = Document::default();
    to.title(&report.name);
    report.sections.iter().for_each(|view| section(&mut to, view));
    if !report.facts.is_empty() {
        to.heading("What was done");
        report.facts.iter().for_each(|fact| to.bullet(&format!("{}: {}", fact.label, fact.value)));
    }
    if !report.caveats.is_empty() {
        to.heading("What to believe, and what not");
        report.caveats.iter().for_each(|caveat| to.bullet(caveat));
    }
    if !report.reproduce.is_empty() {
        to.heading("How to reproduce");
        report.reproduce.iter().for_each(|command| to.code(command));
    }
    to.finish()
}

fn section(to: &mut Document, view: &ScoresSection) {
    let m = &view.metrics;
    to.heading(&format!("{}: {}", view.name, m.decision.verdict.as_str()));
    m.decision.reasons.iter().for_each(|reason| to.bullet(reason));
    to.subheading("Errors");
    let all = rows(m);
    to.bars(&all.iter().map(|r| (r.name.clone(), bars_of(r))).collect::<Vec<_>>());
    to.paragraph(
        "Mean absolute error on test texts: of the mean (light), of neighbours (grey), of the head (blue).",
    );
    let errors = all.iter().map(|row| {
        let cells = cells(row).into_iter().map(|(value, below)| match below.is_empty() {
            true => value,
            false => format!("{value} ({below})"),
        });
        [row.name.clone()].into_iter().chain(cells).collect()
    });
    to.table(&COLUMNS, errors.collect());
    if !m.tiers.is_empty() {
        to.subheading("Tiers of the weighted score");
        let rows = m.tiers.iter().map(|t| {
            let shares = [t.precision, t.recall, t.f1, t.neighbours_f1].map(percent);
            [t.name.clone()].into_iter().chain(shares).chain([t.texts.to_string()]).collect()
        });
        to.table(&["tier", "precision", "recall", "F1", "F1 of neighbours", "test texts"], rows.collect());
    }
    to.subheading("Fit");
    to.paragraph(&fitted(m, &view.curve));
    fit(to, view);
    if !view.worst.is_empty() {
        to.subheading("Where it is furthest off");
        let names = m.dimensions.iter().map(|d| d.name.as_str());
        let heads: Vec<&str> = ["id", "text"].into_iter().chain(names).collect();
        let rows = view.worst.iter().map(|w| {
            let pairs = w.truth.iter().zip(&w.predicted);
            let figures = pairs.map(|(t, p)| format!("{} (true {})", short(*p), short(*t)));
            [w.id.clone(), cut(&w.text, 160)].into_iter().chain(figures).collect()
        });
        to.table(&heads, rows.collect());
    }
    to.subheading("Details");
    facts(m).into_iter().for_each(|(label, value)| to.bullet(&format!("{label}: {value}")));
}

/// The errors of mean, neighbours and head, with their colours.
fn bars_of(row: &super::NamedErrors) -> [(&'static str, f64); 3] {
    [("D0D5DB", row.mean.mae.value), ("7A8594", row.neighbours.mae.value), ("0B63C5", row.head.mae.value)]
}

fn fit(to: &mut Document, view: &ScoresSection) {
    let curve = &view.curve;
    let (charts, columns): (Vec<Chart<'_>>, Vec<(String, String)>) = match curve.rows {
        CurveRows::Penalties => {
            let column = |name: &str| format!("leave_one_out_rmse.{name}");
            let chart = Chart {
                title: "Leave-one-out RMSE by penalty".into(),
                below: "penalty λ",
                logarithmic: true,
                lines: view.names().map(|name| (name, curve.line(&column(name)))).collect(),
            };
            (vec![chart], view.names().map(|name| (name.to_string(), column(name))).collect())
        }
        CurveRows::Epochs => {
            let chart = |title: &str, train: &str, val: &str| Chart {
                title: title.into(),
                below: "epoch",
                logarithmic: false,
                lines: vec![("training", curve.line(train)), ("validation", curve.line(val))],
            };
            let columns = [
                ("training loss", "train_loss"),
                ("training MAE", "train_mae"),
                ("validation loss", "val_loss"),
                ("validation MAE", "val_mae"),
            ];
            let charts = vec![
                chart("Loss", "train_loss", "val_loss"),
                chart("Mean absolute error", "train_mae", "val_mae"),
            ];
            (charts, columns.map(|(head, column)| (head.into(), column.into())).into())
        }
    };
    to.charts(&charts);
    let first = match curve.rows {
        CurveRows::Penalties => "penalty, leave-one-out RMSE",
        CurveRows::Epochs => "epoch",
    };
    let heads: Vec<&str> = [first].into_iter().chain(columns.iter().map(|(head, _)| head.as_str())).collect();
    let rows: Vec<Vec<String>> = curve
        .points()
        .map(|point| {
            let of = |name: &str| point.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            let x = point.first().map_or(String::new(), |(_, x)| figure(*x));
            [x].into_iter().chain(columns.iter().map(|(_, c)| of(c).map_or(String::new(), score))).collect()
        })
        .collect();
    to.table(&heads, some(&rows).cloned().collect());
}

/// At most [`STEPS`] of some rows, evenly spaced.
fn some<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(STEPS).max(1))
}

#[cfg(test)]
mod tests {
    use crate::scores::sample;

    #[test]
    fn a_document_is_a_zip_of_well_formed_parts_with_every_figure() {
        let report = sample::report();
        let bytes = report.docx().unwrap().unwrap();
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let names: Vec<String> = zip.file_names().map(|n| n.unwrap().to_string()).collect();
        for name in [
            "[Content_Types].xml",
            "_rels/.rels",
            "word/document.xml",
            "word/styles.xml",
            "word/charts/chart3.xml",
        ] {
            assert!(names.iter().any(|n| n == name), "{names:?}");
        }
        let mut text = String::new();
        std::io::Read::read_to_string(&mut zip.by_name("word/document.xml").unwrap(), &mut text).unwrap();
        assert_eq!(text.matches("<w:tbl>").count(), text.matches("</w:tbl>").count());
        for figure in ["0.123", "REVIEW", "valence", "a &lt;b&gt; text"] {
            assert!(text.contains(figure), "{figure}: {text}");
        }
        assert!(!text.contains("a <b> text"));
    }

    #[test]
    fn the_same_report_is_the_same_bytes() {
        assert_eq!(sample::report().docx().unwrap(), sample::report().docx().unwrap());
    }
}
