use manyview_core::Estimate;
use serde::{Deserialize, Serialize};

use crate::bootstrap::interval;
use crate::comparison::{Comparison, View};

/// How much of what the teacher gains over the base the adapter keeps, and the same in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GainKept {
    /// `(adapter − base) / (teacher − base)` in V-measure, 1 for all of it; `None` where that has no meaning.
    pub estimate: Option<Estimate>,
    /// The figure with its interval, or why there is none.
    pub verdict: String,
}

impl Comparison {
    /// The share of the teacher's gain over `base` that `adapter` keeps.
    ///
    /// There is no share when the teacher has no view (it needs what test texts do not have), nor when its own gain
    /// is not above 0 with 95% confidence: a ratio over such a gain says nothing.
    pub fn gain_kept(&self, base: &str, adapter: &str, teacher: &str) -> GainKept {
        let (Some(base), Some(adapter)) = (self.find(base), self.find(adapter)) else {
            let missing = if self.find(base).is_none() { base } else { adapter };
            return GainKept::none(format!("there is no view named {missing:?}, so no gain to speak of"));
        };
        match self.find(teacher) {
            Some(teacher) => share(base, adapter, teacher),
            None => GainKept::none(format!(
                "the teacher cannot see test texts, so there is nothing to keep a share of; the adapter gains {} over \
                 {}",
                signed(adapter.less(base)),
                base.name
            )),
        }
    }
}

impl GainKept {
    fn none(verdict: String) -> Self {
        Self { estimate: None, verdict }
    }
}

fn share(base: &View, adapter: &View, teacher: &View) -> GainKept {
    let gain = teacher.less(base);
    if gain.low <= 0.0 {
        let opening = if gain.high < 0.0 { "the teacher is worse than base" } else { "no measurable gain" };
        return GainKept::none(format!(
            "{opening}: the teacher's V-measure is {:.2}, the base's {:.2} (difference {:.2}, 95% interval {:.2} to \
             {:.2})",
            teacher.scores.v_measure.mean, base.scores.v_measure.mean, gain.value, gain.low, gain.high
        ));
    }
    let resampled = base.resampled.iter().zip(&adapter.resampled).zip(&teacher.resampled);
    let (low, high) = interval(resampled.map(|((b, a), t)| ratio(a - b, t - b)).collect());
    if !(low.is_finite() && high.is_finite()) {
        return GainKept::none(format!(
            "the teacher's gain of {} is too uncertain to take a share of",
            signed(gain)
        ));
    }
    let value = adapter.less(base).value / gain.value;
    let percent = |share: f64| format!("{:.0}%", (share * 100.0).round() + 0.0); // 0, never -0
    GainKept {
        estimate: Some(Estimate { value, low, high }),
        verdict: format!(
            "the adapter keeps {} ({} to {}) of the teacher's gain",
            percent(value),
            percent(low),
            percent(high)
        ),
    }
}

/// A share of a gain; of a gain that vanishes, any part is without bound.
fn ratio(part: f64, gain: f64) -> f64 {
    if gain > 0.0 { part / gain } else { f64::INFINITY.copysign(part) }
}

fn signed(e: Estimate) -> String {
    format!("{:+.2} ({:.2} to {:.2})", e.value, e.low, e.high)
}
