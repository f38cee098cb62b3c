//! Fitting a head by gradient.

use super::data::ScoresData;
use super::spec::Spec;
use crate::run::{FitRecord, VariantDir};
use crate::{Error, Result};
use manyview_adapter::{DimensionErrors, GradientHead, Head, HeadConfig, HeadEpoch, MonitoredScores};
use manyview_core::{Fingerprint, Fit as _, Progress, Transform};
use manyview_report::Curve;

pub(super) fn fit(
    (config, device): (&HeadConfig, &str),
    spec: &Spec,
    data: &ScoresData,
    (key, dir, progress): (&Fingerprint, &VariantDir, &dyn Progress),
) -> Result<(Head, FitRecord)> {
    let gradient = GradientHead::new(config.clone(), manyview_artifact::device(device)?)
        .with_checkpoints(dir.checkpoints().join(key.short()));
    if spec.calibrate && data.val.is_none() {
        let problem = "a head by gradient is calibrated on validation rows, found none; set data.val above 0";
        return Err(Error::setting("scores.calibrate", problem));
    }
    let (train, validation) = (data.train.clone(), data.val.clone());
    let fit = gradient.fit(&MonitoredScores { train, validation, progress })?;
    let head = match data.val.as_ref().filter(|_| spec.calibrate) {
        Some(val) => {
            let held_out = fit.head.transform(val.base())?;
            fit.head.calibrated(&held_out, val.targets())?
        }
        None => fit.head,
    };
    let names = data.filter.names();
    let curve = curve(fit.best_epoch, &fit.history, &names);
    let mut record = FitRecord::new(key, spec.head, data.train.base().n(), curve);
    record.metrics.insert("best_epoch".into(), fit.best_epoch as f64);
    if let Some(best) = fit.history.iter().find(|e| e.epoch == fit.best_epoch) {
        record.metrics.insert("train_mae".into(), mean(&best.train.mae));
        record.metrics.extend(best.val.as_ref().map(|val| ("val_mae".to_string(), mean(&val.mae))));
    }
    record.used_validation = data.val.is_some();
    Ok((head, record))
}

/// Losses, learning rates and errors by epoch: means over the dimensions, then each.
fn curve(best: usize, epochs: &[HeadEpoch], names: &[&str]) -> Curve {
    type Errors = fn(&HeadEpoch) -> Option<&[f64]>;
    let errors: [(&str, Errors); 4] = [
        ("train_mae", |e| Some(&e.train.mae)),
        ("train_rmse", |e| Some(&e.train.rmse)),
        ("val_mae", |e| e.val.as_ref().map(|val: &DimensionErrors| &val.mae[..])),
        ("val_rmse", |e| e.val.as_ref().map(|val: &DimensionErrors| &val.rmse[..])),
    ];
    let monitor =
        if epochs.iter().any(|e| e.val_loss.is_some()) { "val_loss" } else { "its place, the last" };
    let mut curve = Curve::epochs(best, monitor, epochs.iter().map(|e| e.epoch))
        .with("train_loss", epochs.iter().map(|e| Some(e.train_loss)))
        .with("val_loss", epochs.iter().map(|e| e.val_loss))
        .with("lr", epochs.iter().map(|e| Some(e.lr)));
    for (what, of) in errors {
        curve = curve.with(what, epochs.iter().map(|e| of(e).map(mean)));
    }
    for (what, of) in errors {
        for (d, name) in names.iter().enumerate() {
            let values = epochs.iter().map(|e| of(e)?.get(d).copied());
            curve = curve.with(&format!("{what}.{name}"), values);
        }
    }
    curve
}

fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / of.len().max(1) as f64
}
