//! The scores against scikit-learn's; `tests/golden/make.py` writes the file.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test file of its own; the figure of tests/README.md

use manyview_eval::{adjusted_mutual_info, adjusted_rand_index, v_measure};
use serde_json::Value;

fn pairs() -> Vec<(Vec<usize>, Vec<usize>, [f64; 5])> {
    let file: Value = serde_json::from_str(include_str!("golden/clustering.json")).unwrap();
    let labels = |v: &Value| v.as_str().unwrap().split(' ').map(|l| l.parse().unwrap()).collect();
    let pair = |row: &Value| {
        let scores = [2, 3, 4, 5, 6].map(|i| row[i].as_f64().unwrap());
        (labels(&row[0]), labels(&row[1]), scores)
    };
    file["pairs"].as_array().unwrap().iter().map(pair).collect()
}

#[test]
fn scores_equal_those_of_scikit_learn_either_way_round() {
    let pairs = pairs();
    let tried = 2 * pairs.len();
    assert!(tried > 3000, "{tried}");
    for (truth, found, [homogeneity, completeness, v, ami, ari]) in pairs {
        assert_scores(&truth, &found, [homogeneity, completeness, v, ami, ari]);
        assert_scores(&found, &truth, [completeness, homogeneity, v, ami, ari]);
    }
    println!("reliability: E7 tried={tried} pairs of labelings");
}

fn assert_scores(truth: &[usize], found: &[usize], expected: [f64; 5]) {
    let v = v_measure(truth, found).unwrap();
    let (ami, ari) =
        (adjusted_mutual_info(truth, found).unwrap(), adjusted_rand_index(truth, found).unwrap());
    let measured = [v.homogeneity, v.completeness, v.v_measure, ami, ari];
    for (measured, expected) in measured.iter().zip(expected) {
        assert!((measured - expected).abs() < 1e-12, "{truth:?} {found:?}: {measured}, expected {expected}");
    }
}
