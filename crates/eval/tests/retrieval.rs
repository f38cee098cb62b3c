//! Retrieval against sentence-transformers and bm25s; `tests/golden/retrieval.py` and `bm25.py` write the files.

#![allow(clippy::unwrap_used)] // a test file of its own

use manyview_core::Embeddings;
use manyview_eval::{Bm25, Bootstrap, Relevance, RetrievalMeasure, search};
use serde_json::Value;

fn vectors(of: &Value, dim: usize) -> Embeddings {
    Embeddings::new(of.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect(), dim).unwrap()
}

fn rows(of: &Value) -> Vec<usize> {
    of.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

fn texts(of: &Value) -> Vec<&str> {
    of.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len() as f64
}

#[test]
fn rankings_score_as_in_sentence_transformers() {
    let file: Value = serde_json::from_str(include_str!("golden/retrieval.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let dim = case["dim"].as_u64().unwrap() as usize;
        let (queries, documents) = (vectors(&case["queries"], dim), vectors(&case["documents"], dim));
        let sets = case["relevant"].as_array().unwrap().iter().map(rows);
        let relevance = Relevance::new(sets, documents.n()).unwrap();
        let ranking = search(&queries, &documents, 100).unwrap();
        assert_eq!(case["scores"].as_object().unwrap().len(), RetrievalMeasure::USUAL.len());
        for measure in RetrievalMeasure::USUAL {
            let found = mean(&relevance.scores(&ranking, measure).unwrap());
            let expected = case["scores"][measure.to_string()].as_f64().unwrap();
            assert!(
                (found - expected).abs() < 1e-12,
                "{} {measure}: {found}, expected {expected}",
                case["name"]
            );
        }
    }
}

#[test]
fn words_score_as_in_bm25s() {
    let file: Value = serde_json::from_str(include_str!("golden/bm25.json")).unwrap();
    let (documents, queries) = (texts(&file["documents"]), texts(&file["queries"]));
    let ranking = Bm25::default().index(&documents).unwrap().search(&queries, documents.len()).unwrap();
    for (query, hits) in ranking.hits().enumerate() {
        let mut scores = vec![0.0; documents.len()];
        hits.iter().for_each(|hit| scores[hit.document] = hit.score);
        for (document, found) in scores.iter().enumerate() {
            let expected = file["scores"][query][document].as_f64().unwrap();
            assert!((found - expected).abs() < 1e-12, "{query} {document}: {found}, expected {expected}");
        }
    }
}

#[test]
fn a_ranking_is_the_same_on_any_number_of_threads() {
    let rows =
        |n, step| Embeddings::new((0..n * 5).map(|i| (i * step % 23) as f32 - 11.5).collect(), 5).unwrap();
    let (queries, documents) = (rows(150, 7), rows(5000, 9));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| search(&queries, &documents, 20).unwrap())
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn a_view_that_sees_the_answers_beats_words_that_do_not() {
    let documents: Vec<String> = (0..60).map(|i| format!("shared text {}", i % 7)).collect();
    let queries: Vec<String> = (0..30).map(|i| format!("shared {}", i % 5)).collect();
    let angle = |i: usize| [(i as f32 * 0.1).cos(), (i as f32 * 0.1).sin()];
    let view = search(
        &Embeddings::from_rows((0..30).map(|i| angle(2 * i))).unwrap(),
        &Embeddings::from_rows((0..60).map(angle)).unwrap(),
        10,
    )
    .unwrap();
    let text = Bm25::default().index(&documents).unwrap().search(&queries, 10).unwrap();
    let relevance = Relevance::new((0..30).map(|i| vec![2 * i]), 60).unwrap();
    let scores = |ranking| relevance.scores(ranking, RetrievalMeasure::Mrr(10)).unwrap();
    let gain = Bootstrap::default().difference(&scores(&view), &scores(&text)).unwrap();
    assert!(gain.low > 0.5 && gain.high < 1.0, "{gain:?}");
}
