//! Measures, findings and facts as text, the same in every format of the report.

use super::{RetrievalMetrics, RetrievalSection};
use crate::finding::Gain;
use crate::numbers::{counted, score, signed, signed_interval};

/// The measure that decides.
pub(super) const MAIN: &str = "ndcg@10";

/// The measures in the order of the table, with their labels.
pub(super) const MEASURES: [(&str, &str); 17] = [
    ("ndcg@10", "nDCG@10"),
    ("mrr@10", "MRR@10"),
    ("map@100", "MAP@100"),
    ("accuracy@1", "accuracy@1"),
    ("accuracy@3", "accuracy@3"),
    ("accuracy@5", "accuracy@5"),
    ("accuracy@10", "accuracy@10"),
    ("recall@1", "recall@1"),
    ("recall@3", "recall@3"),
    ("recall@5", "recall@5"),
    ("recall@10", "recall@10"),
    ("precision@1", "precision@1"),
    ("precision@3", "precision@3"),
    ("precision@5", "precision@5"),
    ("precision@10", "precision@10"),
    ("in_batch_accuracy", "in-batch accuracy"),
    ("positive_similarity", "cosine with the own passage"),
];

/// The whole report in a sentence or two.
pub(super) fn finding(views: &[RetrievalSection]) -> String {
    let finite = views.iter().filter(|v| v.metrics.gain.value.is_finite());
    let Some(best) = finite.max_by(|a, b| a.metrics.gain.value.total_cmp(&b.metrics.gain.value)) else {
        return "Nothing was measured.".into();
    };
    match views.len() {
        1 => gain_sentence(&best.metrics),
        n => format!("The best of {n} variants is “{}”. {}", best.name, gain_sentence(&best.metrics)),
    }
}

/// Whether an adapter improves retrieval, in one or two sentences.
pub(super) fn gain_sentence(m: &RetrievalMetrics) -> String {
    let at = |measures: &super::Measures| measures.get(MAIN).map_or(f64::NAN, |e| e.value);
    let (base, adapter) = (score(at(&m.views.base)), score(at(&m.views.adapter)));
    let figures = format!("{} (95% interval {})", signed(m.gain.value), signed_interval(&m.gain));
    let queries = counted(m.counts.queries, "question", "questions");
    let first = match Gain::of(&m.gain) {
        Gain::Up => format!(
            "The adapter finds passages better than the encoder alone: nDCG@10 {base} → {adapter}, a gain of {figures} on \
             {queries} whose documents were never seen."
        ),
        Gain::Unclear => format!(
            "No gain that these {queries} can show: nDCG@10 {base} → {adapter}, a difference of {figures}."
        ),
        Gain::Down => format!(
            "The adapter finds passages worse than the encoder alone: nDCG@10 {base} → {adapter}, a difference of \
             {figures} on {queries}."
        ),
    };
    let words = match Gain::of(&m.over_bm25) {
        Gain::Up => "It is ahead of BM25, which knows words only",
        Gain::Unclear => "It cannot be told from BM25, which knows words only",
        Gain::Down => "BM25, which knows words only, is ahead of it",
    };
    format!("{first} {words}: {} ({}).", signed(m.over_bm25.value), signed_interval(&m.over_bm25))
}

/// The texts that leak between the parts of the split.
pub(super) fn leaks(m: &RetrievalMetrics) -> String {
    let l = &m.leaks;
    if *l == super::Leaked::default() {
        return "no document, passage or query stands in two parts, not even nearly".into();
    }
    let mut found = Vec::new();
    for (n, one, many) in [
        (l.documents, "document in several parts", "documents in several parts"),
        (l.passages, "passage word for word", "passages word for word"),
        (l.near_passages, "passage nearly", "passages nearly"),
        (l.queries, "query word for word", "queries word for word"),
        (l.near_queries, "query nearly", "queries nearly"),
    ] {
        if n > 0 {
            found.push(counted(n, one, many));
        }
    }
    format!("of validation and test, in an earlier part as well: {}", found.join(", "))
}

/// The facts of a report, as labels and values: corpus, pairs, leaks, fit.
pub(super) fn facts(m: &RetrievalMetrics) -> Vec<(&'static str, String)> {
    use crate::numbers::{count, duration, figure};
    let c = &m.counts;
    let metrics: Vec<String> =
        m.fit.metrics.iter().map(|(k, v)| format!("{} {}", k.replace('_', " "), figure(*v))).collect();
    let encoder: String = m.encoder_fingerprint.chars().take(12).collect();
    let e = &m.encoding;
    let mined = match c.mined {
        0 => String::new(),
        n => format!(", {} mined", counted(n, "negative", "negatives")),
    };
    vec![
        ("Corpus", format!("{}, encoded by {} ({encoder})", m.dataset, m.encoder)),
        (
            "Pairs",
            format!(
                "{} to fit, {} held back, {} to test, of {}{mined}",
                count(c.train),
                count(c.val),
                count(c.test),
                counted(c.documents, "document", "documents")
            ),
        ),
        (
            "Searched",
            format!(
                "{} in {}",
                counted(c.queries, "query", "queries"),
                counted(c.passages, "passage, of every part", "passages, of every part")
            ),
        ),
        ("Leaks", leaks(m)),
        (
            "Adapter",
            format!("{}, {}, on {}", m.shape.replace('_', " "), m.objective.replace('_', " "), sides(m)),
        ),
        ("Fit", format!("in {}: {}", duration(m.fit.seconds * 1e3), metrics.join(", "))),
        ("Encoding", e.sentence()),
    ]
}

fn sides(m: &RetrievalMetrics) -> &'static str {
    match m.adapt.as_str() {
        "query" => "queries alone: stored passages and their index stay as they are",
        "both" => "queries and passages, one map",
        _ => "queries and passages, a map each",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::sample;

    #[test]
    fn a_gain_is_claimed_only_where_its_interval_is_above_zero() {
        let report = sample::report();
        let [up, unclear] = [0, 1].map(|i| gain_sentence(&report.sections[i].metrics));
        assert!(up.contains("a gain of +0.061"), "{up}");
        assert!(unclear.starts_with("No gain") && unclear.contains("−0.012"), "{unclear}");
        let mut metrics = report.sections[1].metrics.clone();
        metrics.gain.high = -0.001;
        assert!(gain_sentence(&metrics).contains("worse"), "{}", gain_sentence(&metrics));
        assert!(finding(&report.sections).contains("“linear”"));
        assert_eq!(finding(&[]), "Nothing was measured.");
    }

    #[test]
    fn leaks_are_named_where_there_are_any() {
        let mut metrics = sample::report().sections[0].metrics.clone();
        metrics.leaks = super::super::Leaked { near_passages: 1, queries: 3, ..Default::default() };
        let words = leaks(&metrics);
        assert!(words.contains("1 passage nearly") && words.contains("3 queries word for word"), "{words}");
    }
}
