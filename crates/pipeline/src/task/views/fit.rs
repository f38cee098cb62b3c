use super::data::ViewsData;
use super::spec::{Fit, Spec};
use crate::config::Monitor;
use crate::device;
use crate::run::{FitRecord, VariantDir};
use crate::task::card;
use crate::{Error, Result};
use manyview_adapter::{Card, Gradient, Map, Monitored, PenaltyScore, Prior, Ridge, TaskCard};
use manyview_core::{Embeddings, Fingerprint, Fit as _, Paired, Progress, Transform};
use manyview_eval::{KMeans, mean_cosine, neighbour_overlap, v_measure};
use manyview_report::Curve;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Of the training rows of a teacher that sees no others, one in so many is held back from training by gradient.
const HELD_BACK: usize = 10;

/// How close a view is to the teacher's vectors, and the base vectors for comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closeness {
    /// On which texts.
    pub measured_on: String,
    /// Mean cosine.
    pub cosine: f64,
    /// Mean share of nearest neighbours in common.
    pub knn_overlap: f64,
    /// The base vectors' cosine; none when dimensions differ.
    pub base_cosine: Option<f64>,
    /// The base vectors' share.
    pub base_knn_overlap: f64,
}

impl Closeness {
    /// Compares the view of some texts, and their base vectors, with what the teacher gives them.
    ///
    /// # Errors
    /// Matrices of different lengths.
    pub fn measure(
        measured_on: &str,
        view: &Embeddings,
        base: &Embeddings,
        teacher: &Embeddings,
        knn: usize,
    ) -> Result<Self> {
        let same = base.dim() == teacher.dim();
        Ok(Self {
            measured_on: measured_on.into(),
            cosine: mean_cosine(view, teacher)?,
            knn_overlap: neighbour_overlap(view, teacher, knn)?,
            base_cosine: same.then(|| mean_cosine(base, teacher)).transpose()?,
            base_knn_overlap: neighbour_overlap(base, teacher, knn)?,
        })
    }
}

/// Fits the adapter.
///
/// # Errors
/// Supervision the method cannot use, numbers that leave the finite range, an interruption.
pub(super) fn fit(
    spec: &Spec,
    data: &ViewsData,
    key: &Fingerprint,
    dir: &VariantDir,
    progress: &dyn Progress,
) -> Result<(Map, FitRecord)> {
    match &spec.fit {
        Fit::Ridge(config) => ridge(config, spec, data, key),
        Fit::Gradient { config, monitor, device } => {
            let gradient = Gradient::new(config.clone(), device::device(device)?)
                .with_checkpoints(dir.checkpoints().join(key.short()));
            by_gradient(gradient, *monitor, spec, data, (key, progress))
        }
    }
}

fn pairs(data: &ViewsData) -> Result<Paired> {
    Ok(Paired::new(data.base.select(&data.training.rows)?, data.training.train.clone())?)
}

fn ridge(config: &Ridge, spec: &Spec, data: &ViewsData, key: &Fingerprint) -> Result<(Map, FitRecord)> {
    let pairs = pairs(data)?;
    let (dim_in, dim_out) = (pairs.base().dim(), pairs.teacher().dim());
    if config.towards == Prior::Identity && dim_in != dim_out {
        return Err(Error::setting(
            "train.towards",
            format!(
                "expected procrustes or zero, as base vectors have {dim_in} values and the teacher's {dim_out}; found \
                 identity"
            ),
        ));
    }
    let fit = config.fit(&pairs)?;
    let path = &fit.path;
    let curve = Curve::penalties(vec![fit.lambda], path.iter().map(|p| p.lambda))
        .with("leave_one_out_mse", path.iter().map(|p| Some(p.mse)))
        .with("leave_one_out_cosine", path.iter().map(|p| Some(p.cosine)));
    let mut record = FitRecord::new(key, spec.fit.method(), pairs.base().n(), curve);
    record.figures.insert("lambda".into(), fit.lambda);
    if let Some(PenaltyScore { mse, cosine, .. }) = path.iter().find(|p| p.lambda == fit.lambda) {
        record.figures.insert("leave_one_out_mse".into(), *mse);
        record.figures.insert("leave_one_out_cosine".into(), *cosine);
    }
    record.closeness = closeness(spec, data, ("train, leave-one-out", &fit.leave_one_out, &pairs))?;
    Ok((fit.linear.into(), record))
}

fn by_gradient(
    gradient: Gradient,
    monitor: Monitor,
    spec: &Spec,
    data: &ViewsData,
    (key, progress): (&Fingerprint, &dyn Progress),
) -> Result<(Map, FitRecord)> {
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
    let seed = gradient.config.train.seed;
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
    record.figures.insert("best_epoch".into(), fit.best_epoch as f64);
    if let Some(best) = epochs.iter().find(|e| e.epoch == fit.best_epoch) {
        record.figures.insert("train_loss".into(), best.train_loss);
        record.figures.extend(best.val_loss.map(|loss| ("val_loss".to_string(), loss)));
        record.figures.extend(best.score.map(|score| ("val_v_measure".to_string(), score)));
    }
    record.used_validation = by_labels || data.training.val.is_some();
    let (what, pairs) = match held_back {
        Some(pairs) => ("training rows held back", pairs),
        None => ("train", pairs(data)?),
    };
    let view = fit.map.transform(pairs.base())?;
    record.closeness = closeness(spec, data, (what, &view, &pairs))?;
    Ok((fit.map, record))
}

/// How close the view of training rows comes to the teacher, where no test rows can tell.
fn closeness(
    spec: &Spec,
    data: &ViewsData,
    (what, view, pairs): (&str, &Embeddings, &Paired),
) -> Result<Option<Closeness>> {
    if data.training.test.is_some() {
        return Ok(None);
    }
    Closeness::measure(what, view, pairs.base(), pairs.teacher(), spec.evaluate.knn).map(Some)
}

/// Training pairs, and one in [`HELD_BACK`] of them apart, for a teacher that sees no other rows.
fn hold_back(data: &ViewsData) -> Result<(Paired, Option<Paired>)> {
    let all = pairs(data)?;
    let (apart, kept): (Vec<usize>, Vec<usize>) =
        (0..all.base().n()).partition(|i| i % HELD_BACK == HELD_BACK - 1);
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

/// Identity of everything the fit depends on.
pub(super) fn key(spec: &Spec, data: &ViewsData) -> Result<Fingerprint> {
    let (teacher, training) = (&spec.teacher, &data.training);
    let settings = match &spec.fit {
        Fit::Ridge(config) => setting(config)?,
        Fit::Gradient { config, monitor, device } => setting(&(config, monitor, device))?,
    };
    let mut key = Fingerprint::builder("views-fit/1")
        .field("method", spec.fit.method().as_bytes())
        .field("settings", &settings)
        .field("teacher", &setting(&(teacher.kind, &teacher.instruction, &teacher.template))?) // the card names it
        .field("encoder", data.encoder.as_str().as_bytes())
        .field("base", &bytes(&data.base.select(&training.rows)?))
        .field("taught", &bytes(&training.train));
    if training.test.is_none() {
        key = key.field("knn", &spec.evaluate.knn.to_le_bytes()); // of the closeness that is kept with the fit
    }
    if let Fit::Gradient { .. } = spec.fit {
        if let Some(val) = &training.val {
            key = key.field("val", &bytes(val));
        }
        if training.val.is_some() || data.val_truth.is_some() {
            key = key.field("val base", &bytes(&data.base.select(&data.val)?));
        }
        if let Some(truth) = &data.val_truth {
            key = key.field("val truth", &truth.iter().flat_map(|t| t.to_le_bytes()).collect::<Vec<_>>());
        }
    }
    Ok(key.finish())
}

pub(super) fn card(spec: &Spec, data: &ViewsData, map: &Map, record: &FitRecord) -> Card {
    let (encoder, teacher) = (&spec.encoder, &spec.teacher);
    let mut settings = card::settings(encoder, &data.dataset, record);
    settings.insert("label".into(), spec.data.label.clone().into());
    settings.insert("template".into(), teacher.template.clone().into());
    Card {
        task: TaskCard::Views {
            instruction: teacher.instruction.clone(),
            teacher: teacher.kind.as_str().into(),
        },
        encoder: encoder.model.clone(),
        encoder_fingerprint: data.encoder.clone(),
        dim_in: map.dim_in(),
        dim_out: map.dim_out(),
        method: record.method.clone(),
        n_train: record.rows,
        settings,
    }
}

fn bytes(x: &Embeddings) -> Vec<u8> {
    x.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn setting<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::setting("train", e.to_string()))
}
