use crate::numbers::{counted, duration, percent, score, signed, signed_interval, times};
use crate::{ViewsMetrics, ViewsSection};
use manyview_core::Estimate;

/// What the interval of a gain allows to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gain {
    /// The whole interval is above zero.
    Up,
    /// The interval includes zero.
    Unclear,
    /// The whole interval is below zero.
    Down,
}

impl Gain {
    pub(crate) fn of(gain: &Estimate) -> Self {
        if gain.low > 0.0 {
            Self::Up
        } else if gain.high < 0.0 {
            Self::Down
        } else {
            Self::Unclear
        }
    }

    /// The name the style sheet has for it.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Unclear => "unclear",
            Self::Down => "down",
        }
    }
}

/// The whole report in a sentence or two.
pub(crate) fn finding(views: &[ViewsSection]) -> String {
    let [first, _, ..] = views else {
        return views.first().map_or_else(|| "Nothing was measured.".into(), |v| gain(&v.metrics));
    };
    let named = |wanted| -> Vec<&ViewsSection> {
        views.iter().filter(|v| Gain::of(&v.metrics.gain) == wanted).collect()
    };
    let (up, down, unclear) = (named(Gain::Up), named(Gain::Down), named(Gain::Unclear));
    let value = |v: &ViewsSection| v.metrics.gain.value;
    let finite = views.iter().filter(|v| value(v).is_finite());
    let best = finite.max_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(first);
    let m = &best.metrics;
    let figures = format!(
        "“{}”: V-measure {} → {}, a {} of {} (95% interval {})",
        best.name,
        score(m.views.base.v_measure.mean),
        score(m.views.adapter.v_measure.mean),
        if up.is_empty() { "difference" } else { "gain" },
        signed(m.gain.value),
        signed_interval(&m.gain)
    );
    let learner = match views.iter().filter(|v| v.metrics.fine_tuned).count() {
        0 => "the adapter",
        n if n == views.len() => "the fine-tuned encoder",
        _ => "the adapter or the fine-tuned encoder",
    };
    let mut out = if up.is_empty() {
        let of_views = counted(views.len(), "view", "views");
        format!("In none of the {of_views} is the gain over the stored vectors above zero beyond doubt. ")
            + &format!("The largest is that of {figures}.")
    } else {
        format!(
            "In {} of {} views {learner} groups the test texts closer to their labels than the stored vectors do. \
             The largest gain is that of {figures}.",
            up.len(),
            views.len()
        )
    };
    if !unclear.is_empty() && !up.is_empty() {
        out.push_str(&format!(" For {} the interval includes zero: no gain is shown.", list(&unclear)));
    }
    if !down.is_empty() {
        out.push_str(&format!(" For {} {learner} does worse.", list(&down)));
    }
    out
}

fn list(views: &[&ViewsSection]) -> String {
    let names: Vec<_> = views.iter().map(|v| format!("“{}”", v.name)).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The gain of one view, in words.
pub(crate) fn gain(m: &ViewsMetrics) -> String {
    let (base, adapter) = (score(m.views.base.v_measure.mean), score(m.views.adapter.v_measure.mean));
    let on = format!("on {} test texts, by {}", m.n_test, m.label);
    let (value, interval) = (signed(m.gain.value), signed_interval(&m.gain));
    let learner = if m.fine_tuned { "fine-tuned encoder" } else { "adapter" };
    match Gain::of(&m.gain) {
        Gain::Up => format!(
            "The {learner}'s view groups the texts better than the stored vectors do: V-measure {base} → {adapter} {on}, \
             a gain of {value} (95% interval {interval})."
        ),
        Gain::Unclear => format!(
            "No gain is shown: V-measure {base} → {adapter} {on}, a difference of {value} whose 95% interval \
             ({interval}) includes zero."
        ),
        Gain::Down => format!(
            "The {learner}'s view groups the texts worse than the stored vectors do: V-measure {base} → {adapter} {on}, \
             a difference of {value} (95% interval {interval})."
        ),
    }
}

/// What the pipeline says of the gain kept, as a sentence.
pub(crate) fn verdict(m: &ViewsMetrics) -> String {
    let mut chars = m.verdict.trim().chars();
    let Some(first) = chars.next() else { return String::new() };
    let mut out: String = first.to_uppercase().chain(chars).collect();
    if !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

/// The share of the teacher's gain that is kept, with its interval.
pub(crate) fn kept(m: &ViewsMetrics) -> Option<String> {
    m.gain_kept.as_ref().map(|k| format!("{} ({} to {})", percent(k.value), percent(k.low), percent(k.high)))
}

/// How much time a stored vector saves, in words; nothing without a teacher pass. A fine-tuned encoder has no use for it.
pub(crate) fn speed(m: &ViewsMetrics) -> Option<String> {
    if m.fine_tuned {
        let pass = duration(m.latency_ms.adapter.p50);
        return Some(format!(
            "A view of a text costs a pass of the fine-tuned encoder ({pass}), whether its base vector is stored or not."
        ));
    }
    let factor = m.speedup.filter(|s| s.is_finite())?;
    Some(format!(
        "With its base vector stored, a text is seen under this instruction {} faster than by a teacher pass.",
        times(factor)
    ))
}

/// What the plainest of maps reaches, in words.
pub(crate) fn offset(m: &ViewsMetrics) -> Option<String> {
    let at = m.views.offset.filter(|s| s.v_measure.mean.is_finite())?.v_measure.mean;
    Some(format!(
        "Moving every stored vector by the mean difference to the teacher (offset) gives {}.",
        score(at)
    ))
}

/// Scores where no text chose anything, in words.
pub(crate) fn held_out(m: &ViewsMetrics) -> Option<String> {
    let h = m.held_out.as_ref()?;
    Some(format!(
        "On all {} not trained on, none of which chose anything: V-measure {} → {}, a difference of {} \
         (95% interval {}).",
        counted(h.n, "text", "texts"),
        score(h.views.base.v_measure.mean),
        score(h.views.adapter.v_measure.mean),
        signed(h.gain.value),
        signed_interval(&h.gain)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn an_interval_that_includes_zero_is_said_to_show_no_gain() {
        let mut report = sample::report();
        report.sections.truncate(1);
        let m = &mut report.sections[0].metrics;
        m.gain = Estimate { value: 0.01, low: -0.02, high: 0.04 };
        let said = finding(&report.sections);
        assert!(said.starts_with("No gain is shown") && said.contains("includes zero"), "{said}");
        report.sections[0].metrics.gain = Estimate { value: -0.03, low: -0.05, high: -0.01 };
        assert!(finding(&report.sections).contains("worse"), "{}", finding(&report.sections));
    }

    #[test]
    fn a_fine_tuned_encoder_is_not_called_an_adapter_nor_said_to_save_time() {
        let mut report = sample::report();
        for view in &mut report.sections {
            view.metrics.fine_tuned = true;
        }
        assert!(finding(&report.sections).starts_with("In 2 of 4 views the fine-tuned encoder groups"));
        let m = &report.sections[0].metrics;
        assert!(!gain(m).contains("adapter"), "{}", gain(m));
        let said = speed(m).unwrap();
        assert!(said.contains("pass of the fine-tuned encoder") && !said.contains("faster"), "{said}");
    }

    #[test]
    fn several_views_are_counted_and_the_doubtful_named() {
        let said = finding(&sample::report().sections);
        assert!(said.starts_with("In 2 of 4 views"), "{said}");
        assert!(said.contains("For “length” the interval includes zero"), "{said}");
        assert!(said.contains("worse"), "{said}");
        assert_eq!(finding(&[]), "Nothing was measured.");
    }

    #[test]
    fn a_gain_that_is_no_number_is_never_the_largest() {
        let mut report = sample::report();
        report.sections[2].metrics.gain.value = f64::NAN;
        assert!(finding(&report.sections).contains("largest gain is that of “emotion”"));
        report.sections[0].metrics.gain = Estimate { value: -0.01, low: -0.05, high: 0.03 };
        report.sections[1].metrics.gain = Estimate { value: 0.01, low: -0.02, high: 0.04 };
        let said = finding(&report.sections);
        assert!(said.starts_with("In none of the 4 views") && said.contains("“topic”"), "{said}");
    }
}
