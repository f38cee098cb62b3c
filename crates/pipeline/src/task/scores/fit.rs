//! Fitting a head.

use super::data::ScoresData;
use super::spec::{HeadFit, Spec};
use crate::run::{FitRecord, VariantDir};
use crate::task::card;
use crate::{Error, Result};
use manyview_adapter::{Card, Head, RidgeHead, ScoreDimension, ScoreTier, TaskCard};
use manyview_artifact::TUNED;
use manyview_core::{Fingerprint, Fit, Progress, Scored};
use manyview_eval::RegressionMeasure::Mae;
use manyview_report::Curve;
use serde::Serialize;

/// Fits the head.
///
/// # Errors
/// Data the method cannot use, numbers that leave the finite range, an interruption.
#[cfg_attr(not(feature = "train"), allow(unused_variables))] // only training is interrupted and resumed
pub(super) fn fit(
    spec: &Spec,
    data: &ScoresData,
    key: &Fingerprint,
    dir: &VariantDir,
    progress: &dyn Progress,
) -> Result<(Head, FitRecord)> {
    match &spec.fit {
        HeadFit::Ridge(config) => ridge(config, spec, data, key),
        #[cfg(feature = "train")]
        HeadFit::Gradient { config, device } => {
            super::gradient::fit((config, device), spec, data, (key, dir, progress))
        }
        #[cfg(not(feature = "train"))]
        HeadFit::Gradient { .. } => Err(crate::training::needs_training()),
    }
}

fn ridge(config: &RidgeHead, spec: &Spec, data: &ScoresData, key: &Fingerprint) -> Result<(Head, FitRecord)> {
    let targets = data.train.targets();
    let fit = match data.below.as_ref().filter(|_| data.tuned.is_some()) {
        Some(below) => below.clone(),
        None => config.fit(&data.train)?,
    };
    let head = match spec.calibrate {
        true => fit.head.calibrated(&fit.leave_one_out, targets)?,
        false => fit.head,
    };
    let names = data.filter.names();
    let mut curve = Curve::penalties(fit.lambdas.clone(), fit.path.iter().map(|p| p.lambda));
    for (d, name) in names.iter().enumerate() {
        let rmse = fit.path.iter().map(|p| p.mse.get(d).map(|mse| mse.sqrt()));
        curve = curve.with(&format!("leave_one_out_rmse.{name}"), rmse);
    }
    let mut record = FitRecord::new(key, spec.head, data.train.base().n(), curve);
    let lambdas = names.iter().zip(&fit.lambdas);
    record.metrics.extend(lambdas.map(|(name, lambda)| (format!("lambda.{name}"), *lambda)));
    let over = if data.tuned.is_some() { "leave_one_out_mae_frozen" } else { "leave_one_out_mae" };
    record.metrics.insert(over.into(), Mae.overall(targets, &fit.leave_one_out)?);
    if let Some((tuned, _)) = &data.tuned {
        let losses = tuned.losses.iter().zip(1..);
        record.metrics.extend(losses.map(|(loss, epoch)| (format!("encoder_loss.{epoch}"), *loss)));
    }
    Ok((head, record))
}

/// Identity of everything the fit depends on.
pub(super) fn key(spec: &Spec, data: &ScoresData) -> Result<Fingerprint> {
    let settings = match &spec.fit {
        HeadFit::Ridge(config) => json(config)?,
        HeadFit::Gradient { config, device } => {
            let mut config = config.clone();
            config.train.checkpoint_every = None; // it changes no head
            json(&(config, device))?
        }
    };
    let filter = (&data.filter.name, &data.filter.version, dimensions(data), tiers(data));
    let mut key = Fingerprint::builder("scores-fit/1")
        .field("head", spec.head.as_bytes())
        .field("settings", &settings)
        .field("calibrate", &[u8::from(spec.calibrate)])
        .field("filter", &json(&filter)?)
        .field("encoder", data.encoder.as_str().as_bytes());
    let val = data.val.as_ref().filter(|_| matches!(spec.fit, HeadFit::Gradient { .. }));
    for (name, rows) in [("train", Some(&data.train)), ("val", val)] {
        if let Some(rows) = rows {
            key = key.field(name, &vectors(rows)).field("targets", &targets(rows));
        }
    }
    Ok(key.finish())
}

pub(super) fn card(spec: &Spec, data: &ScoresData, head: &Head, record: &FitRecord) -> Card {
    let encoder = data.tuned.as_ref().map_or(&spec.encoder, |(_, encoder)| encoder);
    let mut settings = card::settings(encoder, &data.dataset, record);
    settings.insert("filter_version".into(), data.filter.version.clone().into());
    settings.extend(data.tuned.as_ref().map(|(tuned, _)| (TUNED.to_string(), tuned.run.as_str().into())));
    Card {
        task: TaskCard::Scores {
            filter: data.filter.name.clone(),
            dimensions: dimensions(data),
            tiers: tiers(data),
        },
        encoder: spec.encoder_name.clone(),
        encoder_fingerprint: data.encoder.clone(),
        dim_in: head.dim_in(),
        dim_out: head.dim_out(),
        method: record.method.clone(),
        n_train: record.rows,
        settings,
    }
}

fn dimensions(data: &ScoresData) -> Vec<ScoreDimension> {
    let of = |d: &manyview_data::Dimension| ScoreDimension { name: d.name.clone(), weight: d.weight };
    data.filter.dimensions.iter().map(of).collect()
}

fn tiers(data: &ScoresData) -> Vec<ScoreTier> {
    let of = |t: &manyview_data::Tier| ScoreTier { name: t.name.clone(), threshold: t.threshold };
    data.filter.tiers.iter().map(of).collect()
}

fn vectors(rows: &Scored) -> Vec<u8> {
    rows.base().as_slice().iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn targets(rows: &Scored) -> Vec<u8> {
    rows.targets().as_slice().iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::setting("scores", e.to_string()))
}
