use super::corpus::SplitPairs;
use super::hard_negatives::hard_negatives;
use super::spec::{RetrievalFit, Spec};
use crate::Result;
use crate::run::Encoded;
use manyview_core::{Embeddings, Fingerprint, QueryPassagePairs};
use manyview_encoder::finetune::FineTuned;
use manyview_eval::{Relevance, RetrievalMeasure, search};
use std::collections::HashMap;

/// What decides which epoch is kept.
const MONITOR: RetrievalMeasure = RetrievalMeasure::Ndcg(10);

/// Vectors, and what an adapter or an encoder may learn from.
#[cfg_attr(not(feature = "train"), allow(dead_code))] // some of it is for training alone
pub struct RetrievalData {
    /// Name of the corpus.
    pub(super) dataset: String,
    /// The encoder's fingerprint.
    pub(super) encoder: Fingerprint,
    /// Vectors of all texts.
    pub(super) base: PairVectors,
    /// Texts whose end was cut.
    pub(super) truncated: usize,
    pub(super) share_read: Option<f64>,
    /// The training pairs.
    pub(super) train: QueryPassagePairs,
    /// Negatives mined for them, all together.
    pub(super) mined: usize,
    /// The validation pairs; none without such rows.
    pub(super) val: Option<ValidationSet>,
    /// The number of validation pairs.
    pub(super) n_val: usize,
    /// What the encoder makes of all texts once it has learnt, where it does.
    pub(super) tuned: Option<TunedVectors>,
}

/// Vectors of all queries and passages.
#[derive(Clone)]
pub(super) struct PairVectors {
    /// `[n, dim]`, a row for each pair.
    pub(super) queries: Embeddings,
    /// `[m, dim]`, a row for each different passage.
    pub(super) passages: Embeddings,
}

/// Those of an encoder that learnt, and how it did.
pub(super) struct TunedVectors {
    pub(super) vectors: PairVectors,
    pub(super) val: Option<ValidationSet>,
    pub(super) training: FineTuned,
}

/// Validation queries, the passages of training and validation, and which answer which.
pub(super) struct ValidationSet {
    pub(super) queries: Embeddings,
    pub(super) passages: Embeddings,
    pub(super) answers: Vec<Vec<usize>>,
    relevance: Relevance,
}

impl PairVectors {
    fn of(encoded: &Encoded) -> Result<Self> {
        let [passages, queries] = encoded.sets()?;
        Ok(Self { queries: queries.clone(), passages: passages.clone() })
    }
}

impl RetrievalData {
    /// The vectors of the training pairs with negatives mined for them, and those of validation.
    ///
    /// # Errors
    /// Vectors that make no supervision.
    pub(super) fn of(spec: &Spec, corpus: &SplitPairs, encoded: &Encoded) -> Result<Self> {
        let base = PairVectors::of(encoded)?;
        let rows = &corpus.split.train;
        let passages = corpus.passages(rows);
        let places: HashMap<usize, usize> = passages.iter().zip(0..).map(|(p, place)| (*p, place)).collect();
        let place = |p: &usize| places.get(p).copied().unwrap_or_default();
        let positive: Vec<usize> = corpus.positive(rows).iter().map(place).collect();
        let (queries, passages) = (base.queries.select(rows)?, base.passages.select(&passages)?);
        let mut negatives = None;
        if let RetrievalFit::Adapter { hard_negatives: k @ 1.., hard_margin, .. } = spec.fit {
            let answers = answers_first(corpus, rows, &positive, place);
            negatives = Some(hard_negatives(&queries, &passages, &answers, k, hard_margin)?);
        }
        let mined = negatives.as_ref().map_or(0, |found| found.iter().map(Vec::len).sum());
        let mut train = QueryPassagePairs::new(queries, passages, positive)?;
        if let Some(negatives) = negatives {
            train = train.with_negatives(negatives)?;
        }
        Ok(Self {
            dataset: corpus.name.clone(),
            encoder: encoded.fingerprint.clone(),
            val: ValidationSet::of(corpus, &base)?,
            n_val: corpus.split.val.len(),
            base,
            truncated: encoded.truncated,
            share_read: encoded.share_read,
            train,
            mined,
            tuned: None,
        })
    }

    pub(super) fn with_tuned(
        self,
        corpus: &SplitPairs,
        encoded: &Encoded,
        tuned: &FineTuned,
    ) -> Result<Self> {
        let vectors = PairVectors::of(encoded)?;
        let val = ValidationSet::of(corpus, &vectors)?;
        Ok(Self { tuned: Some(TunedVectors { vectors, val, training: tuned.clone() }), ..self })
    }
}

impl ValidationSet {
    /// None without validation pairs.
    fn of(corpus: &SplitPairs, vectors: &PairVectors) -> Result<Option<Self>> {
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
    pub(super) fn score(&self, queries: &Embeddings, passages: &Embeddings) -> manyview_core::Result<f64> {
        let ranking = search(queries, passages, MONITOR.cutoff())?;
        let scores = self.relevance.scores(&ranking, MONITOR)?;
        Ok(scores.iter().sum::<f64>() / scores.len() as f64)
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
