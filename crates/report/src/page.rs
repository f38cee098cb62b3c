use crate::escape;
use crate::finding::finding;
use crate::{Fact, Report, ViewsSection, overview, section, view_scores};

const STYLE: &str = include_str!("page.css");

pub(crate) fn html(report: &Report<ViewsSection>) -> String {
    let views = &report.sections;
    let overview = if views.len() >= 2 { overview::html(views) } else { String::new() };
    let sections: String = views.iter().map(|v| section::html(v, views)).collect();
    let table = if views.is_empty() {
        String::new()
    } else {
        format!(
            "<section>\n<h2>Results</h2>\n{}<p class=note>Means over seeds of k-means, ± half of the 95% interval; all \
             scores are of test texts. Offset is the stored vectors moved by their mean difference to the teacher. Gain is adapter − base in V-measure, paired, with its 95% interval: \
             <b class=up>bold</b> when above zero, <span class=unclear>muted</span> when it includes zero, \
             <span class=down>red</span> when below. Kept is the share of the teacher's gain. AMI and ARI are the \
             adapter's. Neighbours is the mean share of nearest neighbours that adapter and teacher agree on.</p>\n\
             </section>\n",
            view_scores::table(views)
        )
    };
    let content = format!(
        "{overview}{}{table}{sections}{}{}",
        done(&report.facts),
        caveats(&report.caveats),
        reproduce(&report.reproduce)
    );
    whole(&report.name, &finding(views), &content)
}

/// A page of its own: a title, what was found, and what stands below, which is markup.
pub(crate) fn whole(name: &str, finding: &str, content: &str) -> String {
    let name = escape::html(name);
    format!(
        "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
         <meta name=color-scheme content=\"light dark\">\n<title>{name} · Manyview</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<header>\n<p class=brand>Manyview report</p>\n<h1>{name}</h1>\n<p class=finding>{}</p>\n</header>\n\
         <main>\n{content}</main>\n\
         <footer>Made by manyview {}.</footer>\n</body>\n</html>\n",
        escape::html(finding),
        env!("CARGO_PKG_VERSION"),
    )
}

pub(crate) fn done(summary: &[Fact]) -> String {
    if summary.is_empty() {
        return String::new();
    }
    let facts: String = summary
        .iter()
        .map(|f| {
            format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape::html(&f.label), escape::html(&f.value))
        })
        .collect();
    format!("<section>\n<h2>What was done</h2>\n<dl class=facts>\n{facts}</dl>\n</section>\n")
}

pub(crate) fn caveats(caveats: &[String]) -> String {
    if caveats.is_empty() {
        return String::new();
    }
    let items: String = caveats.iter().map(|c| format!("<li>{}</li>\n", escape::html(c))).collect();
    format!(
        "<section class=caveats>\n<h2>What to believe, and what not</h2>\n<ul>\n{items}</ul>\n</section>\n"
    )
}

pub(crate) fn reproduce(commands: &[String]) -> String {
    if commands.is_empty() {
        return String::new();
    }
    let commands = escape::html(&commands.join("\n"));
    format!(
        "<section>\n<h2>How to reproduce</h2>\n<pre tabindex=0><code>{commands}</code></pre>\n</section>\n"
    )
}

#[cfg(test)]
mod tests {
    use crate::numbers::{score, signed};
    use crate::{ViewsSection, sample};

    #[test]
    fn the_page_is_self_contained() {
        let html = sample::report().html();
        for outside in ["http://", "https://", "src=", "<script", "<link", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
    }

    #[test]
    fn the_page_has_every_view_and_its_figures() {
        let report = sample::report();
        let html = report.html();
        for view in &report.sections {
            let m = &view.metrics;
            let mut figures = vec![view.name.clone(), m.instruction.clone(), signed(m.gain.value)];
            figures.push(score(m.fidelity.cosine));
            for scores in [Some(m.views.base), m.views.offset, Some(m.views.adapter), m.views.teacher]
                .into_iter()
                .flatten()
            {
                figures.extend(
                    [scores.v_measure, scores.homogeneity, scores.ami, scores.ari].map(|s| score(s.mean)),
                );
            }
            for figure in figures {
                assert!(html.contains(&figure), "{figure} of {}", view.name);
            }
        }
        for text in report.caveats.iter().chain(&report.reproduce) {
            assert!(html.contains(&crate::escape::html(text)), "{text}");
        }
    }

    #[test]
    fn no_name_or_text_becomes_markup() {
        let mut report = sample::report();
        let evil = "<script>alert('x')</script>\u{0}\u{1b}";
        report.name = evil.into();
        report.facts[0].value = evil.into();
        report.caveats = vec![evil.into()];
        report.reproduce = vec![evil.into()];
        let view = &mut report.sections[0];
        view.name = evil.into();
        for text in [&mut view.metrics.instruction, &mut view.metrics.verdict, &mut view.metrics.label] {
            *text = evil.into();
        }
        view.metrics.gain_kept = None;
        for text in
            [&mut view.metrics.encoder, &mut view.metrics.fit.method, &mut view.metrics.fidelity.measured_on]
        {
            *text = evil.into();
        }
        view.maps[0].title = evil.into();
        view.maps[0].label_names[0] = evil.into();
        view.maps[0].texts[0] = evil.into();
        let html = report.html();
        assert!(!html.contains("<script") && !html.contains(['\u{0}', '\u{1b}']));
        assert!(html.contains("&lt;script&gt;"));
    }

    #[test]
    fn figures_that_are_no_numbers_never_reach_the_page() {
        let mut report = sample::report();
        let m = &mut report.sections[1].metrics;
        for v in [
            &mut m.gain.value,
            &mut m.gain.low,
            &mut m.views.adapter.v_measure.mean,
            &mut m.latency_ms.adapter.p50,
        ] {
            *v = f64::NAN;
        }
        m.speedup = Some(f64::INFINITY);
        let html = report.html();
        assert!(!html.contains("NaN") && !html.contains(">inf"));
    }

    #[test]
    fn an_empty_report_is_a_page() {
        let report = crate::Report {
            name: "Empty".into(),
            facts: vec![],
            sections: Vec::<ViewsSection>::new(),
            reproduce: vec![],
            caveats: vec![],
        };
        assert!(report.html().contains("Nothing was measured."));
    }

    #[test]
    fn one_view_needs_no_overview() {
        let mut report = sample::report();
        assert!(report.html().contains("class=overview"));
        report.sections.truncate(1);
        assert!(!report.html().contains("class=overview"));
    }

    #[test]
    fn six_views_of_four_hundred_points_stay_small() {
        let mut report = sample::report();
        let view = sample::view("large", 400);
        report.sections = vec![view; 6];
        let html = report.html();
        assert!(html.len() < 1_500_000, "{} bytes", html.len());
    }
}
