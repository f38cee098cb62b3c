use crate::escape;
use crate::finding::{gain, held_out, offset, speed, verdict};
use crate::numbers::{count, counted, duration, figure, percent, score};
use crate::{ViewsMetrics, ViewsSection, latency, map, view_scores};

/// The name of a view's section inside the page.
pub(crate) fn anchor(view: &ViewsSection, views: &[ViewsSection]) -> String {
    let at = views.iter().position(|v| std::ptr::eq(v, view)).unwrap_or_default();
    format!("view-{}", at + 1)
}

/// One view: what was asked, what was found, maps, fit, time and all scores.
pub(crate) fn html(view: &ViewsSection, views: &[ViewsSection]) -> String {
    let m = &view.metrics;
    let instruction = if m.instruction.trim().is_empty() {
        String::new()
    } else {
        format!("<blockquote>{}</blockquote>\n", escape::html(&m.instruction))
    };
    let said = [gain(m), verdict(m)].join(" ");
    let more = offset(m).into_iter().chain(speed(m)).chain(held_out(m)).collect::<Vec<_>>().join(" ");
    let fit = view.curve.as_ref().map_or(String::new(), |c| {
        format!("<h3>Fit</h3>\n<p>{}</p>\n<div class=charts>{}</div>\n", escape::html(&c.words()), c.charts())
    });
    format!(
        "<section id={}>\n<h2>{}</h2>\n{instruction}<p class=verdict>{}</p>\n<p>{}</p>\n{}\
         <div class=pair><div><h3>Scores</h3>\n{}<p class=note>{}</p></div>\n<div>{}</div></div>\n{fit}\
         <h3>Details</h3>\n{}</section>\n",
        anchor(view, views),
        escape::html(&view.name),
        escape::html(said.trim_end()),
        escape::html(&more),
        map::html(&view.maps, &m.label),
        view_scores::all(&m.views),
        escape::html(&closeness(m)),
        latency::html(m),
        facts(m),
    )
}

/// How close the view is to the teacher, in words.
pub(crate) fn closeness(m: &ViewsMetrics) -> String {
    let f = &m.fidelity;
    let base = f.base_cosine.map_or(String::new(), |b| format!(" (base {})", score(b)));
    format!(
        "Close to the teacher (measured on {}): cosine {}{base}; {} of the {} nearest neighbours shared (base {}).",
        f.measured_on,
        score(f.cosine),
        percent(f.knn_overlap),
        f.knn,
        percent(f.base_knn_overlap)
    )
}

/// What the figures of a view are of: label and value.
pub(crate) fn facts_of(m: &ViewsMetrics) -> Vec<(&'static str, String)> {
    let metrics: Vec<String> =
        m.fit.metrics.iter().map(|(k, v)| format!("{} {}", k.replace('_', " "), figure(*v))).collect();
    let seconds = duration(m.fit.seconds * 1e3);
    let mut fit = format!("{} on {} in {seconds}", m.fit.method, counted(m.n_train, "text", "texts"));
    if !metrics.is_empty() {
        fit.push_str(&format!(": {}", metrics.join(", ")));
    }
    let encoder: String = m.encoder_fingerprint.chars().take(12).collect();
    let e = &m.encoding;
    vec![
        ("Corpus", format!("{}, encoded by {} ({encoder})", m.dataset, m.encoder)),
        ("Teacher", m.teacher.clone()),
        ("Scored by", format!("{}, {}", m.label, counted(m.classes, "class", "classes"))),
        (
            "Texts",
            format!("{} to fit, {} held back, {} to test", count(m.n_train), count(m.n_val), count(m.n_test)),
        ),
        ("Fit", fit),
        ("Encoding", e.sentence()),
    ]
}

fn facts(m: &ViewsMetrics) -> String {
    let facts: String = facts_of(m)
        .into_iter()
        .map(|(label, value)| format!("<div><dt>{label}</dt><dd>{}</dd></div>", escape::html(&value)))
        .collect();
    format!("<dl class=facts>{facts}</dl>\n")
}
