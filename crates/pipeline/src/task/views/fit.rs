use super::data::ViewsData;
use super::spec::{Fit, Spec};
use crate::run::{FitRecord, VariantDir};
use crate::task::card;
use crate::task::fitted::{self, Fitted};
use crate::{Error, Result};
use manyview_adapter::{Card, PenaltyScore, Prior, Ridge, TaskCard};
use manyview_core::{Embeddings, Fingerprint, Fit as _, Paired, Progress};
use manyview_eval::{mean_cosine, neighbour_overlap};
use manyview_report::Curve;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a report calls the training rows that were held back.
pub(super) const HELD_BACK: &str = "training rows held back";

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

/// Fits the adapter; an encoder that is fine-tuned was so before.
///
/// # Errors
/// Supervision the method cannot use, numbers that leave the finite range, an interruption.
#[cfg_attr(not(feature = "train"), allow(unused_variables))] // only training is interrupted and resumed
pub(super) fn fit(
    spec: &Spec,
    data: &ViewsData,
    key: &Fingerprint,
    dir: &VariantDir,
    progress: &dyn Progress,
) -> Result<(Fitted, FitRecord)> {
    match &spec.fit {
        Fit::Ridge(config) => ridge(config, spec, data, key),
        #[cfg(feature = "train")]
        Fit::Gradient { config, monitor, device } => {
            super::gradient::fit((config, *monitor, device), spec, data, (key, dir, progress))
        }
        #[cfg(not(feature = "train"))]
        Fit::Gradient { .. } => Err(crate::training::needs_training()),
        Fit::Encoder { how, .. } => Ok((Fitted::Encoder, encoder(how, spec, data, key)?)),
    }
}

pub(super) fn pairs(data: &ViewsData) -> Result<Paired> {
    Ok(Paired::new(data.base.select(&data.training.rows)?, data.training.train.clone())?)
}

fn ridge(config: &Ridge, spec: &Spec, data: &ViewsData, key: &Fingerprint) -> Result<(Fitted, FitRecord)> {
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
    record.metrics.insert("lambda".into(), fit.lambda);
    if let Some(PenaltyScore { mse, cosine, .. }) = path.iter().find(|p| p.lambda == fit.lambda) {
        record.metrics.insert("leave_one_out_mse".into(), *mse);
        record.metrics.insert("leave_one_out_cosine".into(), *cosine);
    }
    record.closeness = closeness(spec, data, ("train, leave-one-out", &fit.leave_one_out, &pairs))?;
    Ok((Fitted::Adapter(fit.linear.into()), record))
}

/// The record of an encoder fine-tuned by the method `how`.
fn encoder(how: &str, spec: &Spec, data: &ViewsData, key: &Fingerprint) -> Result<FitRecord> {
    let tuned = fitted::tuned(data.tuned.as_ref())?;
    let mut record = fitted::encoder_record(how, &tuned.training, key);
    let (what, measured) = match data.student_rows() {
        (learnt, held_back) if held_back.is_empty() => ("train", learnt),
        (_, held_back) => (HELD_BACK, held_back),
    };
    let rows = data.training.rows_at(&measured);
    let pairs = Paired::new(data.base.select(&rows)?, data.training.train.select(&measured)?)?;
    record.closeness = closeness(spec, data, (what, &tuned.vectors.select(&rows)?, &pairs))?;
    Ok(record)
}

/// How close a fine-tuned encoder and its base come to the teacher on validation rows, which chose nothing.
pub(super) fn validate(data: &ViewsData) -> Result<BTreeMap<String, f64>> {
    let (Some(tuned), Some(teacher)) = (&data.tuned, &data.training.val) else {
        return Ok(BTreeMap::new());
    };
    let cosine = |all: &Embeddings| Ok::<_, Error>(mean_cosine(&all.select(&data.val)?, teacher)?);
    let (view, base) = (cosine(&tuned.vectors)?, cosine(&data.base)?);
    Ok([("val_cosine".to_string(), view), ("val_cosine_of_base".into(), base)].into())
}

/// How close the view of training rows comes to the teacher, where no test rows can tell.
pub(super) fn closeness(
    spec: &Spec,
    data: &ViewsData,
    (what, view, pairs): (&str, &Embeddings, &Paired),
) -> Result<Option<Closeness>> {
    if data.training.test.is_some() {
        return Ok(None);
    }
    Closeness::measure(what, view, pairs.base(), pairs.teacher(), spec.evaluate.knn).map(Some)
}

/// Identity of everything the fit depends on.
pub(super) fn key(spec: &Spec, data: &ViewsData) -> Result<Fingerprint> {
    let (teacher, training) = (&spec.teacher, &data.training);
    let settings = match &spec.fit {
        Fit::Ridge(config) => setting(config)?,
        Fit::Gradient { config, monitor, device } => setting(&(config, monitor, device))?,
        Fit::Encoder { .. } => Vec::new(), // its training has a key of its own
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

pub(super) fn card(spec: &Spec, data: &ViewsData, record: &FitRecord) -> Card {
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
        dim_in: data.base.dim(),
        dim_out: data.training.train.dim(),
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
