//! Whether a head is fit for use, in words.

use crate::config::Scores;
use manyview_report::{Decision, NamedErrors, Noise, Verdict};

/// DEPLOY, REVIEW or FAIL by the thresholds of `scores`, and why.
pub(super) fn decide(
    scores: &Scores,
    overall: &NamedErrors,
    dimensions: &[NamedErrors],
    overfitting: f64,
    noise: Option<&Noise>,
) -> Decision {
    let mut verdict = Verdict::Deploy;
    let mut reasons = Vec::new();
    let mut find = |found: Verdict, reason: String| {
        verdict = verdict.max(found);
        reasons.push(reason);
    };
    let gain = overall.gain;
    let gained = format!(
        "the mean absolute error on test texts is {:.3}, that of predicting the mean {:.3}: {} of it is gone (95% \
         interval {} to {})",
        overall.head.mae.value,
        overall.mean.mae.value,
        percent(gain.value),
        percent(gain.low),
        percent(gain.high)
    );
    if gain.value < scores.review_gain {
        find(Verdict::Fail, format!("{gained}, less than the {} asked for", percent(scores.review_gain)));
    } else if gain.low <= 0.0 {
        find(Verdict::Fail, format!("{gained}, which may be nothing: the interval includes 0"));
    } else if gain.value < scores.deploy_gain {
        find(Verdict::Review, format!("{gained}; {} is asked for to deploy", percent(scores.deploy_gain)));
    } else {
        find(Verdict::Deploy, gained);
    }
    let weak: Vec<String> = dimensions
        .iter()
        .filter(|d| d.gain.value < scores.dimension_gain)
        .map(|d| format!("{} ({})", d.name, percent(d.gain.value)))
        .collect();
    match weak.is_empty() {
        true => find(
            Verdict::Deploy,
            format!("in every dimension at least {} of the error is gone", percent(scores.dimension_gain)),
        ),
        false => find(
            Verdict::Review,
            format!(
                "less than {} of the error is gone in {}",
                percent(scores.dimension_gain),
                weak.join(", ")
            ),
        ),
    }
    let over = format!(
        "the error on test texts is {:.3}, that on training texts {:.3}: a gap of {} of the mean's error",
        overall.head.mae.value,
        overall.train_mae,
        percent(overfitting)
    );
    match overfitting > scores.overfitting {
        true => find(
            Verdict::Review,
            format!(
                "{over}, more than the {} allowed: it learnt some texts by heart",
                percent(scores.overfitting)
            ),
        ),
        false => find(Verdict::Deploy, over),
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

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Estimate;
    use manyview_report::Errors;

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
            gain: Estimate { value: gain, low: gain - 0.02, high: gain + 0.02 },
            train_mae: 0.5,
        }
    }

    fn verdict(gain: f64, weakest: f64, overfitting: f64) -> Verdict {
        decide(&Scores::default(), &errors(gain), &[errors(gain), errors(weakest)], overfitting, None).verdict
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
    fn a_gain_whose_interval_includes_nothing_fails() {
        let scores = Scores { review_gain: 0.0, ..Scores::default() };
        let found = decide(&scores, &errors(0.01), &[errors(0.01)], 0.0, None);
        assert_eq!(found.verdict, Verdict::Fail);
        assert!(found.reasons[0].contains("includes 0"), "{found:?}");
    }

    #[test]
    fn the_reasons_say_what_the_oracle_itself_differs_by() {
        let noise = Noise { texts: 40, mae: vec![0.2], overall: 0.2 };
        let found = decide(&Scores::default(), &errors(0.3), &[errors(0.3)], 0.0, Some(&noise));
        assert!(found.reasons.iter().any(|r| r.contains("40 texts") && r.contains("0.141")), "{found:?}");
    }
}
