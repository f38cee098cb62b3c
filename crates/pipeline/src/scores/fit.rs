//! Fitting a head, and keeping it under the key of all it depends on.

use super::corpus::ScoredCorpus;
use super::tuning::LearntEncoder;
use crate::config::{Experiment, HeadKind, Learning, Scores};
use crate::run_dir::Member;
use crate::{Error, Result, device, tuned};
use manyview_adapter::{
    GradientHead, Head, HeadCard, HeadConfig, HeadDimension, HeadEpoch, HeadTier, MonitoredScores, SavedHead,
    load_head, save_head,
};
use manyview_core::{Embeddings, Fingerprint, Fit, Progress, Scored, Transform};
use manyview_encoder::Weights;
use manyview_eval::RegressionMeasure::Mae;
use manyview_report::{HeadCurve, HeadEpochPoint, HeadPenaltyPoint};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

const RECORD: &str = "fit.json";
pub(super) const HISTORY: &str = "training_history.json";
/// Where the card of a head says which fit it is of.
const KEY: &str = "fit";

/// What fitting found, kept beside the head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadRecord {
    /// Identity of everything the fit depends on: the same key, the same head.
    pub key: Fingerprint,
    /// `ridge`, `linear` or `mlp`.
    pub head: String,
    /// Training rows it learnt from.
    pub rows: usize,
    /// Wall time, seconds.
    pub seconds: f64,
    /// What was chosen or reached, by name.
    pub figures: BTreeMap<String, f64>,
    /// How the penalties were chosen, or how training went.
    pub curve: HeadCurve,
}

/// What a fit starts from.
pub(super) struct HeadLesson<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) scores: &'a Scores,
    pub(super) corpus: &'a ScoredCorpus,
    /// Vectors of all rows, `[n, dim]`.
    pub(super) base: &'a Embeddings,
    pub(super) encoder: Fingerprint,
    /// The encoder that made them, where it learnt below the head.
    pub(super) learnt: Option<LearntEncoder>,
}

/// Fits the head, and keeps it under the key of all it depends on.
pub(super) fn fit(
    lesson: &HeadLesson<'_>,
    member: &Member,
    progress: &dyn Progress,
) -> Result<(Head, HeadRecord)> {
    let (key, start) = (lesson.key()?, Instant::now());
    let (head, mut record) = match lesson.scores.head {
        HeadKind::Ridge => lesson.ridge(key)?,
        HeadKind::Linear | HeadKind::Mlp => lesson.gradient(key, member, progress)?,
    };
    let before = lesson.learnt.as_ref().map_or(0.0, |learnt| learnt.training.seconds);
    record.seconds = before + start.elapsed().as_secs_f64();
    member.forget_metrics()?;
    save_head(&member.head(), &head, &lesson.card(&head, &record))?;
    member.write(HISTORY, &record.curve)?;
    member.write(RECORD, &record)?;
    Ok((head, record))
}

/// The saved head and its record, if it was fitted with these settings to these texts.
pub(super) fn current(lesson: &HeadLesson<'_>, member: &Member) -> Result<(Head, HeadRecord)> {
    let (saved, record) = load(member)?;
    match record.key == lesson.key()? {
        true => {
            tracing::info!(path = %member.head().display(), "the head is up to date");
            Ok((saved.head, record))
        }
        false => Err(missing(member, "a head fitted with these settings, found one of other settings")),
    }
}

/// The head and record of an earlier fit.
pub(super) fn load(member: &Member) -> Result<(SavedHead, HeadRecord)> {
    let none = || missing(member, "a fitted head, found none");
    let record: HeadRecord = member.read(RECORD)?.ok_or_else(none)?;
    let saved = load_head(&member.head())?;
    match saved.card.settings.get(KEY).and_then(|key| key.as_str()) == Some(record.key.as_str()) {
        true => Ok((saved, record)),
        false => Err(missing(member, "a fitted head and its record, found a record of another fit")),
    }
}

fn missing(member: &Member, what: &str) -> Error {
    Error::Missing { path: member.path().into(), missing: what.into(), cure: "train".into() }
}

impl HeadLesson<'_> {
    /// The encoder, as people name it.
    pub(super) fn encoder_name(&self) -> String {
        let model = &self.experiment.encoder.model;
        match self.experiment.train.encoder {
            Learning::Frozen => model.clone(),
            learning => format!("{model}, learnt ({})", learning.as_str()),
        }
    }

    pub(super) fn rows(&self, rows: &[usize]) -> Result<Scored> {
        Ok(Scored::new(self.base.select(rows)?, self.corpus.targets.select(rows)?)?)
    }

    fn ridge(&self, key: Fingerprint) -> Result<(Head, HeadRecord)> {
        let data = self.rows(&self.corpus.split.train)?;
        let fit = match &self.learnt {
            Some(learnt) => learnt.below.clone(),
            None => self.scores.ridge(&self.experiment.train).fit(&data)?,
        };
        let head = match self.scores.calibrate {
            true => fit.head.calibrated(&fit.leave_one_out, data.targets())?,
            false => fit.head,
        };
        let names = self.corpus.filter.names();
        let mut figures: BTreeMap<String, f64> = names
            .iter()
            .zip(&fit.lambdas)
            .map(|(name, lambda)| (format!("lambda of {name}"), *lambda))
            .collect();
        let of = if self.learnt.is_some() { " over frozen vectors" } else { "" };
        let mae = Mae.overall(data.targets(), &fit.leave_one_out)?;
        figures.insert(format!("leave-one-out MAE{of}"), mae);
        if let Some(learnt) = &self.learnt {
            let losses = learnt.training.losses.iter().zip(1..);
            figures.extend(losses.map(|(loss, epoch)| (format!("encoder, loss of epoch {epoch}"), *loss)));
        }
        let points = fit
            .path
            .iter()
            .map(|p| HeadPenaltyPoint { lambda: p.lambda, rmse: p.mse.iter().map(|v| v.sqrt()).collect() });
        let curve = HeadCurve::Penalty { chosen: fit.lambdas, points: points.collect() };
        Ok((head, self.record(key, figures, curve)))
    }

    fn gradient(
        &self,
        key: Fingerprint,
        member: &Member,
        progress: &dyn Progress,
    ) -> Result<(Head, HeadRecord)> {
        let split = &self.corpus.split;
        let validation = (!split.val.is_empty()).then(|| self.rows(&split.val)).transpose()?;
        if self.scores.calibrate && validation.is_none() {
            let problem =
                "a head by gradient is calibrated on validation rows, found none; set data.val above 0";
            return Err(Error::setting("scores.calibrate", problem));
        }
        let device = device::device(&self.experiment.encoder.device)?;
        let gradient = GradientHead::new(self.scores.gradient(&self.experiment.train), device)
            .with_checkpoints(member.checkpoints().join(key.short()));
        let data = MonitoredScores { train: self.rows(&split.train)?, validation, progress };
        let fit = gradient.fit(&data)?;
        let head = match data.validation.as_ref().filter(|_| self.scores.calibrate) {
            Some(val) => {
                let held_out = fit.head.transform(val.base())?;
                fit.head.calibrated(&held_out, val.targets())?
            }
            None => fit.head,
        };
        let mut figures = BTreeMap::from([("best epoch".to_string(), fit.best_epoch as f64)]);
        if let Some(best) = fit.history.iter().find(|e| e.epoch == fit.best_epoch) {
            let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len().max(1) as f64;
            figures.insert("training MAE".into(), mean(&best.train.mae));
            figures.extend(best.val.as_ref().map(|val| ("validation MAE".to_string(), mean(&val.mae))));
        }
        let epochs = fit.history.into_iter().map(point).collect();
        let curve = HeadCurve::Training { best_epoch: fit.best_epoch, epochs };
        Ok((head, self.record(key, figures, curve)))
    }

    fn record(&self, key: Fingerprint, figures: BTreeMap<String, f64>, curve: HeadCurve) -> HeadRecord {
        let rows = self.corpus.split.train.len();
        HeadRecord { key, head: self.scores.head.as_str().into(), rows, seconds: 0.0, figures, curve }
    }

    /// The error on validation texts, which are no part of a fit in closed form, and so not kept with it; none without them,
    /// and of a head by gradient, whose fit has it.
    pub(super) fn validation_mae(&self, head: &Head) -> Result<Option<f64>> {
        let rows = &self.corpus.split.val;
        if rows.is_empty() || self.scores.head != HeadKind::Ridge {
            return Ok(None);
        }
        let val = self.rows(rows)?;
        Ok(Some(Mae.overall(val.targets(), &head.transform(val.base())?)?))
    }

    /// Identity of everything the fit depends on.
    pub(super) fn key(&self) -> Result<Fingerprint> {
        let (scores, train) = (self.scores, &self.experiment.train);
        let settings = match scores.head {
            HeadKind::Ridge => json(&scores.ridge(train))?,
            HeadKind::Linear | HeadKind::Mlp => {
                let config = scores.gradient(train);
                json(&HeadConfig { checkpoint_every: None, ..config })? // it changes no head
            }
        };
        let filter = &self.corpus.filter;
        let mut key = Fingerprint::builder("head-fit/2")
            .field("head", scores.head.as_str().as_bytes())
            .field("settings", &settings)
            .field("calibrate", &[u8::from(scores.calibrate)])
            .field("filter", &json(&(&filter.name, dimensions(self.corpus), tiers(self.corpus)))?)
            .field("encoder", self.encoder.as_str().as_bytes());
        if let Some(learnt) = &self.learnt {
            key = key.field("learnt", learnt.training.run.as_str().as_bytes());
        }
        let val = if scores.head == HeadKind::Ridge { &[][..] } else { &self.corpus.split.val };
        for (name, rows) in [("train", self.corpus.split.train.as_slice()), ("val", val)] {
            for &row in rows {
                let figures = self.corpus.targets.rows().nth(row).unwrap_or_default();
                let figures: Vec<u8> = figures.iter().flat_map(|v| v.to_le_bytes()).collect();
                let vector: Vec<u8> = self.base.row(row).iter().flat_map(|v| v.to_le_bytes()).collect();
                key = key.field(name, &vector).field("figures", &figures);
            }
        }
        Ok(key.finish())
    }

    fn card(&self, head: &Head, record: &HeadRecord) -> HeadCard {
        let encoder = &self.experiment.encoder;
        let model = self.learnt.as_ref().map_or(&encoder.model, |learnt| &learnt.encoder.model);
        let mut settings = BTreeMap::from([
            ("model".to_string(), serde_json::Value::from(model.clone())),
            ("revision".into(), encoder.revision.clone().into()),
            ("dataset".into(), self.corpus.name.clone().into()),
            ("filter_version".into(), self.corpus.filter.version.clone().into()),
            (KEY.into(), record.key.as_str().into()),
        ]);
        if encoder.weights != Weights::F32 {
            settings.extend(serde_json::to_value(encoder.weights).map(|w| ("weights".to_string(), w)));
        }
        if let Some(learnt) = &self.learnt {
            settings.insert(tuned::KEY.into(), learnt.training.run.as_str().into());
        }
        settings.extend(encoder.max_length.map(|n| ("max_length".to_string(), n.into())));
        HeadCard {
            schema: HeadCard::SCHEMA.into(),
            encoder: self.encoder_name(),
            encoder_fingerprint: self.encoder.clone(),
            dim_in: head.dim_in(),
            filter: self.corpus.filter.name.clone(),
            dimensions: dimensions(self.corpus),
            tiers: tiers(self.corpus),
            method: record.head.clone(),
            n_train: record.rows,
            settings,
        }
    }
}

fn dimensions(corpus: &ScoredCorpus) -> Vec<HeadDimension> {
    let of = |d: &manyview_data::Dimension| HeadDimension { name: d.name.clone(), weight: d.weight };
    corpus.filter.dimensions.iter().map(of).collect()
}

fn tiers(corpus: &ScoredCorpus) -> Vec<HeadTier> {
    let of = |t: &manyview_data::Tier| HeadTier { name: t.name.clone(), threshold: t.threshold };
    corpus.filter.tiers.iter().map(of).collect()
}

fn point(epoch: HeadEpoch) -> HeadEpochPoint {
    let (val_mae, val_rmse) = epoch.val.map(|val| (val.mae, val.rmse)).unzip();
    HeadEpochPoint {
        epoch: epoch.epoch,
        train_loss: epoch.train_loss,
        train_mae: epoch.train.mae,
        train_rmse: epoch.train.rmse,
        val_loss: epoch.val_loss,
        val_mae,
        val_rmse,
        lr: epoch.lr,
    }
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::setting("scores", e.to_string()))
}
