use super::corpus::SplitPairs;
use super::fit::PairsFit;
use super::tuning;
use super::vectors::PairVectors;
use crate::config::Experiment;
use crate::{Error, Result};
use manyview_core::Embeddings;
use manyview_eval::{
    Bm25, Bootstrap, Ranking, Relevance, RetrievalMeasure, in_batch_accuracy, positive_similarity, search,
};
use manyview_report::{Encoding, FitMetrics, Leaked, Measures, PairCounts, RetrievalMetrics, RetrievalViews};

/// What decides.
const MAIN: RetrievalMeasure = RetrievalMeasure::Ndcg(10);
/// The deepest any measure looks.
const DEPTH: usize = 100;

/// What is measured.
pub(crate) struct Subject<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Its pairs.
    pub corpus: &'a SplitPairs,
    /// Their vectors.
    pub vectors: &'a PairVectors,
    /// What the adapter, or the encoder that learnt, makes of all queries and passages.
    pub view: (&'a Embeddings, &'a Embeddings),
    /// How it was fitted.
    pub record: &'a PairsFit,
}

/// Ranks all passages for each test query by words, by stored vectors, and by the adapter's, and measures the rankings:
/// all together, and nDCG@10 of each query as CSV.
///
/// # Errors
/// Vectors the adapter does not take, or too few queries to measure.
pub(crate) fn measure(subject: &Subject<'_>) -> Result<(RetrievalMetrics, String)> {
    let Subject { experiment, corpus, vectors, view, record } = subject;
    let evaluate = &experiment.evaluate;
    let bootstrap = Bootstrap { resamples: evaluate.resamples, seed: evaluate.seed };
    let (rows, answers) = corpus.questions(&corpus.split.test);
    let relevance = Relevance::new(answers, corpus.pairs.passages.len())?;
    let texts: Vec<&str> = rows.iter().map(|&row| corpus.pairs.queries[row].as_str()).collect();
    let stored = vectors.queries.select(&rows)?;
    let (mapped_queries, mapped_passages) = (view.0.select(&rows)?, view.1);

    let rankings = [
        Bm25::default().index(&corpus.pairs.passages)?.search(&texts, DEPTH)?,
        search(&stored, &vectors.passages, DEPTH)?,
        search(&mapped_queries, mapped_passages, DEPTH)?,
    ];
    let [bm25, mut base, mut adapter] = rankings.each_ref().map(|r| measures(r, &relevance, bootstrap));
    let positive = corpus.positive(&rows);
    let batch = experiment.train.batch;
    if let (Ok(base), Ok(adapter)) = (&mut base, &mut adapter) {
        base.extend(closeness(&stored, &vectors.passages, &positive, batch, bootstrap)?);
        adapter.extend(closeness(&mapped_queries, mapped_passages, &positive, batch, bootstrap)?);
    }
    let scores =
        rankings.iter().map(|ranking| relevance.scores(ranking, MAIN)).collect::<Result<Vec<_>, _>>()?;
    let [by_words, by_base, by_adapter] = &scores[..] else {
        return Err(Error::setting("pairs", "expected three rankings"));
    };
    let settings = experiment.pairs.clone().unwrap_or_default();
    let split = &corpus.split;
    let tally = vectors.tally;
    let queries = by_query(&texts, [by_words, by_base, by_adapter]);
    let metrics = RetrievalMetrics {
        task: "pairs".into(),
        dataset: corpus.name.clone(),
        encoder: experiment.encoder.model.clone(),
        encoder_fingerprint: vectors.fingerprint.to_string(),
        objective: settings.objective.as_str().into(),
        shape: tuning::shape(experiment),
        adapt: tuning::sides(experiment).into(),
        counts: PairCounts {
            train: split.train.len(),
            val: split.val.len(),
            test: split.test.len(),
            queries: rows.len(),
            passages: corpus.pairs.passages.len(),
            documents: corpus.documents(),
            mined: record.mined,
        },
        views: RetrievalViews { bm25: bm25?, base: base?, adapter: adapter? },
        gain: bootstrap.difference(by_adapter, by_base)?,
        over_bm25: bootstrap.difference(by_adapter, by_words)?,
        leaks: leaked(corpus),
        fit: FitMetrics {
            method: "contrastive".into(),
            seconds: record.seconds,
            figures: record.figures.clone(),
        },
        encoding: Encoding {
            texts: corpus.pairs.queries.len() + corpus.pairs.passages.len(),
            encoded: tally.encoded,
            reused: tally.reused,
            truncated: vectors.truncated,
            seconds: tally.seconds,
        },
    };
    Ok((metrics, queries))
}

/// A line for each query with its scores.
fn by_query(queries: &[&str], scores: [&Vec<f64>; 3]) -> String {
    let mut csv = "query,bm25,base,adapter\n".to_string();
    let [bm25, base, adapter] = scores;
    for (((query, bm25), base), adapter) in queries.iter().zip(bm25).zip(base).zip(adapter) {
        csv += &format!("\"{}\",{bm25},{base},{adapter}\n", query.replace('"', "\"\""));
    }
    csv
}

fn measures(ranking: &Ranking, relevance: &Relevance, bootstrap: Bootstrap) -> Result<Measures> {
    let measured = RetrievalMeasure::USUAL
        .into_iter()
        .map(|measure| Ok((measure.to_string(), bootstrap.mean(&relevance.scores(ranking, measure)?)?)));
    measured.collect()
}

/// How queries stand to their own passages.
fn closeness(
    queries: &Embeddings,
    passages: &Embeddings,
    positive: &[usize],
    batch: usize,
    bootstrap: Bootstrap,
) -> Result<Measures> {
    let similarity = positive_similarity(queries, passages, positive)?;
    let accuracy = in_batch_accuracy(queries, passages, positive, batch)?;
    Ok(Measures::from([
        ("positive_similarity".into(), bootstrap.mean(&similarity)?),
        ("in_batch_accuracy".into(), bootstrap.mean(&accuracy)?),
    ]))
}

fn leaked(corpus: &SplitPairs) -> Leaked {
    let leaks = &corpus.leaks;
    Leaked {
        documents: leaks.documents,
        passages: leaks.passages.exact,
        near_passages: leaks.passages.near,
        queries: leaks.queries.exact,
        near_queries: leaks.queries.near,
    }
}
