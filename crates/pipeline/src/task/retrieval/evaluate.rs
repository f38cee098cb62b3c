use super::Retrieval;
use super::corpus::SplitPairs;
use super::data::RetrievalData;
use super::spec::{RetrievalFit, Spec};
use crate::run::{Context, VariantDir};
use crate::task::Fit;
use crate::task::fitted::{self, Fitted};
use crate::{Error, Result};
use manyview_adapter::Sides;
use manyview_core::Embeddings;
use manyview_eval::{
    Bm25, Bootstrap, Ranking, Relevance, RetrievalMeasure, in_batch_accuracy, positive_similarity, search,
};
use manyview_report::{Encoding, FitMetrics, Leaked, Measures, PairCounts, RetrievalMetrics, RetrievalViews};

/// The file of scores of each test query.
pub(super) const QUERIES: &str = "queries.csv";
/// What decides.
const MAIN: RetrievalMeasure = RetrievalMeasure::Ndcg(10);
/// What it is called.
pub(super) const MAIN_KEY: &str = "ndcg@10";
/// The deepest any measure looks.
const DEPTH: usize = 100;

/// Ranks all passages for each test query by words, by stored vectors, and by what was fitted, and measures the rankings:
/// all together, and nDCG@10 of each query as CSV.
///
/// # Errors
/// Vectors the adapter does not take, too few queries to measure, a file that cannot be written.
pub(super) fn measure(
    spec: &Spec,
    corpus: &SplitPairs,
    data: &RetrievalData,
    fit: &Fit<Retrieval>,
    dir: &VariantDir,
    cx: &mut Context<'_>,
) -> Result<RetrievalMetrics> {
    let bootstrap = Bootstrap { resamples: spec.evaluate.resamples, seed: spec.evaluate.seed };
    let (rows, answers) = corpus.questions(&corpus.split.test);
    let relevance = Relevance::new(answers, corpus.pairs.passages.len())?;
    let texts: Vec<&str> = rows.iter().map(|&row| corpus.pairs.queries[row].as_str()).collect();
    let stored = data.base.queries.select(&rows)?;
    let passages = &data.base.passages;
    let (mapped_queries, mapped_passages) = match &fit.model {
        Fitted::Adapter(maps) => (maps.queries(&stored)?, &maps.passages(passages)?),
        Fitted::Encoder => {
            let tuned = fitted::tuned(data.tuned.as_ref())?;
            (tuned.vectors.queries.select(&rows)?, &tuned.vectors.passages)
        }
    };

    let rankings = [
        Bm25::default().index(&corpus.pairs.passages)?.search(&texts, DEPTH)?,
        search(&stored, passages, DEPTH)?,
        search(&mapped_queries, mapped_passages, DEPTH)?,
    ];
    let [bm25, mut base, mut adapter] = rankings.each_ref().map(|r| measures(r, &relevance, bootstrap));
    let positive = corpus.positive(&rows);
    let batch = spec.batch;
    if let (Ok(base), Ok(adapter)) = (&mut base, &mut adapter) {
        base.extend(closeness(&stored, passages, &positive, batch, bootstrap)?);
        adapter.extend(closeness(&mapped_queries, mapped_passages, &positive, batch, bootstrap)?);
    }
    let scores =
        rankings.iter().map(|ranking| relevance.scores(ranking, MAIN)).collect::<Result<Vec<_>, _>>()?;
    let [by_words, by_base, by_adapter] = &scores[..] else {
        return Err(Error::setting("retrieval", "expected three rankings"));
    };
    let (objective, shape, adapt) = match &spec.fit {
        RetrievalFit::Adapter { config, .. } => {
            (config.loss.as_str(), config.shape.as_str().into(), config.sides.as_str())
        }
        RetrievalFit::Encoder { how, .. } => {
            ("multiple_negatives_ranking", format!("encoder, {how}"), Sides::Both.as_str())
        }
    };
    let (split, tally) = (&corpus.split, cx.tally());
    dir.write_text(QUERIES, &by_query(&texts, [by_words, by_base, by_adapter]))?;
    Ok(RetrievalMetrics {
        dataset: corpus.name.clone(),
        encoder: spec.encoder.model.clone(),
        encoder_fingerprint: data.encoder.to_string(),
        objective: objective.into(),
        shape,
        adapt: adapt.into(),
        counts: PairCounts {
            train: split.train.len(),
            val: split.val.len(),
            test: split.test.len(),
            queries: rows.len(),
            passages: corpus.pairs.passages.len(),
            documents: corpus.documents(),
            mined: data.mined,
        },
        views: RetrievalViews { bm25: bm25?, base: base?, adapter: adapter? },
        gain: bootstrap.difference(by_adapter, by_base)?,
        over_bm25: bootstrap.difference(by_adapter, by_words)?,
        leaks: leaked(corpus),
        fit: FitMetrics {
            method: fit.record.method.clone(),
            seconds: fit.record.seconds,
            metrics: fit.record.metrics.clone(),
        },
        encoding: Encoding {
            texts: corpus.pairs.queries.len() + corpus.pairs.passages.len(),
            encoded: tally.encoded,
            reused: tally.reused,
            truncated: data.truncated,
            share_read: data.share_read,
            seconds: tally.seconds,
        },
    })
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
