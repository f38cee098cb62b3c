use super::data::RetrievalData;
use super::spec::{RetrievalFit, Spec};
use crate::run::{FitRecord, VariantDir};
use crate::task::card;
use crate::task::fitted::{self, Fitted};
use crate::{Error, Result};
use manyview_adapter::{Card, TaskCard};
use manyview_core::{Embeddings, Fingerprint, Progress};

/// Fits an adapter; an encoder that learns did so before.
///
/// # Errors
/// Settings out of range, numbers that leave the finite range, an interruption, or files that cannot be written.
#[cfg_attr(not(feature = "train"), allow(unused_variables))] // only training is interrupted and resumed
pub(super) fn fit(
    spec: &Spec,
    data: &RetrievalData,
    key: &Fingerprint,
    dir: &VariantDir,
    progress: &dyn Progress,
) -> Result<(Fitted, FitRecord)> {
    let (model, mut record) = match &spec.fit {
        #[cfg(feature = "train")]
        RetrievalFit::Adapter { config, device, .. } => {
            super::gradient::fit((config, device), data, (key, dir, progress))?
        }
        #[cfg(not(feature = "train"))]
        RetrievalFit::Adapter { .. } => return Err(crate::training::needs_training()),
        RetrievalFit::Encoder { how, .. } => (Fitted::Encoder, encoder(how, data, key)?),
    };
    if let Some(val) = &data.val {
        record.metrics.insert("val_ndcg@10_of_base".into(), val.own()?);
    }
    Ok((model, record))
}

/// The record of an encoder that learnt `how`.
fn encoder(how: &str, data: &RetrievalData, key: &Fingerprint) -> Result<FitRecord> {
    let tuned = fitted::tuned(data.tuned.as_ref())?;
    let mut record = fitted::encoder_record(how, &tuned.training, key);
    if let Some(val) = &tuned.val {
        record.metrics.insert("val_ndcg@10".into(), val.own()?);
    }
    Ok(record)
}

/// Identity of everything the fit depends on; an encoder that learns adds its training to it.
pub(super) fn key(spec: &Spec, data: &RetrievalData) -> Result<Fingerprint> {
    let settings = match &spec.fit {
        RetrievalFit::Encoder { how, .. } => json(how)?,
        RetrievalFit::Adapter { config, device, .. } => {
            let mut config = config.clone();
            config.train.checkpoint_every = None; // it changes no adapter
            json(&(config, device))?
        }
    };
    let prompt = (&spec.instruction, spec.prompt.as_ref().map(|_| &spec.template)); // the card names it
    let mut key = Fingerprint::builder("retrieval-fit/1")
        .field("settings", &settings)
        .field("prompt", &json(&prompt)?)
        .field("encoder", data.encoder.as_str().as_bytes())
        .field("queries", &bytes(data.train.queries()))
        .field("passages", &bytes(data.train.passages()))
        .field("positive", &numbers(data.train.positive()));
    for list in data.train.negatives().unwrap_or_default() {
        key = key.field("negatives", &numbers(list));
    }
    if let Some(val) = &data.val {
        key = key.field("val queries", &bytes(&val.queries)).field("val passages", &bytes(&val.passages));
        for list in &val.answers {
            key = key.field("val answers", &numbers(list));
        }
    }
    Ok(key.finish())
}

pub(super) fn card(spec: &Spec, data: &RetrievalData, record: &FitRecord) -> Card {
    let encoder = &spec.encoder;
    let mut settings = card::settings(encoder, &data.dataset, record);
    if let RetrievalFit::Adapter { config, .. } = &spec.fit {
        settings.insert("objective".into(), config.loss.as_str().into());
    }
    if spec.prompt.is_some() {
        settings.insert("template".into(), spec.template.clone().into());
    }
    let dim = data.train.queries().dim();
    Card {
        task: TaskCard::Retrieval { instruction: spec.instruction.clone() },
        encoder: encoder.model.clone(),
        encoder_fingerprint: data.encoder.clone(),
        dim_in: dim,
        dim_out: dim,
        method: record.method.clone(),
        n_train: record.rows,
        settings,
    }
}

fn bytes(x: &Embeddings) -> Vec<u8> {
    x.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn numbers(list: &[usize]) -> Vec<u8> {
    list.iter().flat_map(|n| (*n as u64).to_le_bytes()).collect()
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::setting("train", e.to_string()))
}
