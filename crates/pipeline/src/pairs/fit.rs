use super::corpus::SplitPairs;
use super::journal::Journal;
use super::mine::hard_negatives;
use super::vectors::PairVectors;
use crate::config::{Experiment, Pairs};
use crate::device;
use crate::plain::{self, CURVE};
use crate::run_dir::Member;
use crate::{Error, Result};
use manyview_adapter::{
    AdapterCard, Contrastive, ContrastiveConfig, ContrastiveFit, Maps, MonitoredMatches, Saved,
};
use manyview_core::{Embeddings, Fingerprint, Fit, Matched, Progress};
use manyview_eval::{Relevance, RetrievalMeasure, search};
use manyview_report::{Curve, EpochPoint};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

pub(super) const RECORD: &str = "fit.json";
/// What the card of an adapter names as its teacher.
pub(crate) const TEACHER: &str = "pairs";
/// Where the card of an adapter says which fit it is of.
const KEY: &str = "fit";
/// What decides which epoch is kept.
const MONITOR: RetrievalMeasure = RetrievalMeasure::Ndcg(10);

/// What fitting to pairs found, kept beside the adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairsFit {
    /// Identity of everything the fit depends on: the same key, the same adapter.
    pub key: Fingerprint,
    /// Training pairs it learnt from.
    pub rows: usize,
    /// Negatives mined for their queries, all together.
    pub mined: usize,
    /// Wall time, seconds.
    pub seconds: f64,
    /// What was chosen or reached, by name.
    pub figures: BTreeMap<String, f64>,
    /// How training went.
    pub curve: Curve,
}

/// What a fit starts from: vectors of training pairs, and of validation pairs to choose by.
pub(crate) struct Lesson<'a> {
    experiment: &'a Experiment,
    settings: Pairs,
    corpus: &'a SplitPairs,
    encoder: Fingerprint,
    train: Matched,
    mined: usize,
    watch: Option<Watch>,
}

/// Validation queries, the passages of training and validation, and which answer which.
pub(super) struct Watch {
    queries: Embeddings,
    passages: Embeddings,
    relevance: Relevance,
    answers: Vec<Vec<usize>>,
}

impl Watch {
    /// None without validation pairs.
    pub(super) fn new(corpus: &SplitPairs, vectors: &PairVectors) -> Result<Option<Self>> {
        let split = &corpus.split;
        if split.val.is_empty() {
            return Ok(None);
        }
        let (rows, answers) = corpus.questions(&split.val);
        let passages = corpus.passages(&[&split.train[..], &split.val].concat());
        let places: HashMap<usize, usize> = passages.iter().zip(0..).map(|(p, place)| (*p, place)).collect();
        let of = |set: &Vec<usize>| set.iter().filter_map(|p| places.get(p).copied()).collect::<Vec<_>>();
        let answers: Vec<Vec<usize>> = answers.iter().map(of).collect();
        Ok(Some(Self {
            queries: vectors.queries.select(&rows)?,
            passages: vectors.passages.select(&passages)?,
            relevance: Relevance::new(answers.clone(), passages.len())?,
            answers,
        }))
    }

    /// nDCG@10 of its own queries among its own passages.
    pub(super) fn own(&self) -> manyview_core::Result<f64> {
        self.score(&self.queries, &self.passages)
    }

    /// nDCG@10 of queries among passages.
    fn score(&self, queries: &Embeddings, passages: &Embeddings) -> manyview_core::Result<f64> {
        let ranking = search(queries, passages, MONITOR.cutoff())?;
        let scores = self.relevance.scores(&ranking, MONITOR)?;
        Ok(scores.iter().sum::<f64>() / scores.len() as f64)
    }
}

impl<'a> Lesson<'a> {
    /// The vectors of the training pairs with negatives mined for them, and those of validation.
    ///
    /// # Errors
    /// Vectors that make no supervision.
    pub(crate) fn of(
        experiment: &'a Experiment,
        corpus: &'a SplitPairs,
        vectors: &PairVectors,
    ) -> Result<Self> {
        let settings = experiment.pairs.clone().unwrap_or_default();
        let rows = &corpus.split.train;
        let passages = corpus.passages(rows);
        let places: HashMap<usize, usize> = passages.iter().zip(0..).map(|(p, place)| (*p, place)).collect();
        let place = |p: &usize| places.get(p).copied().unwrap_or_default();
        let positive: Vec<usize> = corpus.positive(rows).iter().map(place).collect();
        let queries = vectors.queries.select(rows)?;
        let passages = vectors.passages.select(&passages)?;
        let mut mined = 0;
        let mut negatives = None;
        if settings.hard_negatives > 0 {
            let answers = answers_first(corpus, rows, &positive, place);
            let found =
                hard_negatives(&queries, &passages, &answers, settings.hard_negatives, settings.hard_margin)?;
            mined = found.iter().map(Vec::len).sum();
            negatives = Some(found);
        }
        let mut train = Matched::new(queries, passages, positive)?;
        if let Some(negatives) = negatives {
            train = train.with_negatives(negatives)?;
        }
        let watch = Watch::new(corpus, vectors)?;
        Ok(Self { experiment, settings, corpus, encoder: vectors.fingerprint.clone(), train, mined, watch })
    }

    /// Identity of everything the fit depends on.
    pub(super) fn key(&self) -> Result<Fingerprint> {
        let config = self.settings.contrastive(&self.experiment.train);
        let config = ContrastiveConfig { checkpoint_every: None, ..config }; // it changes no adapter
        let config = serde_json::to_vec(&config).map_err(|e| Error::setting("pairs", e.to_string()))?;
        let mut key = Fingerprint::builder("pairs-fit/1")
            .field("config", &config)
            .field("device", self.experiment.encoder.device.as_bytes())
            .field("encoder", self.encoder.as_str().as_bytes())
            .field("queries", &bytes(self.train.queries()))
            .field("passages", &bytes(self.train.passages()))
            .field("positive", &numbers(self.train.positive()));
        for list in self.train.negatives().unwrap_or_default() {
            key = key.field("negatives", &numbers(list));
        }
        if let Some(watch) = &self.watch {
            key = key
                .field("val queries", &bytes(&watch.queries))
                .field("val passages", &bytes(&watch.passages));
            for list in &watch.answers {
                key = key.field("val answers", &numbers(list));
            }
        }
        Ok(key.finish())
    }

    fn train(&self, key: Fingerprint, member: &Member, progress: &dyn Progress) -> Result<(Maps, PairsFit)> {
        let config = self.settings.contrastive(&self.experiment.train);
        let epochs = config.epochs;
        let start = Instant::now();
        let (rows, held) = (self.train.queries().n(), self.corpus.split.val.len());
        let journal = Journal::begin(member, progress, rows, held, epochs)?;
        let device = device::device(&self.experiment.encoder.device)?;
        let score = |maps: &Maps| match &self.watch {
            Some(watch) => watch.score(&maps.queries(&watch.queries)?, &maps.passages(&watch.passages)?),
            None => Ok(0.0),
        };
        let fit = Contrastive::new(config, device)
            .with_checkpoints(member.checkpoints().join(key.short()))
            .fit(&MonitoredMatches {
            train: self.train.clone(),
            score: self.watch.is_some().then_some(&score),
            progress: &journal,
        })?;
        journal.end()?;
        let record = self.record(key, &fit, start.elapsed().as_secs_f64())?;
        Ok((fit.maps, record))
    }

    fn record(&self, key: Fingerprint, fit: &ContrastiveFit, seconds: f64) -> Result<PairsFit> {
        let mut figures = BTreeMap::from([("best_epoch".to_string(), fit.best_epoch as f64)]);
        if let Some(best) = fit.history.iter().find(|epoch| epoch.epoch == fit.best_epoch) {
            figures.insert("loss".into(), best.train_loss);
            figures.extend(best.score.map(|score| ("val_ndcg@10".to_string(), score)));
        }
        if let Some(watch) = &self.watch {
            figures.insert("val_ndcg@10_of_base".into(), watch.own()?);
        }
        let epochs = fit.history.iter().map(|e| EpochPoint {
            epoch: e.epoch,
            train_loss: e.train_loss,
            val_loss: e.val_loss,
            score: e.score,
        });
        let monitor = if self.watch.is_some() { "validation nDCG@10" } else { "its place, the last" };
        let curve =
            Curve::Training { best_epoch: fit.best_epoch, monitor: monitor.into(), epochs: epochs.collect() };
        let rows = self.train.queries().n();
        Ok(PairsFit { key, rows, mined: self.mined, seconds, figures, curve })
    }

    fn card(&self, record: &PairsFit) -> AdapterCard {
        let encoder = &self.experiment.encoder;
        let mut settings = BTreeMap::from([
            ("model".to_string(), serde_json::Value::from(encoder.model.clone())),
            ("revision".into(), encoder.revision.clone().into()),
            ("dataset".into(), self.corpus.name.clone().into()),
            ("objective".into(), self.settings.objective.as_str().into()),
            (KEY.into(), record.key.as_str().into()),
        ]);
        if !self.settings.instruction.trim().is_empty() {
            settings.insert("template".into(), self.experiment.teacher.template.clone().into());
        }
        settings.extend(encoder.max_length.map(|n| ("max_length".to_string(), n.into())));
        if encoder.weights != manyview_encoder::Weights::F32 {
            let weights = serde_json::to_value(encoder.weights);
            settings.extend(weights.map(|weights| ("weights".to_string(), weights)));
        }
        let dim = self.train.queries().dim();
        AdapterCard {
            schema: AdapterCard::SCHEMA.into(),
            encoder: encoder.model.clone(),
            encoder_fingerprint: self.encoder.clone(),
            dim_in: dim,
            dim_out: dim,
            instruction: self.settings.instruction.clone(),
            teacher: TEACHER.into(),
            method: "contrastive".into(),
            n_train: record.rows,
            settings,
        }
    }
}

/// The passages that answer each query of `rows`, its own first, by their places among the training passages.
fn answers_first(
    corpus: &SplitPairs,
    rows: &[usize],
    positive: &[usize],
    place: impl Fn(&usize) -> usize,
) -> Vec<Vec<usize>> {
    let (first, answers) = corpus.questions(rows);
    let of: HashMap<&str, &Vec<usize>> =
        first.iter().zip(&answers).map(|(row, set)| (corpus.pairs.queries[*row].as_str(), set)).collect();
    let list = |(row, own): (&usize, &usize)| {
        let others = of.get(corpus.pairs.queries[*row].as_str()).into_iter().flat_map(|set| set.iter());
        let others = others.map(&place).filter(|p| p != own);
        [*own].into_iter().chain(others).collect()
    };
    rows.iter().zip(positive).map(list).collect()
}

/// Fits the adapter, or takes the saved one when everything it depends on is the same.
///
/// # Errors
/// Settings out of range, numbers that leave the finite range, an interruption, or files that cannot be written.
pub(crate) fn fit(lesson: &Lesson<'_>, member: &Member, progress: &dyn Progress) -> Result<(Maps, PairsFit)> {
    let key = lesson.key()?;
    if let Some((maps, record)) = load(member).ok().filter(|(_, record)| record.key == key) {
        tracing::info!(path = %member.adapter().display(), "the adapter is up to date");
        return Ok((maps, record));
    }
    if progress.stopped() {
        return Err(manyview_core::Error::Interrupted.into());
    }
    let (maps, record) = lesson.train(key, member, progress)?;
    member.forget_metrics()?;
    manyview_adapter::save(&member.adapter(), &maps, &lesson.card(&record))?;
    member.write_text(CURVE, &plain::csv(&record.curve))?;
    member.write(RECORD, &record)?;
    Ok((maps, record))
}

/// The saved adapter and its record, if it was fitted with these settings to these pairs.
///
/// # Errors
/// [`Error::Missing`] when there is none, and when what is there is of other settings.
pub(crate) fn current(lesson: &Lesson<'_>, member: &Member) -> Result<(Maps, PairsFit)> {
    let (maps, record) = load(member)?;
    match record.key == lesson.key()? {
        true => Ok((maps, record)),
        false => Err(missing(member, "an adapter fitted with these settings, found one of other settings")),
    }
}

/// The adapter and record of an earlier fit.
///
/// # Errors
/// [`Error::Missing`] when there is none.
pub(crate) fn load(member: &Member) -> Result<(Maps, PairsFit)> {
    let none = || missing(member, "a fitted adapter, found none");
    let record: PairsFit = member.read(RECORD)?.ok_or_else(none)?;
    let Saved { maps, card } = manyview_adapter::load(&member.adapter())?;
    match card.settings.get(KEY).and_then(|key| key.as_str()) == Some(record.key.as_str()) {
        true => Ok((maps, record)),
        false => Err(missing(member, "a fitted adapter and its record, found a record of another fit")),
    }
}

fn missing(member: &Member, what: &str) -> Error {
    Error::Missing { path: member.path().into(), missing: what.into(), cure: "train".into() }
}

fn bytes(x: &Embeddings) -> Vec<u8> {
    x.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn numbers(list: &[usize]) -> Vec<u8> {
    list.iter().flat_map(|n| (*n as u64).to_le_bytes()).collect()
}
