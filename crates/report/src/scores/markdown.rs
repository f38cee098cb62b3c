use super::ScoresSection;
use super::cells::{COLUMNS, cells, facts, fitted, rows, short};
use crate::Report;
use crate::escape::{markdown as escape, short as cut};
use crate::numbers::percent;

pub(super) fn markdown(report: &Report<ScoresSection>) -> String {
    let mut out = vec![format!("# {}", escape(&report.name))];
    report.sections.iter().for_each(|view| out.extend(section(view)));
    let bullets =
        |items: &[String]| items.iter().map(|i| format!("- {}", escape(i))).collect::<Vec<_>>().join("\n");
    if !report.facts.is_empty() {
        out.push("## What was done".into());
        out.push(bullets(
            &report.facts.iter().map(|f| format!("{}: {}", f.label, f.value)).collect::<Vec<_>>(),
        ));
    }
    if !report.caveats.is_empty() {
        out.push("## What to believe, and what not".into());
        out.push(bullets(&report.caveats));
    }
    if !report.reproduce.is_empty() {
        out.push("## How to reproduce".into());
        out.push(format!("```sh\n{}\n```", report.reproduce.join("\n")));
    }
    out.join("\n\n") + "\n"
}

fn section(view: &ScoresSection) -> Vec<String> {
    let m = &view.metrics;
    let reasons: Vec<String> = m.decision.reasons.iter().map(|r| format!("- {}", escape(r))).collect();
    let errors = rows(m).into_iter().map(|row| {
        let cells = cells(row).into_iter().map(|(value, below)| match below.is_empty() {
            true => value,
            false => format!("{value} ({below})"),
        });
        [escape(&row.name)].into_iter().chain(cells).collect()
    });
    let facts: Vec<String> =
        facts(m).into_iter().map(|(label, value)| format!("- {label}: {}", escape(&value))).collect();
    let mut out = vec![
        format!("## {}", escape(&view.name)),
        format!("**{}**", m.decision.verdict.as_str()),
        reasons.join("\n"),
        table(&COLUMNS, errors),
        format!("On {} test texts, with 95% intervals over texts.", m.n_test),
    ];
    if !m.tiers.is_empty() {
        let rows = m.tiers.iter().map(|t| {
            let shares = [t.precision, t.recall, t.f1, t.neighbours_f1].map(percent);
            [escape(&t.name)].into_iter().chain(shares).chain([t.texts.to_string()]).collect()
        });
        out.push(table(&["tier", "precision", "recall", "F1", "F1 of neighbours", "test texts"], rows));
    }
    out.push(escape(&fitted(m, &view.curve)));
    if !view.worst.is_empty() {
        let names = m.dimensions.iter().map(|d| d.name.as_str());
        let heads: Vec<&str> = ["id", "text"].into_iter().chain(names).collect();
        let rows = view.worst.iter().map(|w| {
            let pairs = w.truth.iter().zip(&w.predicted);
            let figures = pairs.map(|(t, p)| format!("{} (true {})", short(*p), short(*t)));
            [escape(&w.id), escape(&cut(&w.text, 120))].into_iter().chain(figures).collect()
        });
        out.push("Where it is furthest off:".into());
        out.push(table(&heads, rows));
    }
    out.push(facts.join("\n"));
    out
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(|h| escape(h)).collect();
    let rule = format!("|{}", "---|".repeat(heads.len()));
    [line(&heads), rule].into_iter().chain(rows.map(|row| line(&row))).collect::<Vec<_>>().join("\n")
}
