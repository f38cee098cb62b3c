use super::report::Report;
use super::settings::Settings;
use super::{Group, GroupFigures};
use serde::{Deserialize, Serialize};

/// What to do with a prompt. The worst finding decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Decision {
    /// Go on.
    Pass,
    /// Mend the prompt, label the same sample again.
    Review,
    /// Write the prompt anew.
    Fail,
}

impl Decision {
    /// As reports say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Review => "REVIEW",
            Self::Fail => "FAIL",
        }
    }
}

/// One reason for a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it comes to alone.
    pub decision: Decision,
    /// What was found, and what was expected.
    pub says: String,
}

/// Every reason; `calibration` is the report that this one validates.
pub(super) fn findings(report: &Report, settings: &Settings, calibration: Option<&Report>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |decision, says: String| findings.push(Finding { decision, says });
    for group in [Group::Positive, Group::Negative] {
        if !report.groups.iter().any(|figures| figures.group == group) {
            say(Decision::Fail, format!("{}: no text of the group has a label", group.name()));
        }
    }
    for figures in &report.groups {
        let name = figures.group.name();
        if figures.group != Group::Edge && figures.rows < settings.rows {
            say(
                Decision::Review,
                format!("{name}: {} texts are too few to tell; label {}", figures.rows, settings.rows),
            );
        }
        if let (Some(agreement), Some([low, high])) = (figures.agreement, figures.expected) {
            let decision = three(agreement >= settings.agreement, agreement >= settings.agreement_review);
            say(
                decision,
                format!(
                    "{name}: {:.0}% of {} texts score from {low} to {high}; expected {:.0}%",
                    100.0 * agreement,
                    figures.rows,
                    100.0 * settings.agreement
                ),
            );
        }
    }
    if let (Some(positive), Some(negative)) = (mean(report, Group::Positive), mean(report, Group::Negative)) {
        let apart = positive - negative;
        say(
            three(apart >= settings.separation, apart > 0.0),
            format!(
                "texts on the topic score {apart:.2} above texts off it; expected {}",
                settings.separation
            ),
        );
    }
    for dimension in &report.dimensions {
        let name = &dimension.name;
        if dimension.sd < settings.spread {
            let says = format!(
                "{name}: standard deviation {:.2}, expected {}: it tells texts apart badly",
                dimension.sd, settings.spread
            );
            say(Decision::Review, says);
        }
        let ends = dimension.at_least.max(dimension.at_greatest);
        if ends > settings.saturation {
            let says = format!(
                "{name}: {:.0}% of texts not off the topic are at one end of the scale; expected at most {:.0}%",
                100.0 * ends,
                100.0 * settings.saturation
            );
            say(Decision::Review, says);
        }
    }
    match &report.disagreement {
        Some(found) => say(
            three(found.weighted <= settings.disagreement, found.weighted <= 2.0 * settings.disagreement),
            format!(
                "labelled again, the weighted mean moves by {:.2}; expected at most {}",
                found.weighted, settings.disagreement
            ),
        ),
        None => {
            say(Decision::Pass, "no text was labelled again: the noise of the oracle is not known".into())
        }
    }
    if report.unlabelled > 0 {
        let of = report.unlabelled + report.rows;
        let decision = if report.unlabelled * 10 > of { Decision::Fail } else { Decision::Review };
        say(decision, format!("{} of {of} texts have no usable label", report.unlabelled));
    }
    if let Some(calibration) = calibration {
        findings.extend(compared(report, calibration, settings));
    }
    findings
}

/// Whether what holds on the calibration sample holds on this one: agreement that drops was fitted to the sample.
fn compared(report: &Report, calibration: &Report, settings: &Settings) -> Vec<Finding> {
    let before = |group: Group| calibration.groups.iter().find(|figures| figures.group == group)?.agreement;
    let groups = report.groups.iter().filter_map(|figures| {
        let (now, before) = (figures.agreement?, before(figures.group)?);
        const ROUNDING: f64 = 1e-9;
        let kept = before - now <= settings.drop + ROUNDING;
        let says = format!(
            "{}: {:.0}% agree where {:.0}% did in calibration{}",
            figures.group.name(),
            100.0 * now,
            100.0 * before,
            if kept { "" } else { ": the prompt was fitted to its sample; revise it" }
        );
        Some(Finding { decision: if kept { Decision::Pass } else { Decision::Review }, says })
    });
    groups.collect()
}

fn three(pass: bool, review: bool) -> Decision {
    match (pass, review) {
        (true, _) => Decision::Pass,
        (false, true) => Decision::Review,
        _ => Decision::Fail,
    }
}

fn mean(report: &Report, group: Group) -> Option<f64> {
    report.groups.iter().find(|figures: &&GroupFigures| figures.group == group).map(|figures| figures.mean)
}
