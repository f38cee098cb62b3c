use crate::numbers::{count, duration};
use crate::{Latencies, ViewsMetrics};
use manyview_core::Latency;

/// Time of each pass on a logarithmic axis: one text alone, and one text of a batch.
pub(crate) fn html(m: &ViewsMetrics) -> String {
    let batch = m.batch_latency_ms.n.max(1);
    let groups = [
        ("One text".to_owned(), passes(m, &m.latency_ms, 1)),
        (format!("Per text, in batches of {}", count(batch)), passes(m, &m.batch_latency_ms.passes, batch)),
    ];
    let medians = || groups.iter().flat_map(|(_, g)| g).filter_map(|(_, _, l)| *l).filter(|l| l.p50 > 0.0);
    let low = medians().map(|l| l.p50).fold(f64::INFINITY, f64::min);
    let high = medians().map(|l| l.p95.max(l.p50)).filter(|v| v.is_finite()).fold(0.0, f64::max);
    if !low.is_finite() || high <= 0.0 {
        return String::new();
    }
    // The axis begins a little before the shortest bar and ends after the longest.
    let (low, high) = ((low / 3.0).log10().floor(), (high * 1.05).log10());
    let at = |ms: f64| format!("{:.2}%", ((ms.log10() - low) / (high - low) * 100.0).clamp(0.0, 100.0));
    let decades = || (low as i32..=high.floor() as i32).skip(1);
    let grid: String = decades()
        .map(|p| format!("<line class=grid x1={0} x2={0} y1=0 y2=100% />", at(10f64.powi(p))))
        .collect();
    let rows: String = groups
        .iter()
        .map(|(name, passes)| {
            let bars: String =
                passes.iter().map(|(class, name, l)| bar(class, name, l.as_ref(), &grid, at)).collect();
            format!("<span class=group>{name}</span>\n{bars}")
        })
        .collect();
    let labels: String = decades()
        .map(|p| {
            let text = duration(10f64.powi(p)).replace(".00", "").replace(".0", "");
            format!("<text class=mid x={} y=14>{text}</text>", at(10f64.powi(p)))
        })
        .collect();
    format!(
        "<h3>Time</h3>\n<figure class=latency>\n<div class=rows>\n{rows}\
         <span></span><svg width=100% height=20 class=ticks aria-hidden=true>{labels}</svg><span></span>\n\
         </div>\n<p class=note>Medians on a logarithmic axis, with a line to the 95th percentile.</p>\n</figure>\n"
    )
}

type Pass = (&'static str, &'static str, Option<Latency>);

/// What the pass is called that gives a view.
pub(crate) fn view_pass(m: &ViewsMetrics) -> &'static str {
    if m.fine_tuned { "fine-tuned pass" } else { "adapter" }
}

fn passes(m: &ViewsMetrics, l: &Latencies, texts: usize) -> [Pass; 3] {
    let each = |l: Latency| {
        let n = texts as f64;
        Latency { p50: l.p50 / n, p95: l.p95 / n, p99: l.p99 / n, calls: l.calls }
    };
    [
        ("teacher", "teacher pass", l.teacher.map(each)),
        ("base", "base pass", l.base.map(each)),
        ("adapter", view_pass(m), Some(each(l.adapter))),
    ]
}

fn bar(class: &str, name: &str, l: Option<&Latency>, grid: &str, at: impl Fn(f64) -> String) -> String {
    let Some(l) = l.filter(|l| l.p50.is_finite() && l.p50 > 0.0) else {
        return format!(
            "<span class=name>{name}</span><svg width=100% height=22 aria-hidden=true>{grid}</svg>\
             <span class=\"value none\" title=\"this pass was not timed: it does not exist here\">–</span>\n"
        );
    };
    format!(
        "<span class=name>{name}</span><svg width=100% height=22 aria-hidden=true>{grid}\
         <rect class={class} x=0 y=5 height=12 width={0} rx=2 /><line class=whisker x1={0} x2={1} y1=11 y2=11 /></svg>\
         <span class=value title=\"95th percentile {2}, 99th {3}, {4} calls\">{5}</span>\n",
        at(l.p50),
        at(l.p95.max(l.p50)),
        duration(l.p95),
        duration(l.p99),
        count(l.calls),
        duration(l.p50)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn an_absent_pass_is_a_dash_with_a_reason() {
        let mut m = sample::metrics();
        m.latency_ms.teacher = None;
        let html = html(&m);
        assert_eq!(html.matches("it does not exist here").count(), 1);
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
    }

    #[test]
    fn a_batch_is_shown_by_text() {
        let mut m = sample::metrics();
        m.batch_latency_ms.n = 50;
        m.batch_latency_ms.passes.adapter.p50 = 100.0;
        assert!(html(&m).contains(&duration(2.0)));
    }
}
