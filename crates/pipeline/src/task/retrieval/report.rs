use super::corpus::SplitPairs;
use super::spec::Spec;
use crate::task::fitted::{REENCODE, encoder_fact};
use manyview_report::{Fact, RetrievalSection};

/// What was done.
pub(super) fn facts(specs: &[&Spec], corpus: &SplitPairs, views: &[RetrievalSection]) -> Vec<Fact> {
    let Some(spec) = specs.first() else { return Vec::new() };
    let fact = |label: &str, value: String| Fact { label: label.into(), value };
    let (split, pairs) = (&corpus.split, &corpus.pairs);
    let mut rows = format!(
        "{} pairs of a query and a passage, {} passages, {} documents",
        pairs.queries.len(),
        pairs.passages.len(),
        corpus.documents()
    );
    let dropped = pairs.dropped;
    for (n, why) in [
        (dropped.missing, "without a query or a passage"),
        (dropped.repeated, "seen before"),
        (dropped.limited, "over the limit"),
    ] {
        if n > 0 {
            rows += &format!("; {n} {why} left out");
        }
    }
    let drawn = match pairs.split {
        Some(_) => "as the data gives it",
        None => "drawn by document: pairs that share a document, a passage or a query are in one part",
    };
    let encoded: usize = views.iter().map(|v| v.metrics.encoding.encoded).sum();
    let slowest = views.iter().map(|v| v.metrics.fit.seconds).fold(0.0, f64::max);
    vec![
        fact(
            "Corpus",
            corpus.origin.as_ref().map_or(corpus.name.clone(), |o| format!("{}: {o}", corpus.name)),
        ),
        fact("Pairs", rows),
        fact(
            "Split",
            format!(
                "{} to fit, {} to choose, {} to test; {drawn}",
                split.train.len(),
                split.val.len(),
                split.test.len()
            ),
        ),
        fact("Encoder", encoder_fact(&spec.encoder.model, specs.iter().any(|spec| spec.fine_tunes()))),
        fact(
            "Encoding",
            format!(
                "{encoded} vectors computed, the others from the store; training an adapter encodes nothing"
            ),
        ),
        fact("Fitting", format!("{slowest:.2} s for the slowest")),
        fact(
            "Scores",
            format!(
                "every test query searched among all passages; 95% intervals from {} paired resamples of queries",
                spec.evaluate.resamples
            ),
        ),
    ]
}

/// What to believe, and what not.
pub(super) fn caveats(specs: &[&Spec], views: &[RetrievalSection]) -> Vec<String> {
    let mut caveats = vec![
        "Each query counts only the passages that the pairs name as right. Another that answers it as well counts as wrong, for every view alike.".to_string(),
        "An interval covers the choice of test queries, not that of training pairs, of the split or of the encoder.".into(),
        "A gain whose interval includes zero is no gain that these pairs can show.".into(),
        "BM25 takes words as they stand, without stemming; queries written from their passages favour it.".into(),
    ];
    if specs.iter().any(|spec| spec.fine_tunes()) {
        caveats.push(REENCODE.into());
    } else if views.iter().any(|v| v.metrics.adapt != "query") {
        caveats.push("An adapter of passages too needs every stored passage mapped once more, and its index built again; one of queries alone does not.".into());
    }
    caveats
}
