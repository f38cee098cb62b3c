//! Fitting an adapter by gradient.

use super::data::{self, ViewsData};
use super::fit::{HELD_BACK, closeness, pairs};
use super::spec::Spec;
use crate::config::Monitor;
use crate::run::{FitRecord, VariantDir};
use crate::task::fitted::Fitted;
use crate::{Error, Result};
use manyview_adapter::{Gradient, GradientConfig, Map, Maps, Monitored};
use manyview_core::{Embeddings, Fingerprint, Fit as _, Paired, Progress, Transform};
use manyview_eval::{KMeans, v_measure};
use manyview_report::Curve;
use std::collections::BTreeSet;

pub(super) fn fit(
    (config, monitor, device): (&GradientConfig, Monitor, &str),
    spec: &Spec,
    data: &ViewsData,
    (key, dir, progress): (&Fingerprint, &VariantDir, &dyn Progress),
) -> Result<(Fitted, FitRecord)> {
    let gradient = Gradient::new(config.clone(), manyview_artifact::device(device)?)
        .with_checkpoints(dir.checkpoints().join(key.short()));
    let (train, held_back) = match &data.training.val {
        Some(_) => (pairs(data)?, None),
        None => hold_back(data)?,
    };
    let seen = data.training.val.as_ref();
    let seen = seen.map(|val| Ok::<_, Error>(Paired::new(data.base.select(&data.val)?, val.clone())?));
    let validation = seen.transpose()?.or_else(|| held_back.clone());
    let by_labels = monitor == Monitor::ValVMeasure;
    if by_labels && data.val.is_empty() {
        return Err(Error::setting(
            "train.monitor",
            "val_v_measure needs validation rows; set data.val above 0",
        ));
    }
    let seed = config.train.seed;
    let val_base = (!data.val.is_empty()).then(|| data.base.select(&data.val)).transpose()?;
    let score = |map: &Map| match (&val_base, &data.val_truth) {
        (Some(base), Some(truth)) => val_v_measure(&map.transform(base)?, truth, seed),
        _ => Ok(0.0),
    };
    let rows = train.base().n();
    let fit = gradient.fit(&Monitored { train, validation, score: by_labels.then_some(&score), progress })?;
    let epochs = &fit.history;
    let curve = Curve::epochs(fit.best_epoch, monitor.as_str(), epochs.iter().map(|e| e.epoch))
        .with("train_loss", epochs.iter().map(|e| Some(e.train_loss)))
        .with("val_loss", epochs.iter().map(|e| e.val_loss))
        .with("val_score", epochs.iter().map(|e| e.score));
    let mut record = FitRecord::new(key, spec.fit.method(), rows, curve);
    record.metrics.insert("best_epoch".into(), fit.best_epoch as f64);
    if let Some(best) = epochs.iter().find(|e| e.epoch == fit.best_epoch) {
        record.metrics.insert("train_loss".into(), best.train_loss);
        record.metrics.extend(best.val_loss.map(|loss| ("val_loss".to_string(), loss)));
        record.metrics.extend(best.score.map(|score| ("val_v_measure".to_string(), score)));
    }
    record.used_validation = by_labels || data.training.val.is_some();
    let (what, pairs) = match held_back {
        Some(pairs) => (HELD_BACK, pairs),
        None => ("train", pairs(data)?),
    };
    let view = fit.map.transform(pairs.base())?;
    record.closeness = closeness(spec, data, (what, &view, &pairs))?;
    Ok((Fitted::Adapter(Maps::Both(fit.map)), record))
}

/// Training pairs, and some of them held back, for a teacher that sees no other rows.
fn hold_back(data: &ViewsData) -> Result<(Paired, Option<Paired>)> {
    let all = pairs(data)?;
    let (kept, apart) = data::hold_back(all.base().n());
    if apart.is_empty() {
        return Ok((all, None));
    }
    let part = |rows: &[usize]| -> Result<Paired> {
        Ok(Paired::new(all.base().select(rows)?, all.teacher().select(rows)?)?)
    };
    Ok((part(&kept)?, Some(part(&apart)?)))
}

/// V-measure of the view of the validation rows: the one place where their labels choose anything.
fn val_v_measure(view: &Embeddings, truth: &[usize], seed: u64) -> manyview_core::Result<f64> {
    let classes = truth.iter().collect::<BTreeSet<_>>().len();
    let kmeans = KMeans { seed, ..KMeans::new(classes) };
    Ok(v_measure(truth, &kmeans.fit(view)?.labels)?.v_measure)
}
