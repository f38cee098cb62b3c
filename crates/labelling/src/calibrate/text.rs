use super::Report;
use std::fmt::Write;

/// The report for people.
pub(super) fn markdown(report: &Report) -> String {
    let what = if report.validates.is_some() { "Validation" } else { "Calibration" };
    let mut text = format!(
        "# {what} of {} {}: {}\n\n{} texts, labelled by {}.\n\n",
        report.filter,
        report.version,
        report.decision.word(),
        report.rows,
        report.model
    );
    for finding in &report.findings {
        line(&mut text, format!("- {}: {}", finding.decision.word(), finding.says));
    }
    text += "\n| group | texts | mean | expected | agreement | 95% interval |\n|---|---|---|---|---|---|\n";
    for group in &report.groups {
        let range =
            |range: Option<[f64; 2]>| range.map_or_else(|| "–".into(), |[a, b]| format!("{a} to {b}"));
        let share = |share: Option<f64>| share.map_or_else(|| "–".into(), |s| format!("{:.0}%", 100.0 * s));
        let interval = group
            .interval
            .map_or_else(|| "–".into(), |[a, b]| format!("{:.0}% to {:.0}%", 100.0 * a, 100.0 * b));
        line(
            &mut text,
            format!(
                "| {} | {} | {:.2} | {} | {} | {interval} |",
                group.group.name(),
                group.rows,
                group.mean,
                range(group.expected),
                share(group.agreement)
            ),
        );
    }
    text += "\n| dimension | mean | standard deviation | at the least | at the greatest | labelled again |\n|---|---|---|---|---|---|\n";
    for (place, dimension) in report.dimensions.iter().enumerate() {
        let moved = report.disagreement.as_ref().and_then(|found| found.dimensions.get(place));
        line(
            &mut text,
            format!(
                "| {} | {:.2} | {:.2} | {:.0}% | {:.0}% | {} |",
                dimension.name,
                dimension.mean,
                dimension.sd,
                100.0 * dimension.at_least,
                100.0 * dimension.at_greatest,
                moved.map_or_else(|| "–".into(), |moved| format!("{moved:.2}"))
            ),
        );
    }
    if let Some(found) = &report.disagreement {
        let (pairs, weighted, tiers) = (found.pairs, found.weighted, 100.0 * found.tiers);
        line(
            &mut text,
            format!(
                "\nOf {pairs} texts labelled again the weighted mean moved by {weighted:.2}, and {tiers:.0}% changed their tier."
            ),
        );
    }
    elsewhere(&mut text, report);
    if let Some(cost) = &report.cost {
        let currency = &cost.currency;
        line(
            &mut text,
            format!("\nCost: {:.4} {currency} so far, {:.6} {currency} a text.", cost.so_far, cost.each),
        );
        if let Some((texts, sum)) = cost.batch {
            line(&mut text, format!("A batch of {texts} texts would cost about {sum:.2} {currency}."));
        }
    }
    text
}

/// The texts that were scored otherwise than expected: what to read before the prompt is changed.
fn elsewhere(text: &mut String, report: &Report) {
    const MOST: usize = 10;
    for group in report.groups.iter().filter(|group| !group.elsewhere.is_empty()) {
        line(text, format!("\nElsewhere than expected, {}:\n", group.group.name()));
        for (id, title, mean) in group.elsewhere.iter().take(MOST) {
            line(text, format!("- {mean:.2}: `{id}` {title}"));
        }
        if group.elsewhere.len() > MOST {
            line(text, format!("- and {} more", group.elsewhere.len() - MOST));
        }
    }
}

fn line(text: &mut String, line: String) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}
