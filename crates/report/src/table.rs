use crate::escape::line;
use crate::finding::verdict;
use crate::numbers::{ABSENT, percent, score, signed, times};
use crate::{Report, ViewsSection};

/// Columns of a terminal that are used.
const WIDTH: usize = 110;
/// Between two columns.
const GAP: &str = "  ";
/// The least a view's name is cut to.
const NAME: usize = 8;

pub(crate) fn table(report: &Report<ViewsSection>) -> String {
    let heads =
        ["view", "base", "offset", "adapter", "teacher", "gain [95% interval]", "gain kept", "speed-up"];
    let mut rows = vec![heads.map(String::from)];
    rows.extend(report.sections.iter().map(row));
    let mut out = aligned(&rows);
    for view in report.sections.iter().filter(|v| v.metrics.gain_kept.is_none()) {
        let said = verdict(&view.metrics);
        if !said.is_empty() {
            out.push_str(&wrapped(&format!("{}: {said}", line(&view.name))));
        }
    }
    out
}

/// Rows of which the first names the columns: names to the left and cut where they are too long, figures to the right.
pub(crate) fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        widths.iter_mut().zip(row).for_each(|(w, cell)| *w = columns(cell).max(*w));
    }
    let (name, figures) = widths.split_first().map_or((0, &[][..]), |(n, f)| (*n, f));
    let room = WIDTH.saturating_sub(figures.iter().map(|w| w + GAP.len()).sum());
    let name = name.min(room.max(NAME));

    let mut out = String::new();
    for row in rows {
        let Some((first, rest)) = row.split_first() else { continue };
        let first = cut(first, name);
        let mut text = first.clone() + &" ".repeat(name - columns(&first));
        for (cell, width) in rest.iter().zip(figures) {
            text.push_str(GAP);
            text.push_str(&" ".repeat(width - columns(cell)));
            text.push_str(cell);
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

fn row(view: &ViewsSection) -> [String; 8] {
    let m = &view.metrics;
    let v = &m.views;
    [
        line(&view.name),
        score(v.base.v_measure.mean),
        v.offset.map_or(ABSENT.into(), |s| score(s.v_measure.mean)),
        score(v.adapter.v_measure.mean),
        v.teacher.map_or(ABSENT.into(), |s| score(s.v_measure.mean)),
        format!("{} [{}, {}]", signed(m.gain.value), signed(m.gain.low), signed(m.gain.high)),
        m.gain_kept.map_or(ABSENT.into(), |k| {
            format!("{} [{}, {}]", percent(k.value), percent(k.low), percent(k.high))
        }),
        m.speedup.map_or(ABSENT.into(), times),
    ]
}

/// Columns a terminal gives a text; East Asian characters and pictures take two.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{1100}' && !('\u{2000}'..'\u{2e80}').contains(&c) { 2 } else { 1 }).sum()
}

fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if columns(&out) + columns(c.encode_utf8(&mut [0; 4])) >= width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Lines of at most [`WIDTH`] columns, all but the first indented.
pub(crate) fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in line(text).split(' ') {
        let word = cut(word, WIDTH - 2);
        if used > 0 && used + 1 + columns(&word) > WIDTH {
            out.push_str("\n  ");
            used = 2;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        used += columns(&word);
        out.push_str(&word);
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_table_is_aligned_and_fits_a_terminal() {
        let mut report = sample::report();
        report.sections[0].name = "a rather long name of a view that nobody would like to type twice".into();
        report.sections[1].name = "主题 🎉 \u{1b}[31m".into();
        report.sections[2].metrics.verdict = "word ".repeat(60);
        let table = table(&report);
        assert!(table.lines().all(|l| columns(l) <= WIDTH), "{table}");
        assert!(!table.contains('\u{1b}'), "{table}");
        let ends: Vec<_> = table.lines().take(report.sections.len() + 1).map(columns).collect();
        assert!(ends.iter().all(|e| *e == ends[0]), "{table}");
    }

    #[test]
    fn an_absent_figure_is_a_dash_and_its_verdict_follows() {
        let report = sample::report();
        let table = table(&report);
        let without = report.sections.iter().find(|v| v.metrics.gain_kept.is_none()).unwrap();
        assert!(table.contains(&format!("{}: {}", without.name, verdict(&without.metrics))), "{table}");
        assert!(table.contains(ABSENT), "{table}");
    }
}
