use super::findings::{MAIN, MEASURES, facts, finding, gain_sentence};
use super::{Measures, RetrievalMetrics, RetrievalSection, overview};
use crate::Report;
use crate::finding::Gain;
use crate::numbers::{interval, score, signed, signed_interval};
use crate::{escape, page};
use manyview_core::Estimate;

pub(super) fn html(report: &Report<RetrievalSection>) -> String {
    let views = &report.sections;
    let sections: String = views.iter().enumerate().map(|(i, view)| section(i, view)).collect();
    let main = format!(
        "{}{}{}{sections}{}{}",
        overview::html(views),
        page::done(&report.facts),
        results(views),
        page::caveats(&report.caveats),
        page::reproduce(&report.reproduce)
    );
    page::whole(&report.name, &finding(views), &main)
}

/// A row of figures for each adapter.
fn results(views: &[RetrievalSection]) -> String {
    if views.is_empty() {
        return String::new();
    }
    let rows: String = views
        .iter()
        .enumerate()
        .map(|(i, view)| {
            let v = &view.metrics.views;
            let of = |measures: &Measures, name: &str| cell(measures.get(name));
            format!(
                "<tr><th scope=row><a href=\"#view-{}\">{}</a></th>{}{}{}{}{}{}{}{}{}</tr>\n",
                i + 1,
                escape::html(&view.name),
                of(&v.bm25, MAIN),
                of(&v.base, MAIN),
                of(&v.adapter, MAIN),
                gain(&view.metrics.gain),
                gain(&view.metrics.over_bm25),
                of(&v.adapter, "mrr@10"),
                of(&v.adapter, "recall@10"),
                of(&v.adapter, "accuracy@1"),
                of(&v.adapter, "map@100"),
            )
        })
        .collect();
    format!(
        "<section>\n<h2>Results</h2>\n<div class=scroll role=region aria-label=results tabindex=0><table class=main>\n\
         <thead><tr><td></td><th colspan=3 scope=colgroup>nDCG@10</th><th colspan=2 scope=colgroup>gain over</th>\
         <th colspan=4 scope=colgroup>adapter</th></tr>\n<tr><th scope=col>adapter</th><th scope=col>BM25</th>\
         <th scope=col>base</th><th scope=col>adapter</th><th scope=col>base</th><th scope=col>BM25</th>\
         <th scope=col>MRR@10</th><th scope=col>recall@10</th><th scope=col>accuracy@1</th>\
         <th scope=col>MAP@100</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n\
         <p class=note>Means over test questions with their 95% intervals, each question searched among all passages. Gains \
         are of nDCG@10, paired: <b class=up>bold</b> when above zero, <span class=unclear>muted</span> when the interval \
         includes zero, <span class=down>red</span> when below.</p>\n</section>\n"
    )
}

/// One adapter: what was found, how it was fitted, all measures.
fn section(i: usize, view: &RetrievalSection) -> String {
    let m = &view.metrics;
    let fit = view.curve.as_ref().map_or(String::new(), |c| {
        format!("<h3>Fit</h3>\n<p>{}</p>\n<div class=charts>{}</div>\n", escape::html(&c.words()), c.charts())
    });
    let facts: String = facts(m)
        .into_iter()
        .map(|(label, value)| format!("<div><dt>{label}</dt><dd>{}</dd></div>\n", escape::html(&value)))
        .collect();
    format!(
        "<section id=view-{}>\n<h2>{}</h2>\n<p class=verdict>{}</p>\n{fit}<h3>All measures</h3>\n{}\
         <h3>Details</h3>\n<dl class=facts>\n{facts}</dl>\n</section>\n",
        i + 1,
        escape::html(&view.name),
        escape::html(&gain_sentence(m)),
        all(m),
    )
}

fn all(m: &RetrievalMetrics) -> String {
    let views = m.views.named();
    let rows: String = MEASURES
        .iter()
        .filter(|(key, _)| views.iter().any(|(_, measures)| measures.contains_key(*key)))
        .map(|(key, name)| {
            let cells: String = views.iter().map(|(_, measures)| cell(measures.get(*key))).collect();
            format!("<tr><th scope=row>{name}</th>{cells}</tr>\n")
        })
        .collect();
    format!(
        "<div class=scroll role=region aria-label=measures tabindex=0><table>\n<thead><tr><th scope=col>measure</th>\
         <th scope=col>BM25</th><th scope=col>base</th><th scope=col>adapter</th></tr></thead>\n<tbody>\n{rows}</tbody>\
         </table></div>\n"
    )
}

fn cell(e: Option<&Estimate>) -> String {
    match e {
        Some(e) if e.value.is_finite() => {
            format!("<td>{}<small>{}</small></td>", score(e.value), interval(e.low, e.high))
        }
        _ => "<td class=none>–</td>".into(),
    }
}

fn gain(e: &Estimate) -> String {
    format!("<td class={}>{}<small>{}</small></td>", Gain::of(e).class(), signed(e.value), signed_interval(e))
}

#[cfg(test)]
mod tests {
    use crate::numbers::score;
    use crate::retrieval::sample;

    #[test]
    fn the_page_is_self_contained_and_has_every_figure() {
        let report = sample::report();
        let html = report.html();
        for outside in ["http://", "https://", "src=", "<script", "<link", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
        for view in &report.sections {
            for (_, measures) in view.metrics.views.named() {
                assert!(measures.values().all(|e| html.contains(&score(e.value))), "{}", view.name);
            }
        }
    }

    #[test]
    fn no_name_becomes_markup_and_nothing_that_is_no_number_a_figure() {
        let mut report = sample::report();
        let evil = "<script>alert('x')</script>\u{0}";
        report.name = evil.into();
        report.caveats = vec![evil.into()];
        let view = &mut report.sections[0];
        view.name = evil.into();
        for text in [&mut view.metrics.dataset, &mut view.metrics.encoder, &mut view.metrics.shape] {
            *text = evil.into();
        }
        view.metrics.gain.value = f64::NAN;
        let html = report.html();
        assert!(!html.contains("<script") && !html.contains('\u{0}') && !html.contains("NaN"));
    }

    #[test]
    fn an_empty_report_is_a_page() {
        let mut report = sample::report();
        report.sections.clear();
        assert!(report.html().contains("Nothing was measured."));
    }
}
