use crate::ViewsSection;
use crate::axis::{digits, range, ticks};
use crate::escape;
use crate::finding::Gain;
use crate::numbers::{decimals, interval, score, signed, signed_interval};
use manyview_core::Summary;

/// Base and adapter of each view on one axis, with their intervals; the teacher as a mark.
pub(crate) fn html(views: &[ViewsSection]) -> String {
    let summaries = |v: &ViewsSection| {
        let s = &v.metrics.views;
        [Some(s.base), s.offset, Some(s.adapter), s.teacher].map(|s| s.map(|s| s.v_measure).filter(finite))
    };
    let ends = views.iter().flat_map(summaries).flatten().flat_map(|s| [s.mean, s.low, s.high]);
    let Some((low, high)) = range(ends, 0.05) else { return String::new() };
    let at = |v: f64| format!("{:.2}%", (v - low) / (high - low) * 100.0);
    let grid: String = ticks(low, high, 8)
        .into_iter()
        .map(|t| format!("<line class=grid x1={0} x2={0} y1=0 y2=100% />", at(t)))
        .collect();

    let rows: String = views
        .iter()
        .map(|view| {
            let [base, offset, adapter, teacher] = summaries(view);
            let gain = &view.metrics.gain;
            let slope = base.zip(adapter).map_or(String::new(), |(b, a)| {
                format!("<line class=slope x1={} y1=13 x2={} y2=29 />", at(b.mean), at(a.mean))
            });
            let teacher = teacher.map_or(String::new(), |t| {
                let x = at(t.mean);
                format!("<g class=teacher><line x1={x} x2={x} y1=6 y2=36 />{}</g>", title("teacher", &t))
            });
            let offset = offset.map_or(String::new(), |t| {
                let x = at(t.mean);
                format!("<g class=offset><line x1={x} x2={x} y1=7 y2=19 />{}</g>", title("offset", &t))
            });
            let name = escape::html(&view.name);
            format!(
                "<a class=name href=\"#{}\">{name}</a>\
                 <svg width=100% height=42 role=img aria-label=\"{name}: V-measure {}\">{grid}{slope}{teacher}{offset}{}{}</svg>\
                 <span class=\"value {}\">{}<small>{}</small></span>\n",
                crate::section::anchor(view, views),
                base.zip(adapter).map_or(String::new(), |(b, a)| format!("{} to {}", score(b.mean), score(a.mean))),
                base.map_or(String::new(), |s| dot("base", 13, &s, at)),
                adapter.map_or(String::new(), |s| dot("adapter", 29, &s, at)),
                Gain::of(gain).class(),
                signed(gain.value),
                signed_interval(gain),
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
        "<figure class=overview>\n<figcaption>V-measure by view <span class=\"key base\">stored vectors</span>\
         <span class=\"key offset\">offset</span><span class=\"key adapter\">adapter</span>\
         <span class=\"key teacher\">teacher</span></figcaption>\n<div class=rows>\n\
         <span class=head>view</span><span></span><span class=\"head value\">gain, 95% interval</span>\n{rows}\
         <span></span><svg width=100% height=20 class=ticks aria-hidden=true>{labels}</svg><span></span>\n</div>\n\
         <p class=note>Dots are means over seeds of k-means, lines their 95% intervals.</p>\n</figure>\n"
    )
}

fn dot(class: &str, y: u32, s: &Summary, at: impl Fn(f64) -> String) -> String {
    format!(
        "<g class={class}><line x1={} x2={} y1={y} y2={y} /><circle cx={} cy={y} r=5 />{}</g>",
        at(s.low),
        at(s.high),
        at(s.mean),
        title(class, s)
    )
}

fn finite(s: &Summary) -> bool {
    [s.mean, s.low, s.high].iter().all(|v| v.is_finite())
}

fn title(name: &str, s: &Summary) -> String {
    format!("<title>{name}: {} ({})</title>", score(s.mean), interval(s.low, s.high))
}
