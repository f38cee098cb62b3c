use crate::scratch::SEPARATOR;
use manyview_oracle::Rubric;

/// What a model answers, with what it was asked behind the separator: its scores are within the range, one for each
/// dimension, and the same with reasoning before them.
pub fn answer(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let separator = String::from_utf8_lossy(SEPARATOR);
    let (answer, asked) = text.split_once(&*separator).unwrap_or((&text, ""));
    let rubric = Rubric { dimensions: vec!["scope".into(), "proof".into()], range: [0.0, 10.0] };
    let Ok(scores) = rubric.scores(answer, asked) else { return };
    assert!(scores.len() == 2 && scores.iter().all(|score| (0.0..=10.0).contains(score)), "{scores:?}");
    if !answer.contains("<|channel|>") && !answer.contains("assistantfinal") {
        let reasoned = format!("<think>{{\"scope\": 1, \"proof\": 2}}</think>{answer}");
        assert_eq!(rubric.scores(&reasoned, asked), Ok(scores));
    }
}
