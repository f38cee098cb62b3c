use super::RetrievalSection;
use super::findings::MAIN;
use crate::axis::{digits, range, ticks};
use crate::escape;
use crate::finding::Gain;
use crate::numbers::{decimals, interval, score, signed, signed_interval};
use manyview_core::Estimate;

/// BM25, base and adapter of each variant on one axis, with their intervals.
pub(super) fn html(views: &[RetrievalSection]) -> String {
    let all = || views.iter().flat_map(|v| v.metrics.views.named()).filter_map(|(_, m)| m.get(MAIN));
    let Some((low, high)) = range(all().flat_map(|e| [e.value, e.low, e.high]), 0.05) else {
        return String::new();
    };
    let at = |v: f64| format!("{:.2}%", (v - low) / (high - low) * 100.0);
    let grid: String = ticks(low, high, 8)
        .into_iter()
        .map(|t| format!("<line class=grid x1={0} x2={0} y1=0 y2=100% />", at(t)))
        .collect();
    let rows: String = views
        .iter()
        .enumerate()
        .map(|(i, view)| {
            let m = &view.metrics;
            let dots: String = m
                .views
                .named()
                .iter()
                .zip([("offset", 9), ("base", 21), ("adapter", 33)])
                .filter_map(|((name, measures), (class, y))| Some(dot(name, class, y, measures.get(MAIN)?, at)))
                .collect();
            let name = escape::html(&view.name);
            format!(
                "<a class=name href=\"#view-{}\">{name}</a>\
                 <svg width=100% height=42 role=img aria-label=\"{name}: nDCG@10 of BM25, base and adapter\">{grid}{dots}</svg>\
                 <span class=\"value {}\">{}<small>{}</small></span>\n",
                i + 1,
                Gain::of(&m.gain).class(),
                signed(m.gain.value),
                signed_interval(&m.gain),
            )
        })
        .collect();
    let labels: String = ticks(low, high, 8)
        .into_iter()
        .map(|t| {
            format!("<text class=mid x={} y=14>{}</text>", at(t), decimals(t, digits(low, high, 8).max(1)))
        })
        .collect();
    format!(
        "<figure class=overview>\n<figcaption>nDCG@10 on test questions <span class=\"key offset\">BM25</span>\
         <span class=\"key base\">stored vectors</span><span class=\"key adapter\">adapter</span></figcaption>\n\
         <div class=rows>\n<span class=head>adapter</span><span></span>\
         <span class=\"head value\">gain over base, 95% interval</span>\n{rows}\
         <span></span><svg width=100% height=20 class=ticks aria-hidden=true>{labels}</svg><span></span>\n</div>\n\
         <p class=note>Marks are means over questions, lines their 95% intervals; the gain is paired.</p>\n</figure>\n"
    )
}

fn dot(name: &str, class: &str, y: u32, e: &Estimate, at: impl Fn(f64) -> String) -> String {
    let mark = match class {
        "offset" => format!("<line x1={0} x2={0} y1={1} y2={2} />", at(e.value), y - 5, y + 5),
        _ => format!("<circle cx={} cy={y} r=5 />", at(e.value)),
    };
    format!(
        "<g class={class}><line x1={} x2={} y1={y} y2={y} />{mark}<title>{name}: {} ({})</title></g>",
        at(e.low),
        at(e.high),
        score(e.value),
        interval(e.low, e.high)
    )
}
