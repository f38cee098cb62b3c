//! Training by gradient: of an adapter, and of the encoder itself.

use super::corpus::SplitPairs;
use super::data::RetrievalData;
use super::journal::Journal;
use super::spec::{RetrievalFit, Spec};
use crate::Result;
use crate::run::{FineTuning, FitRecord, VariantDir};
use crate::task::fitted::Fitted;
use manyview_adapter::{Contrastive, ContrastiveConfig, Maps, MonitoredPairs};
use manyview_core::{Fingerprint, Fit as _, Progress};
use manyview_encoder::finetune::MultipleNegativesRanking;
use manyview_report::Curve;

pub(super) fn fit(
    (config, device): (&ContrastiveConfig, &str),
    data: &RetrievalData,
    (key, dir, progress): (&Fingerprint, &VariantDir, &dyn Progress),
) -> Result<(Fitted, FitRecord)> {
    let contrastive = Contrastive::new(config.clone(), manyview_artifact::device(device)?)
        .with_checkpoints(dir.checkpoints().join(key.short()));
    let rows = data.train.queries().n();
    let journal = Journal::begin(dir, progress, rows, data.n_val, config.train.epochs)?;
    let score = |maps: &Maps| match &data.val {
        Some(val) => val.score(&maps.queries(&val.queries)?, &maps.passages(&val.passages)?),
        None => Ok(0.0),
    };
    let fit = contrastive.fit(&MonitoredPairs {
        train: data.train.clone(),
        score: data.val.is_some().then_some(&score),
        progress: &journal,
    })?;
    journal.end()?;
    let monitor = if data.val.is_some() { "validation nDCG@10" } else { "its place, the last" };
    let epochs = &fit.history;
    let curve = Curve::epochs(fit.best_epoch, monitor, epochs.iter().map(|e| e.epoch))
        .with("train_loss", epochs.iter().map(|e| Some(e.train_loss)))
        .with("val_loss", epochs.iter().map(|e| e.val_loss))
        .with("val_score", epochs.iter().map(|e| e.score));
    let mut record = FitRecord::new(key, "contrastive", rows, curve);
    record.used_validation = data.val.is_some();
    record.metrics.insert("best_epoch".into(), fit.best_epoch as f64);
    if let Some(best) = epochs.iter().find(|epoch| epoch.epoch == fit.best_epoch) {
        record.metrics.insert("train_loss".into(), best.train_loss);
        record.metrics.extend(best.score.map(|score| ("val_ndcg@10".to_string(), score)));
    }
    Ok((Fitted::Adapter(fit.maps), record))
}

/// How the encoder is trained, where it is: towards ranking each passage first for its query.
pub(super) fn fine_tuning<'d>(spec: &Spec, corpus: &'d SplitPairs) -> Option<FineTuning<'d>> {
    let RetrievalFit::Encoder { config, scale, .. } = &spec.fit else { return None };
    let rows = &corpus.split.train;
    let text = |i: &usize| corpus.pairs.passages.get(*i).map(String::as_str).unwrap_or_default();
    Some(FineTuning {
        config: config.clone(),
        queries: rows.iter().map(|&row| corpus.pairs.queries[row].as_str()).collect(),
        passages: corpus.positive(rows).iter().map(text).collect(),
        objective: Box::new(MultipleNegativesRanking { scale: *scale }),
    })
}
