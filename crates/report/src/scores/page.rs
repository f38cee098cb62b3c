use super::cells::{COLUMNS, cells, estimate, facts, fitted, gain, maybe, rows, short};
use super::{ScoresSection, TierMetrics, charts};
use crate::Report;
use crate::escape;
use crate::numbers::{decimals, percent, score};
use crate::page;

pub(super) fn html(report: &Report<ScoresSection>) -> String {
    let finding = match report.sections.as_slice() {
        [] => "Nothing was measured.".into(),
        [one] => one.finding(),
        several => {
            let word = |v: &ScoresSection| format!("{} {}", v.name, v.metrics.decision.verdict.as_str());
            let words: Vec<String> = several.iter().map(word).collect();
            format!("{} heads: {}.{}", several.len(), words.join(", "), least(several))
        }
    };
    let several = if report.sections.len() > 1 { overview(report) } else { String::new() };
    let sections: String = report.sections.iter().map(section).collect();
    page::whole(
        &report.name,
        &finding,
        &format!(
            "{several}{sections}{}{}{}",
            page::done(&report.facts),
            page::caveats(&report.caveats),
            page::reproduce(&report.reproduce)
        ),
    )
}

/// Which head errs least.
fn least(views: &[ScoresSection]) -> String {
    let mae = |v: &&ScoresSection| v.metrics.overall.head.mae.value;
    let best = views.iter().filter(|v| mae(v).is_finite()).min_by(|a, b| mae(a).total_cmp(&mae(b)));
    best.map_or(String::new(), |v| {
        let (head, mean) = (mae(&v), v.metrics.overall.mean.mae.value);
        format!(
            " The least error is that of {}: {}, where predicting the mean has {}.",
            v.name,
            score(head),
            score(mean)
        )
    })
}

fn stamp(view: &ScoresSection) -> String {
    let word = view.metrics.decision.verdict.as_str();
    format!("<span class=\"stamp {}\">{word}</span>", word.to_lowercase())
}

/// All heads in one table.
fn overview(report: &Report<ScoresSection>) -> String {
    let heads = ["head", "decision", "MAE", "MAE of the mean", "MAE of neighbours", "error gone", "Spearman"];
    let body: String = report
        .sections
        .iter()
        .map(|view| {
            let o = &view.metrics.overall;
            let cells = [
                estimate(&o.head.mae),
                (estimate(&o.mean.mae).0, String::new()),
                (estimate(&o.neighbours.mae).0, String::new()),
                gain(o.gain.as_ref()),
                maybe(o.head.spearman.as_ref()),
            ];
            format!(
                "<tr><th scope=row>{}</th><td>{}</td>{}</tr>\n",
                escape::html(&view.name),
                stamp(view),
                tds(&cells)
            )
        })
        .collect();
    format!(
        "<section>\n<h2>Results</h2>\n{}<p class=note>Means over the dimensions, on test texts; below each its 95% \
         interval over texts.</p>\n</section>\n",
        table("main", &heads, &body)
    )
}

fn section(view: &ScoresSection) -> String {
    let m = &view.metrics;
    let reasons: String =
        m.decision.reasons.iter().map(|r| format!("<li>{}</li>\n", escape::html(r))).collect();
    let all = rows(m);
    let body: String = all
        .iter()
        .map(|row| format!("<tr><th scope=row>{}</th>{}</tr>\n", escape::html(&row.name), tds(&cells(row))))
        .collect();
    let facts: String = facts(m)
        .into_iter()
        .map(|(label, value)| format!("<div><dt>{label}</dt><dd>{}</dd></div>\n", escape::html(&value)))
        .collect();
    format!(
        "<section>\n<h2>{}</h2>\n<p>{}</p>\n<ul class=reasons>\n{reasons}</ul>\n<div class=charts>{}</div>\n\
         <h3>Errors</h3>\n{}<p class=note>In the unit of the scores, on {} test texts; below a figure its 95% interval \
         over texts. <b>Error gone</b> is the share of the mean's absolute error that the head takes away. Spearman is \
         the correlation of ranks, R² the share of the variance explained.</p>\n{}\
         <h3>Predicted and true</h3>\n<div class=charts>{}</div>\n\
         <h3>Fit</h3>\n<p>{}</p>\n<div class=charts>{}</div>\n{}<h3>Details</h3>\n<dl class=facts>\n{facts}</dl>\n\
         </section>\n",
        escape::html(&view.name),
        stamp(view),
        charts::bars(&all),
        table("wrap", &COLUMNS, &body),
        m.n_test,
        tiers(&m.tiers),
        charts::scatters(view),
        escape::html(&fitted(m, &view.curve)),
        charts::curves(view),
        worst(view),
    )
}

fn tiers(tiers: &[TierMetrics]) -> String {
    if tiers.is_empty() {
        return String::new();
    }
    let heads = ["tier", "from", "precision", "recall", "F1", "F1 of neighbours", "test texts"];
    let body: String = tiers
        .iter()
        .map(|t| {
            let from = t.threshold.map_or(String::new(), |v| decimals(v, 1));
            let figures = [t.precision, t.recall, t.f1, t.neighbours_f1].map(|v| (percent(v), String::new()));
            format!(
                "<tr><th scope=row>{}</th><td>{from}</td>{}<td>{}</td></tr>\n",
                escape::html(&t.name),
                tds(&figures),
                t.texts
            )
        })
        .collect();
    format!(
        "<h3>Tiers of the weighted score</h3>\n{}<p class=note>Precision: of the texts predicted in a tier, the share that \
         lies in it. Recall: of the texts in it, the share that is predicted there.</p>\n",
        table("", &heads, &body)
    )
}

fn worst(view: &ScoresSection) -> String {
    if view.worst.is_empty() {
        return String::new();
    }
    let names = view.metrics.dimensions.iter().map(|d| d.name.as_str());
    let heads: Vec<&str> = ["id", "text"].into_iter().chain(names).collect();
    let row = |w: &super::WorstText| {
        let pairs = w.truth.iter().zip(&w.predicted);
        let figures: String =
            pairs.map(|(t, p)| format!("<td>{}<small>true {}</small></td>", short(*p), short(*t))).collect();
        format!(
            "<tr><th scope=row>{}</th><td>{}</td>{figures}</tr>\n",
            escape::html(&w.id),
            escape::html(&escape::short(&w.text, 220))
        )
    };
    let body: String = view.worst.iter().map(row).collect();
    format!("<h3>Where it is furthest off</h3>\n{}", table("texts", &heads, &body))
}

fn table(class: &str, heads: &[&str], body: &str) -> String {
    let heads: String = heads.iter().map(|h| format!("<th scope=col>{}</th>", escape::html(h))).collect();
    format!(
        "<div class=scroll tabindex=0><table class=\"{class}\">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )
}

fn tds(cells: &[(String, String)]) -> String {
    let small = |s: &str| if s.is_empty() { String::new() } else { format!("<small>{s}</small>") };
    cells.iter().map(|(value, below)| format!("<td>{value}{}</td>", small(below))).collect()
}

#[cfg(test)]
mod tests {
    use crate::scores::sample;

    #[test]
    fn the_page_is_self_contained_and_has_every_head() {
        let html = sample::report().html();
        for outside in ["http://", "https://", "src=", "<script", "<link", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
        for word in
            ["ridge", "mlp", "REVIEW", "0.123", "some is gone", "epoch 2", "λ = 1", "33%", "true 1.00"]
        {
            assert!(html.contains(word), "{word}");
        }
    }

    #[test]
    fn no_name_or_text_becomes_markup_and_no_figure_is_nan() {
        let evil = "<script>x</script>";
        let mut report = sample::report();
        report.name = evil.into();
        let view = &mut report.sections[0];
        view.name = evil.into();
        view.metrics.dimensions[0].name = evil.into();
        view.metrics.dimensions[0].head.mae.value = f64::NAN;
        view.metrics.decision.reasons = vec![evil.into()];
        view.metrics.tiers[0].name = evil.into();
        view.points[0][0] = (f64::NAN, 1.0);
        view.worst[0].text = evil.into();
        view.worst[0].id = evil.into();
        for text in [report.html(), report.markdown()] {
            assert!(!text.contains("<script") && !text.contains("NaN"), "{text}");
        }
    }

    #[test]
    fn one_head_needs_no_table_of_heads_and_none_is_still_a_page() {
        let mut report = sample::report();
        assert!(report.html().contains("2 heads"));
        report.sections.truncate(1);
        assert!(!report.html().contains("<h2>Results</h2>"));
        report.sections.clear();
        assert!(report.html().contains("Nothing was measured."));
    }
}
