use super::ScoresSection;
use super::cells::{estimate, gain, maybe, rows};
use crate::Report;
use crate::escape::line;

/// A line for each dimension of each head, and the decisions.
pub(super) fn table(report: &Report<ScoresSection>) -> String {
    let heads = ["head", "dimension", "MAE", "95% interval", "mean", "neighbours", "error gone", "Spearman"];
    let mut all = vec![heads.map(String::from)];
    for view in &report.sections {
        for row in rows(&view.metrics) {
            let (mae, interval) = estimate(&row.head.mae);
            all.push([
                line(&view.name),
                line(&row.name),
                mae,
                interval,
                estimate(&row.mean.mae).0,
                estimate(&row.neighbours.mae).0,
                gain(row.gain.as_ref()).0,
                maybe(row.head.spearman.as_ref()).0,
            ]);
        }
    }
    let mut widths = [0; 8];
    for row in &all {
        widths.iter_mut().zip(row).for_each(|(w, cell)| *w = cell.chars().count().max(*w));
    }
    let mut out = String::new();
    for row in &all {
        for (i, (cell, width)) in row.iter().zip(widths).enumerate() {
            let room = " ".repeat(width - cell.chars().count());
            out += &if i < 2 { format!("{cell}{room}  ") } else { format!("{room}{cell}  ") };
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    for view in &report.sections {
        out += &format!("{}: {}\n", line(&view.name), line(&view.finding()));
    }
    out
}
