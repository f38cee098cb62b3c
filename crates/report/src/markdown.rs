use crate::finding::{Gain, finding, gain, held_out, kept, offset, speed, verdict};
use crate::latency::view_pass;
use crate::numbers::{ABSENT, count, duration, plus_minus, score, signed, signed_interval};
use crate::section::{closeness, facts_of};
use crate::view_scores::{NAMES, columns};
use crate::{Fact, Latencies, Report, Scores, ViewsMetrics, ViewsSection, escape::markdown as escape};
use manyview_core::Summary;

pub(crate) fn markdown(report: &Report<ViewsSection>) -> String {
    let mut out = Vec::new();
    if !report.sections.is_empty() {
        out.push("## Results".into());
        out.push(results(&report.sections));
        out.push(
            "Means over seeds of k-means, ± half of the 95% interval, on test texts. Gain is adapter − base in \
             V-measure, paired, with its 95% interval; bold when the interval is above zero."
                .into(),
        );
    }
    report.sections.iter().for_each(|v| out.extend(view(v)));
    frame(&report.name, &finding(&report.sections), &report.facts, out, &report.caveats, &report.reproduce)
}

/// A document around its paragraphs.
pub(crate) fn frame(
    name: &str,
    finding: &str,
    summary: &[Fact],
    main: Vec<String>,
    caveats: &[String],
    reproduce: &[String],
) -> String {
    let mut out = vec![format!("# {}", escape(name)), escape(finding)];
    if !summary.is_empty() {
        out.push("## What was done".into());
        let facts = summary.iter().map(|f| (f.label.as_str(), f.value.clone()));
        out.push(facts.map(|(l, v)| fact(l, &v)).collect::<Vec<_>>().join("\n"));
    }
    out.extend(main);
    if !caveats.is_empty() {
        out.push("## What to believe, and what not".into());
        out.push(caveats.iter().map(|c| format!("- {}", escape(c))).collect::<Vec<_>>().join("\n"));
    }
    if !reproduce.is_empty() {
        out.push("## How to reproduce".into());
        out.push(fenced(&reproduce.join("\n")));
    }
    out.join("\n\n") + "\n"
}

pub(crate) fn fact(label: &str, value: &str) -> String {
    format!("- {}: {}", escape(label), escape(value))
}

fn figure(s: Option<&Summary>) -> String {
    s.filter(|s| s.mean.is_finite()).map_or(ABSENT.into(), |s| format!("{} {}", score(s.mean), plus_minus(s)))
}

fn results(views: &[ViewsSection]) -> String {
    let heads = [
        "view",
        "base",
        "offset",
        "adapter",
        "teacher",
        "gain",
        "gain kept",
        "AMI",
        "ARI",
        "cosine",
        "neighbours",
    ];
    let mut rows = vec![row(&heads.map(String::from)), rule(heads.len())];
    rows.extend(views.iter().map(|view| {
        let m = &view.metrics;
        let v = &m.views;
        let value = signed(m.gain.value);
        let value = if Gain::of(&m.gain) == Gain::Up { format!("**{value}**") } else { value };
        row(&[
            escape(&view.name),
            figure(Some(&v.base.v_measure)),
            figure(v.offset.as_ref().map(|s| &s.v_measure)),
            figure(Some(&v.adapter.v_measure)),
            figure(v.teacher.as_ref().map(|s| &s.v_measure)),
            format!("{value} ({})", signed_interval(&m.gain)),
            kept(m).unwrap_or(ABSENT.into()),
            figure(Some(&v.adapter.ami)),
            figure(Some(&v.adapter.ari)),
            score(m.fidelity.cosine),
            score(m.fidelity.knn_overlap),
        ])
    }));
    rows.join("\n")
}

pub(crate) fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

pub(crate) fn rule(columns: usize) -> String {
    format!("|---|{}", "---:|".repeat(columns.saturating_sub(1)))
}

fn view(view: &ViewsSection) -> Vec<String> {
    let m = &view.metrics;
    let mut out = vec![format!("## {}", escape(&view.name))];
    if !m.instruction.trim().is_empty() {
        out.push(format!("> {}", escape(&m.instruction)));
    }
    out.extend(
        [gain(m), verdict(m)]
            .into_iter()
            .chain(offset(m))
            .chain(speed(m))
            .chain(held_out(m))
            .filter(|s| !s.is_empty())
            .map(|s| escape(&s)),
    );
    out.extend(view.curve.as_ref().map(|c| escape(&c.words())));
    out.push(facts_of(m).iter().map(|(label, value)| fact(label, value)).collect::<Vec<_>>().join("\n"));
    out.push(scores(m));
    out.push(escape(&closeness(m)));
    out.push(times(m));
    out
}

fn scores(m: &ViewsMetrics) -> String {
    let heads: Vec<String> = [""].into_iter().chain(NAMES).map(String::from).collect();
    let line = |name: &str, scores: Option<&Scores>| {
        let cells: Vec<String> =
            [name.to_owned()].into_iter().chain(columns(scores).iter().map(|s| figure(s.as_ref()))).collect();
        row(&cells)
    };
    [
        row(&heads),
        rule(heads.len()),
        line("base", Some(&m.views.base)),
        line("offset", m.views.offset.as_ref()),
        line("adapter", Some(&m.views.adapter)),
        line("teacher", m.views.teacher.as_ref()),
    ]
    .join("\n")
}

fn times(m: &ViewsMetrics) -> String {
    let line = |name: String, l: &Latencies, texts: usize| {
        let time = |ms: Option<f64>| ms.map_or(ABSENT.into(), |ms| duration(ms / texts as f64));
        let cells =
            [name, time(l.teacher.map(|l| l.p50)), time(l.base.map(|l| l.p50)), time(Some(l.adapter.p50))];
        row(&cells)
    };
    let batch = m.batch_latency_ms.n.max(1);
    let heads = ["median time", "teacher pass", "base pass", view_pass(m)];
    [
        row(&heads.map(String::from)),
        rule(heads.len()),
        line("one text".into(), &m.latency_ms, 1),
        line(format!("per text, in batches of {}", count(batch)), &m.batch_latency_ms.passes, batch),
    ]
    .join("\n")
}

/// A code block whose fence is longer than any run of backticks inside.
pub(crate) fn fenced(code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let code: String = code.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    format!("{fence}sh\n{code}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn markdown_has_every_view_verdict_and_command() {
        let report = sample::report();
        let markdown = markdown(&report);
        for view in &report.sections {
            assert!(markdown.contains(&format!("## {}", escape(&view.name))), "{markdown}");
            assert!(markdown.contains(&escape(&verdict(&view.metrics))), "{markdown}");
        }
        for command in &report.reproduce {
            assert!(markdown.contains(command), "{markdown}");
        }
    }

    #[test]
    fn a_name_cannot_break_a_table() {
        let mut report = sample::report();
        report.sections[0].name = "a | b\n<script>".into();
        let markdown = markdown(&report);
        assert!(
            markdown.contains("| a \\| b &lt;script&gt; |") && !markdown.contains("<script"),
            "{markdown}"
        );
    }

    #[test]
    fn a_command_with_backticks_stays_inside_its_fence() {
        assert!(fenced("echo ```").starts_with("````sh\n"));
    }
}
