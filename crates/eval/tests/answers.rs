//! Scores of answers and summaries against SQuAD's script and rouge-score; `tests/golden/answers.py` writes the files.

#![allow(clippy::unwrap_used)] // a test file of its own

use flate2::read::GzDecoder;
use manyview_eval::{AnswerMeans, AnswerMetrics, AnswerScore, Rouge};
use serde_json::Value;
use std::io::Read;

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

fn strings(values: &Value) -> Vec<String> {
    values.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_string()).collect()
}

/// A question with its score by the script: percent of exact match and F1.
fn answers() -> (Vec<(AnswerScore, [f64; 2], String)>, Value) {
    let file: Value = serde_json::from_str(&unpacked(include_bytes!("golden/answers.json.gz"))).unwrap();
    let case = |row: &Value| {
        let score = AnswerScore::of(row[0].as_str().unwrap(), &strings(&row[1]));
        let expected = [3, 4].map(|i| row[i].as_f64().unwrap());
        (score.with_no_answer(row[2].as_f64().unwrap()), expected, row.to_string())
    };
    (file["cases"].as_array().unwrap().iter().map(case).collect(), file["parts"].clone())
}

#[test]
fn scores_of_2000_answers_equal_those_of_squads_script() {
    let (cases, _) = answers();
    assert_eq!(cases.len(), 2000);
    for (score, expected, row) in &cases {
        assert_eq!([100.0 * score.exact, 100.0 * score.f1], *expected, "{row}");
    }
    let partial = cases.iter().filter(|(score, _, _)| score.f1 > 0.0 && score.f1 < 1.0).count();
    assert!(partial > 300, "only {partial} answers are right in part");
}

#[test]
fn means_and_best_thresholds_equal_those_of_squads_script() {
    let (cases, parts) = answers();
    let scores: Vec<AnswerScore> = cases.iter().map(|case| case.0).collect();
    for part in parts.as_array().unwrap() {
        let [start, end] = [0, 1].map(|i| part[i].as_u64().unwrap() as usize);
        let expected = |key: &str| part[3][key].as_f64().unwrap();
        let metrics = AnswerMetrics::of(&scores[start..end], part[2].as_f64().unwrap()).unwrap();
        let check = |found: AnswerMeans, prefix: &str| {
            assert_eq!(found.exact, expected(&format!("{prefix}exact")), "{part}");
            assert_eq!(found.f1, expected(&format!("{prefix}f1")), "{part}");
            assert_eq!(found.total as f64, expected(&format!("{prefix}total")), "{part}");
        };
        check(metrics.all, "");
        check(metrics.has_answer.unwrap(), "HasAns_");
        check(metrics.no_answer.unwrap(), "NoAns_");
        for (best, key) in [(metrics.best_exact, "exact"), (metrics.best_f1, "f1")] {
            assert_eq!(best.score, expected(&format!("best_{key}")), "{part}");
            assert_eq!(best.threshold, expected(&format!("best_{key}_thresh")), "{part}");
        }
    }
}

#[test]
fn scores_of_2000_summaries_equal_those_of_rouge_score() {
    let file: Value = serde_json::from_str(&unpacked(include_bytes!("golden/rouge.json.gz"))).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 2000);
    let mut apart = 0;
    for row in cases {
        let (text, references) = (row[0].as_str().unwrap(), strings(&row[1]));
        let expected = |i: usize| [0, 1, 2].map(|j| row[i][j].as_f64().unwrap());
        for (found, at) in [(Rouge::l(text, &references), 2), (Rouge::l_sum(text, &references), 3)] {
            assert_eq!([found.precision, found.recall, found.f1], expected(at), "{row}");
        }
        apart += usize::from(expected(2) != expected(3));
    }
    assert!(apart > 100, "only {apart} summaries differ between both measures");
}
