//! What of a head is recorded for a tracking server.

use super::fit::{HISTORY, HeadLesson, HeadRecord};
use super::report::{METADATA, PREDICTIONS};
use crate::run_dir::{METRICS, Member};
use crate::runs::flat;
use crate::tracking::artifacts;
use crate::{Error, Result, tuned};
use manyview_report::{HeadCurve, HeadEpochPoint, HeadMetrics, HeadPenaltyPoint};
use manyview_track::Tracker;
use std::collections::BTreeMap;
use std::path::Path;

/// Records how the head was fitted, and the head; and the encoder, where it learnt.
pub(super) fn fitted(
    tracker: &Tracker,
    lesson: &HeadLesson<'_>,
    record: &HeadRecord,
    member: &Member,
) -> Result<()> {
    let names = lesson.corpus.filter.names();
    match &record.curve {
        HeadCurve::Penalty { points, .. } => {
            for (step, point) in points.iter().enumerate() {
                tracker.metrics(&of_penalty(point, &names), step as u64)?;
            }
        }
        HeadCurve::Training { epochs, .. } => {
            for epoch in epochs {
                tracker.metrics(&of_epoch(epoch, &names), epoch.epoch as u64)?;
            }
        }
    }
    for file in ["head.safetensors", "config.json"] {
        tracker.artifact(&member.head().join(file), &format!("head/{file}"))?;
    }
    if let Some(learnt) = &lesson.learnt {
        for (loss, epoch) in learnt.training.losses.iter().zip(1..) {
            tracker.metrics(&BTreeMap::from([("encoder_loss".to_string(), *loss)]), epoch)?;
        }
        let (dir, name) = tuned::artifacts(lesson.experiment, member);
        artifacts(tracker, &dir, name)?;
        tracker.artifact(&member.path().join(tuned::METRICS), "training_metrics.jsonl")?;
    }
    Ok(tracker.artifact(&member.path().join(HISTORY), HISTORY)?)
}

/// Records what was measured, and the files of it.
pub(super) fn measured(tracker: &Tracker, metrics: &HeadMetrics, member: &Member) -> Result<()> {
    let all = serde_json::to_value(metrics).map_err(|e| Error::setting("metrics", e.to_string()))?;
    let figures = flat(&all).into_iter().filter_map(|(name, value)| Some((key(&name), value.as_f64()?)));
    tracker.metrics(&figures.collect(), 0)?;
    tracker.tag("decision", metrics.decision.verdict.as_str())?;
    for file in [METRICS, METADATA, PREDICTIONS] {
        tracker.artifact(&member.path().join(file), file)?;
    }
    Ok(())
}

/// Records the report in `dir`.
pub(super) fn reported(trackers: &[Tracker], dir: &Path) -> Result<()> {
    for tracker in trackers {
        for file in ["report.html", "report.docx"] {
            tracker.artifact(&dir.join(file), file)?;
        }
    }
    Ok(())
}

fn of_penalty(point: &HeadPenaltyPoint, names: &[&str]) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::from([("lambda".to_string(), point.lambda)]);
    figures.extend(each("leave_one_out_rmse", &point.rmse, names));
    figures
}

fn of_epoch(epoch: &HeadEpochPoint, names: &[&str]) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::from([("train_loss".to_string(), epoch.train_loss), ("lr".into(), epoch.lr)]);
    figures.extend(epoch.val_loss.map(|loss| ("val_loss".to_string(), loss)));
    for (what, values) in [
        ("train_mae", Some(&epoch.train_mae)),
        ("train_rmse", Some(&epoch.train_rmse)),
        ("val_mae", epoch.val_mae.as_ref()),
        ("val_rmse", epoch.val_rmse.as_ref()),
    ] {
        let Some(values) = values else { continue };
        figures.insert(what.into(), values.iter().sum::<f64>() / values.len().max(1) as f64);
        figures.extend(each(what, values, names));
    }
    figures
}

/// A figure of each dimension.
fn each<'a>(what: &'a str, values: &'a [f64], names: &'a [&str]) -> impl Iterator<Item = (String, f64)> + 'a {
    names.iter().zip(values).map(move |(name, value)| (key(&format!("{what}.{name}")), *value))
}

/// A key that a server takes: dimensions and tiers may have any name.
fn key(name: &str) -> String {
    const LONGEST: usize = 250;
    let taken = |c: char| if c.is_alphanumeric() || "_-. ".contains(c) { c } else { '_' };
    name.chars().map(taken).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_its_losses_and_the_errors_of_each_dimension_under_keys_that_a_server_takes() {
        let epoch = HeadEpochPoint {
            epoch: 3,
            train_loss: 0.5,
            train_mae: vec![1.0, 2.0],
            train_rmse: vec![1.5, 2.5],
            val_loss: None,
            val_mae: None,
            val_rmse: None,
            lr: 0.1,
        };
        let figures = of_epoch(&epoch, &["how wet?", "a/b"]);
        let keys: Vec<&str> = figures.keys().map(String::as_str).collect();
        let of = |what: &str| ["", ".a_b", ".how wet_"].map(|name| format!("{what}{name}"));
        let expected =
            [["lr".into(), "train_loss".into()].to_vec(), of("train_mae").into(), of("train_rmse").into()];
        assert_eq!(keys, expected.concat());
        assert_eq!((figures["train_rmse.a_b"], figures["train_mae"]), (2.5, 1.5));
    }
}
