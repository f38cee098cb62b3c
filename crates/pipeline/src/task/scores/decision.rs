//! Whether a head is fit for use, in words.

use super::spec::Thresholds;
use manyview_report::{Decision, NamedErrors, Noise, Verdict};

/// DEPLOY, REVIEW or FAIL by the thresholds, and why; UNDECIDED where a measure that one is for could not be taken.
pub(super) fn decide(
    thresholds: &Thresholds,
    overall: &NamedErrors,
    dimensions: &[NamedErrors],
    overfitting: Option<f64>,
    noise: Option<&Noise>,
) -> Decision {
    let mut verdict = Verdict::Deploy;
    let mut reasons = Vec::new();
    let mut find = |found: Verdict, reason: String| {
        verdict = verdict.max(found);
        reasons.push(reason);
    };
    match overall.gain {
        None => {
            find(Verdict::Undecided, format!("how much of the mean's error is gone {}", unknown(overall)))
        }
        Some(gain) => {
            let gained = format!(
                "the mean absolute error on test texts is {:.3}, that of predicting the mean {:.3}: {} of it is gone \
                 (95% interval {} to {})",
                overall.head.mae.value,
                overall.mean.mae.value,
                percent(gain.value),
                percent(gain.low),
                percent(gain.high)
            );
            let (review, deploy) = (thresholds.review_gain, thresholds.deploy_gain);
            if gain.value < review {
                find(Verdict::Fail, format!("{gained}, less than the {} asked for", percent(review)));
            } else if gain.low <= 0.0 {
                find(Verdict::Fail, format!("{gained}, which may be nothing: the interval includes 0"));
            } else if gain.value < deploy {
                find(Verdict::Review, format!("{gained}; {} is asked for to deploy", percent(deploy)));
            } else {
                find(Verdict::Deploy, gained);
            }
        }
    }
    for dimension in dimensions.iter().filter(|d| d.gain.is_none()) {
        let what =
            format!("how much of the mean's error is gone in {} {}", dimension.name, unknown(dimension));
        find(Verdict::Undecided, what);
    }
    let weak: Vec<String> = dimensions
        .iter()
        .filter_map(|d| Some((&d.name, d.gain?.value)))
        .filter(|(_, gain)| *gain < thresholds.dimension_gain)
        .map(|(name, gain)| format!("{name} ({})", percent(gain)))
        .collect();
    let measured = dimensions.iter().any(|d| d.gain.is_some());
    match weak.is_empty() {
        true if !measured => {}
        true => find(
            Verdict::Deploy,
            format!(
                "in every dimension at least {} of the error is gone",
                percent(thresholds.dimension_gain)
            ),
        ),
        false => find(
            Verdict::Review,
            format!(
                "less than {} of the error is gone in {}",
                percent(thresholds.dimension_gain),
                weak.join(", ")
            ),
        ),
    }
    let errors = format!(
        "the error on test texts is {:.3}, that on training texts {:.3}",
        overall.head.mae.value, overall.train_mae
    );
    match overfitting {
        None => find(
            Verdict::Undecided,
            format!("{errors}: as the mean has no error, the gap cannot be compared with it"),
        ),
        Some(gap) => {
            let over = format!("{errors}: a gap of {} of the mean's error", percent(gap));
            match gap > thresholds.overfitting {
                true => find(
                    Verdict::Review,
                    format!(
                        "{over}, more than the {} allowed: it learnt some texts by heart",
                        percent(thresholds.overfitting)
                    ),
                ),
                false => find(Verdict::Deploy, over),
            }
        }
    }
    if let Some(noise) = noise {
        // Two scores with errors of their own differ by the root of 2 times what one differs from what both aim at.
        let floor = noise.overall / std::f64::consts::SQRT_2;
        find(
            Verdict::Deploy,
            format!(
                "the oracle's second scores of {} texts differ from its first by {:.3} on average, so about {floor:.3} is \
                 the least error that a head can show against one of them",
                noise.texts, noise.overall
            ),
        );
    }
    Decision { verdict, reasons }
}

/// Why a gain is not known.
fn unknown(errors: &NamedErrors) -> String {
    let reason = errors.absent.get("gain").map_or(String::new(), |reason| format!(": {reason}"));
    format!("could not be measured, so it could not be decided{reason}")
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Estimate;
    use manyview_report::Errors;

    const THRESHOLDS: Thresholds =
        Thresholds { deploy_gain: 0.2, review_gain: 0.05, dimension_gain: 0.05, overfitting: 0.25 };

    fn errors(gain: f64) -> NamedErrors {
        let of = |value| {
            let mae = Estimate { value, low: value, high: value };
            Errors { mae, rmse: mae, spearman: None, r2: None }
        };
        NamedErrors {
            name: "d".into(),
            head: of(1.0 - gain),
            mean: of(1.0),
            neighbours: of(1.0),
            gain: Some(Estimate { value: gain, low: gain - 0.02, high: gain + 0.02 }),
            train_mae: 0.5,
            absent: Default::default(),
        }
    }

    fn unmeasured() -> NamedErrors {
        let absent = [("gain".to_string(), "no error of the baseline".to_string())].into();
        NamedErrors { gain: None, absent, ..errors(0.3) }
    }

    fn verdict(gain: f64, weakest: f64, overfitting: f64) -> Verdict {
        let dimensions = [errors(gain), errors(weakest)];
        decide(&THRESHOLDS, &errors(gain), &dimensions, Some(overfitting), None).verdict
    }

    #[test]
    fn each_threshold_decides_on_its_own() {
        assert_eq!(verdict(0.3, 0.1, 0.1), Verdict::Deploy);
        assert_eq!(verdict(0.15, 0.1, 0.1), Verdict::Review);
        assert_eq!(verdict(0.3, 0.01, 0.1), Verdict::Review);
        assert_eq!(verdict(0.3, 0.1, 0.5), Verdict::Review);
        assert_eq!(verdict(0.01, 0.01, 0.0), Verdict::Fail);
    }

    #[test]
    fn a_gain_that_could_not_be_measured_is_no_failure_and_decides_nothing() {
        for (overall, dimensions) in
            [(unmeasured(), [errors(0.3), errors(0.3)]), (errors(0.3), [errors(0.3), unmeasured()])]
        {
            let found = decide(&THRESHOLDS, &overall, &dimensions, Some(0.0), None);
            assert_eq!(found.verdict, Verdict::Undecided, "{found:?}");
            let said = found.reasons.join("; ");
            assert!(said.contains("could not be decided: no error of the baseline"), "{said}");
        }
        let found = decide(&THRESHOLDS, &errors(0.01), &[unmeasured()], Some(0.0), None);
        assert_eq!(found.verdict, Verdict::Fail, "what is known fails it already: {found:?}");
        let found = decide(&THRESHOLDS, &errors(0.3), &[errors(0.3)], None, None);
        assert_eq!(found.verdict, Verdict::Undecided, "{found:?}");
    }

    #[test]
    fn a_gain_whose_interval_includes_nothing_fails() {
        let thresholds = Thresholds { review_gain: 0.0, ..THRESHOLDS };
        let found = decide(&thresholds, &errors(0.01), &[errors(0.01)], Some(0.0), None);
        assert_eq!(found.verdict, Verdict::Fail);
        assert!(found.reasons[0].contains("includes 0"), "{found:?}");
    }

    #[test]
    fn the_reasons_say_what_the_oracle_itself_differs_by() {
        let noise = Noise { texts: 40, mae: vec![0.2], overall: 0.2 };
        let found = decide(&THRESHOLDS, &errors(0.3), &[errors(0.3)], Some(0.0), Some(&noise));
        assert!(found.reasons.iter().any(|r| r.contains("40 texts") && r.contains("0.141")), "{found:?}");
    }
}
