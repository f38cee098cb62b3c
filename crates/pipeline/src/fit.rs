use crate::config::{Experiment, Method, Monitor};
use crate::corpus::SplitCorpus;
use crate::device;
use crate::plain::{self, CURVE};
use crate::run_dir::Member;
use crate::teacher::Lesson;
use crate::{Error, Result};
use manyview_adapter::{AdapterCard, Gradient, Linear, Monitored, PenaltyScore, Prior, Saved};
use manyview_core::{Embeddings, Fingerprint, Fit, Paired, Progress, Transform};
use manyview_encoder::Weights;
use manyview_eval::{KMeans, mean_cosine, neighbour_overlap, v_measure};
use manyview_report::{Curve, EpochPoint, PenaltyPoint};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

const RECORD: &str = "fit.json";
/// Where the card of an adapter says which fit it is of.
const KEY: &str = "fit";
/// Of the training rows of a teacher that sees no others, one in so many is held back from training by gradient.
const HELD_BACK: usize = 10;

/// What fitting found, kept beside the adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitRecord {
    /// Identity of everything the fit depends on: the same key, the same adapter.
    pub key: Fingerprint,
    /// `ridge` or `gradient`.
    pub method: String,
    /// Training rows it learnt from.
    pub rows: usize,
    /// Wall time, seconds.
    pub seconds: f64,
    /// What was chosen or reached, by name.
    pub figures: BTreeMap<String, f64>,
    /// How the penalty was chosen, or how training went.
    pub curve: Curve,
    /// Whether validation rows chose anything.
    pub used_validation: bool,
    /// How close the view of training rows comes to the teacher, left out of the fit where it could be done.
    pub closeness: Closeness,
}

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

/// What a fit starts from.
pub(crate) struct Supervision<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Its corpus.
    pub corpus: &'a SplitCorpus,
    /// Vectors of all rows, `[n, dim]`.
    pub base: &'a Embeddings,
    /// What the teacher taught.
    pub lesson: &'a Lesson,
    /// The encoder's fingerprint.
    pub encoder: Fingerprint,
}

/// Fits the adapter, or takes the saved one when everything it depends on is the same.
///
/// # Errors
/// Supervision the method cannot use, numbers that leave the finite range, an interruption, or files that cannot be
/// written.
pub(crate) fn fit(
    supervision: &Supervision<'_>,
    member: &Member,
    progress: &dyn Progress,
) -> Result<(Linear, FitRecord)> {
    let key = supervision.key()?;
    if let Some((saved, record)) = load(member).ok().filter(|(_, record)| record.key == key) {
        tracing::info!(path = %member.adapter().display(), "the adapter is up to date");
        return Ok((saved.linear()?.clone(), record));
    }
    let start = Instant::now();
    let (linear, mut record) = match supervision.experiment.train.method {
        Method::Ridge => supervision.ridge(key)?,
        Method::Gradient => supervision.gradient(key, member, progress)?,
    };
    record.seconds = start.elapsed().as_secs_f64();
    member.forget_metrics()?;
    manyview_adapter::save(&member.adapter(), &linear.clone().into(), &supervision.card(&linear, &record))?;
    member.write_text(CURVE, &plain::csv(&record.curve))?;
    member.write(RECORD, &record)?;
    Ok((linear, record))
}

/// The saved adapter and its record, if it was fitted with these settings to these texts.
///
/// # Errors
/// [`Error::Missing`] when there is none, and when what is there is of other settings: its training texts may be the
/// test texts of these.
pub(crate) fn current(supervision: &Supervision<'_>, member: &Member) -> Result<(Linear, FitRecord)> {
    let (saved, record) = load(member)?;
    match record.key == supervision.key()? {
        true => Ok((saved.linear()?.clone(), record)),
        false => Err(missing(member, "an adapter fitted with these settings, found one of other settings")),
    }
}

/// The adapter and record of an earlier fit.
///
/// # Errors
/// [`Error::Missing`] when there is none.
pub(crate) fn load(member: &Member) -> Result<(Saved, FitRecord)> {
    let none = || missing(member, "a fitted adapter, found none");
    let record: FitRecord = member.read(RECORD)?.ok_or_else(none)?;
    let saved = manyview_adapter::load(&member.adapter())?;
    match saved.card.settings.get(KEY).and_then(|key| key.as_str()) == Some(record.key.as_str()) {
        true => Ok((saved, record)),
        false => Err(missing(member, "a fitted adapter and its record, found a record of another fit")),
    }
}

fn missing(member: &Member, what: &str) -> Error {
    Error::Missing { path: member.path().into(), missing: what.into(), cure: "train".into() }
}

impl Supervision<'_> {
    fn pairs(&self) -> Result<Paired> {
        Ok(Paired::new(self.base.select(&self.lesson.rows)?, self.lesson.train.clone())?)
    }

    fn ridge(&self, key: Fingerprint) -> Result<(Linear, FitRecord)> {
        let pairs = self.pairs()?;
        let (dim_in, dim_out) = (pairs.base().dim(), pairs.teacher().dim());
        if self.experiment.train.towards == Prior::Identity && dim_in != dim_out {
            return Err(Error::setting(
                "train.towards",
                format!(
                    "expected procrustes or zero, as base vectors have {dim_in} values and the teacher's {dim_out}; found \
                     identity"
                ),
            ));
        }
        let fit = self.experiment.train.ridge().fit(&pairs)?;
        let chosen = fit.path.iter().find(|p| p.lambda == fit.lambda);
        let mut figures = BTreeMap::from([("lambda".to_string(), fit.lambda)]);
        if let Some(PenaltyScore { mse, cosine, .. }) = chosen {
            figures.insert("leave_one_out_mse".into(), *mse);
            figures.insert("leave_one_out_cosine".into(), *cosine);
        }
        let points = fit.path.iter().map(|p| PenaltyPoint { lambda: p.lambda, mse: p.mse, cosine: p.cosine });
        let knn = self.experiment.evaluate.knn;
        let what = "train, leave-one-out";
        let record = FitRecord {
            key,
            method: Method::Ridge.as_str().into(),
            rows: pairs.base().n(),
            seconds: 0.0,
            figures,
            curve: Curve::Penalty { chosen: fit.lambda, points: points.collect() },
            used_validation: false,
            closeness: Closeness::measure(what, &fit.leave_one_out, pairs.base(), pairs.teacher(), knn)?,
        };
        Ok((fit.linear, record))
    }

    fn gradient(
        &self,
        key: Fingerprint,
        member: &Member,
        progress: &dyn Progress,
    ) -> Result<(Linear, FitRecord)> {
        let (experiment, split) = (self.experiment, &self.corpus.split);
        let (train, held_back) = match &self.lesson.val {
            Some(_) => (self.pairs()?, None),
            None => self.hold_back()?,
        };
        let seen = self
            .lesson
            .val
            .as_ref()
            .map(|val| Ok::<_, Error>(Paired::new(self.base.select(&split.val)?, val.clone())?));
        let validation = seen.transpose()?.or_else(|| held_back.clone());
        let by_labels = experiment.train.monitor == Monitor::ValVMeasure;
        if by_labels && split.val.is_empty() {
            return Err(Error::setting(
                "train.monitor",
                "val_v_measure needs validation rows; set data.val above 0",
            ));
        }
        let val_base = (!split.val.is_empty()).then(|| self.base.select(&split.val)).transpose()?;
        let score = |linear: &Linear| match &val_base {
            Some(base) => Ok(self.val_v_measure(&linear.transform(base)?)?),
            None => Ok(0.0),
        };
        let device = device::device(&experiment.encoder.device)?;
        let gradient = Gradient::new(experiment.train.gradient(), device)
            .with_checkpoints(member.checkpoints().join(key.short()));
        let rows = train.base().n();
        let fit =
            gradient.fit(&Monitored { train, validation, score: by_labels.then_some(&score), progress })?;
        let epochs = fit.history.iter().map(|e| EpochPoint {
            epoch: e.epoch,
            train_loss: e.train_loss,
            val_loss: e.val_loss,
            score: e.score,
        });
        let mut figures = BTreeMap::from([("best_epoch".to_string(), fit.best_epoch as f64)]);
        if let Some(best) = fit.history.iter().find(|e| e.epoch == fit.best_epoch) {
            figures.insert("train_loss".into(), best.train_loss);
            figures.extend(best.val_loss.map(|loss| ("val_loss".to_string(), loss)));
            figures.extend(best.score.map(|score| ("val_v_measure".to_string(), score)));
        }
        let (what, pairs) = match held_back {
            Some(pairs) => ("training rows held back", pairs),
            None => ("train", self.pairs()?),
        };
        let view = fit.linear.transform(pairs.base())?;
        let knn = experiment.evaluate.knn;
        let closeness = Closeness::measure(what, &view, pairs.base(), pairs.teacher(), knn)?;
        let record = FitRecord {
            key,
            method: Method::Gradient.as_str().into(),
            rows,
            seconds: 0.0,
            figures,
            curve: Curve::Training {
                best_epoch: fit.best_epoch,
                monitor: experiment.train.monitor.as_str().into(),
                epochs: epochs.collect(),
            },
            used_validation: by_labels || self.lesson.val.is_some(),
            closeness,
        };
        Ok((fit.linear, record))
    }

    /// Training pairs, and one in [`HELD_BACK`] of them apart, for a teacher that sees no other rows.
    fn hold_back(&self) -> Result<(Paired, Option<Paired>)> {
        let all = self.pairs()?;
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
    fn val_v_measure(&self, view: &Embeddings) -> manyview_core::Result<f64> {
        let truth = self.corpus.truth_of(&self.corpus.split.val);
        let classes = truth.iter().collect::<BTreeSet<_>>().len();
        let kmeans = KMeans { seed: self.experiment.train.seed, ..KMeans::new(classes) };
        Ok(v_measure(&truth, &kmeans.fit(view)?.labels)?.v_measure)
    }

    /// Identity of everything the fit depends on.
    pub(crate) fn key(&self) -> Result<Fingerprint> {
        let (experiment, lesson, split) = (self.experiment, self.lesson, &self.corpus.split);
        let mut builder = Fingerprint::builder("fit/1")
            .field("train", &setting("train", &experiment.train)?)
            .field("teacher", &setting("teacher", &experiment.teacher)?)
            .field("encoder", self.encoder.as_str().as_bytes())
            .field("base", &bytes(&self.base.select(&lesson.rows)?))
            .field("taught", &bytes(&lesson.train));
        if experiment.train.method == Method::Gradient {
            if let Some(val) = &lesson.val {
                builder = builder.field("val", &bytes(val));
            }
            if experiment.train.monitor == Monitor::ValVMeasure && !split.val.is_empty() {
                let truth = self.corpus.truth_of(&split.val);
                builder = builder.field("val base", &bytes(&self.base.select(&split.val)?));
                builder = builder
                    .field("val truth", &truth.iter().flat_map(|t| t.to_le_bytes()).collect::<Vec<_>>());
            }
        }
        Ok(builder.finish())
    }

    fn card(&self, linear: &Linear, record: &FitRecord) -> AdapterCard {
        let (encoder, teacher) = (&self.experiment.encoder, &self.experiment.teacher);
        let mut settings = BTreeMap::from([
            ("model".to_string(), serde_json::Value::from(encoder.model.clone())),
            ("revision".into(), encoder.revision.clone().into()),
            ("dataset".into(), self.corpus.name.clone().into()),
            ("label".into(), self.experiment.data.label.clone().into()),
            ("template".into(), teacher.template.clone().into()),
            (KEY.into(), record.key.as_str().into()),
        ]);
        if encoder.weights != Weights::F32 {
            settings.extend(
                serde_json::to_value(encoder.weights).map(|weights| ("weights".to_string(), weights)),
            );
        }
        settings.extend(encoder.max_length.map(|n| ("max_length".to_string(), n.into())));
        AdapterCard {
            schema: AdapterCard::SCHEMA.into(),
            encoder: encoder.model.clone(),
            encoder_fingerprint: self.encoder.clone(),
            dim_in: linear.dim_in(),
            dim_out: linear.dim_out(),
            instruction: teacher.instruction.clone(),
            teacher: teacher.kind.as_str().into(),
            method: record.method.clone(),
            n_train: record.rows,
            settings,
        }
    }
}

fn bytes(x: &Embeddings) -> Vec<u8> {
    x.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn setting<T: Serialize>(key: &str, value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::setting(key, e.to_string()))
}
