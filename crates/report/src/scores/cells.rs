//! Metrics as table cells and short texts, the same in every format of the report.

use super::{NamedErrors, ScoresMetrics};
use crate::numbers::{ABSENT, count, decimals, duration, figure, interval, percent, score};
use crate::{Curve, CurveRows};
use manyview_core::Estimate;

/// A value and its interval.
pub(super) fn estimate(e: &Estimate) -> (String, String) {
    (score(e.value), interval(e.low, e.high))
}

/// A value and its interval, or a dash.
pub(super) fn maybe(e: Option<&Estimate>) -> (String, String) {
    e.map_or((ABSENT.into(), String::new()), estimate)
}

/// The share of the mean's error that is gone, and its interval, or a dash.
pub(super) fn gain(e: Option<&Estimate>) -> (String, String) {
    let shown = |e: &Estimate| (percent(e.value), format!("{} to {}", percent(e.low), percent(e.high)));
    e.map_or((ABSENT.into(), String::new()), shown)
}

/// The column headers of the table of errors.
pub(super) const COLUMNS: [&str; 10] = [
    "",
    "MAE",
    "MAE of the mean",
    "MAE of neighbours",
    "error gone",
    "RMSE",
    "Spearman",
    "Spearman of neighbours",
    "R²",
    "MAE on training texts",
];

/// A row of the table of errors: each value with the small text below it.
pub(super) fn cells(e: &NamedErrors) -> [(String, String); 9] {
    let plain = |v: f64| (score(v), String::new());
    [
        estimate(&e.head.mae),
        plain(e.mean.mae.value),
        plain(e.neighbours.mae.value),
        gain(e.gain.as_ref()),
        estimate(&e.head.rmse),
        maybe(e.head.spearman.as_ref()),
        (maybe(e.neighbours.spearman.as_ref()).0, String::new()),
        maybe(e.head.r2.as_ref()),
        plain(e.train_mae),
    ]
}

/// All rows of the table of errors.
pub(super) fn rows(m: &ScoresMetrics) -> Vec<&NamedErrors> {
    let weighted = (m.dimensions.len() > 1).then_some(&m.weighted);
    let overall = (m.dimensions.len() > 1).then_some(&m.overall);
    m.dimensions.iter().chain(overall).chain(weighted).collect()
}

/// How the head was fitted, in one or two sentences.
pub(super) fn fitted(m: &ScoresMetrics, curve: &Curve) -> String {
    let calibrated = match (m.calibrated, curve.rows) {
        (false, _) => String::new(),
        (true, CurveRows::Penalties) => {
            " Each dimension was then put through a rising curve fitted on leave-one-out predictions.".into()
        }
        (true, CurveRows::Epochs) => {
            " Each dimension was then put through a rising curve fitted on the validation texts.".into()
        }
    };
    let how = match curve.rows {
        CurveRows::Penalties => {
            let chosen: Vec<String> = curve.chosen.iter().map(|v| figure(*v)).collect();
            format!(
                "A linear head in closed form; of {} penalties, leave-one-out chose λ = {}.",
                curve.len(),
                chosen.join(", ")
            )
        }
        CurveRows::Epochs => {
            let by = if curve.values("val_loss").is_empty() { "" } else { ", by validation loss" };
            let best = curve.chosen.first().copied().unwrap_or_default();
            format!("The head of epoch {best} was kept among {}{by}.", curve.len())
        }
    };
    format!("{how}{calibrated} It took {}.", duration(m.fit_seconds * 1e3))
}

/// The facts of a report, as labels and values: data, split, head, fit.
pub(super) fn facts(m: &ScoresMetrics) -> Vec<(&'static str, String)> {
    let encoder: String = m.encoder_fingerprint.as_str().chars().take(12).collect();
    let fit: Vec<String> = m.fit.iter().map(|(name, v)| format!("{name} {}", figure(*v))).collect();
    let mut facts = vec![
        ("Data", format!("{}, encoded by {} ({encoder})", m.dataset, m.encoder)),
        ("Filter", m.filter.clone()),
        (
            "Texts",
            format!(
                "{} to learn from, {} held back, {} to test",
                count(m.n_train),
                count(m.n_val),
                count(m.n_test)
            ),
        ),
        ("Head", format!("{}{}", m.head, if m.calibrated { ", calibrated" } else { "" })),
        ("Fit", fit.join(", ")),
        ("Baselines", format!("the mean of the training texts; the mean over the {} nearest of them", m.knn)),
    ];
    facts.extend(absent(m).map(|absent| ("Not measured", absent)));
    if let Some(noise) = &m.noise {
        let of: Vec<String> =
            m.dimensions.iter().zip(&noise.mae).map(|(d, v)| format!("{} {}", d.name, score(*v))).collect();
        facts.push((
            "The oracle against itself",
            format!(
                "{} texts scored twice: mean absolute difference {} ({})",
                count(noise.texts),
                score(noise.overall),
                of.join(", ")
            ),
        ));
    }
    facts
}

/// The measures of the head that could not be taken, and why.
fn absent(m: &ScoresMetrics) -> Option<String> {
    let of_head = |key: &str| key == "gain" || key.starts_with("head.");
    let of = |row: &&NamedErrors| -> Vec<String> {
        let absent = row.absent.iter().filter(|(key, _)| of_head(key));
        absent.map(|(key, reason)| format!("{key} of {}: {reason}", row.name)).collect()
    };
    let all: Vec<String> = rows(m).iter().flat_map(of).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// A score of one text.
pub(super) fn short(v: f64) -> String {
    decimals(v, 2)
}
