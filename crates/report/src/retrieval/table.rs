use super::RetrievalSection;
use super::findings::{MAIN, leaks};
use crate::Report;
use crate::escape::line;
use crate::numbers::{ABSENT, score, signed};
use crate::table::{aligned, wrapped};
use manyview_core::Estimate;

pub(super) fn table(report: &Report<RetrievalSection>) -> String {
    let heads =
        ["adapter", "BM25", "base", "nDCG@10", "gain [95% interval]", "over BM25", "MRR@10", "recall@10"];
    let mut rows = vec![heads.map(String::from)];
    rows.extend(report.sections.iter().map(row));
    let mut out = aligned(&rows);
    if let Some(view) = report.sections.first() {
        out.push_str(&wrapped(&format!("leaks: {}", leaks(&view.metrics))));
    }
    out
}

fn row(view: &RetrievalSection) -> [String; 8] {
    let m = &view.metrics;
    let figure = |e: Option<&Estimate>| e.map_or(ABSENT.into(), |e| score(e.value));
    [
        line(&view.name),
        figure(m.views.bm25.get(MAIN)),
        figure(m.views.base.get(MAIN)),
        figure(m.views.adapter.get(MAIN)),
        format!("{} [{}, {}]", signed(m.gain.value), signed(m.gain.low), signed(m.gain.high)),
        signed(m.over_bm25.value),
        figure(m.views.adapter.get("mrr@10")),
        figure(m.views.adapter.get("recall@10")),
    ]
}

#[cfg(test)]
mod tests {
    use crate::retrieval::sample;

    #[test]
    fn the_table_has_a_row_for_each_adapter_and_says_what_leaks() {
        let table = sample::report().table();
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[1].starts_with("linear") && lines[1].contains("+0.061 [+0.045, +0.077]"), "{table}");
        assert!(lines[3].starts_with("leaks: "), "{table}");
        assert!(lines.iter().all(|l| l.chars().count() <= 110), "{table}");
    }
}
