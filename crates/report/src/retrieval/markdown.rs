use super::RetrievalSection;
use super::findings::{MAIN, MEASURES, facts, finding, gain_sentence};
use crate::Report;
use crate::escape::markdown as escape;
use crate::finding::Gain;
use crate::markdown::{fact, frame, row, rule};
use crate::numbers::{ABSENT, score, signed, signed_interval};
use manyview_core::Estimate;

pub(super) fn markdown(report: &Report<RetrievalSection>) -> String {
    let mut main = Vec::new();
    if !report.sections.is_empty() {
        main.extend(["## Results".into(), results(&report.sections)]);
        main.push(
            "Means over test questions, each searched among all passages. Gains are of nDCG@10, paired, with their 95% \
             intervals; bold when the interval is above zero."
                .into(),
        );
    }
    for view in &report.sections {
        main.push(format!("## {}", escape(&view.name)));
        main.push(escape(&gain_sentence(&view.metrics)));
        main.extend(view.curve.as_ref().map(|c| escape(&c.words())));
        main.push(all(view));
        main.push(facts(&view.metrics).iter().map(|(l, v)| fact(l, v)).collect::<Vec<_>>().join("\n"));
    }
    frame(&report.name, &finding(&report.sections), &report.facts, main, &report.caveats, &report.reproduce)
}

fn results(views: &[RetrievalSection]) -> String {
    let heads = ["adapter", "BM25", "base", "adapter", "gain over base", "gain over BM25"];
    let line = |view: &RetrievalSection| {
        let v = &view.metrics.views;
        let mut cells = vec![escape(&view.name)];
        cells.extend([&v.bm25, &v.base, &v.adapter].map(|m| figure(m.get(MAIN))));
        cells.extend([&view.metrics.gain, &view.metrics.over_bm25].map(gain));
        row(&cells)
    };
    let mut lines = vec![row(&heads.map(String::from)), rule(heads.len())];
    lines.extend(views.iter().map(line));
    lines.join("\n")
}

fn all(view: &RetrievalSection) -> String {
    let views = view.metrics.views.named();
    let heads = ["measure", "BM25", "base", "adapter"];
    let mut lines = vec![row(&heads.map(String::from)), rule(heads.len())];
    for (key, name) in MEASURES {
        if views.iter().any(|(_, measures)| measures.contains_key(key)) {
            let cells = views.iter().map(|(_, measures)| figure(measures.get(key)));
            lines.push(row(&[name.to_string()].into_iter().chain(cells).collect::<Vec<_>>()));
        }
    }
    lines.join("\n")
}

fn figure(e: Option<&Estimate>) -> String {
    e.map_or(ABSENT.into(), |e| score(e.value))
}

fn gain(e: &Estimate) -> String {
    let text = format!("{} ({})", signed(e.value), signed_interval(e));
    if Gain::of(e) == Gain::Up { format!("**{text}**") } else { text }
}

#[cfg(test)]
mod tests {
    use crate::retrieval::sample;

    #[test]
    fn markdown_has_every_adapter_and_marks_only_a_certain_gain() {
        let text = sample::report().markdown();
        assert!(text.contains("## linear") && text.contains("## residual"), "{text}");
        assert!(text.contains("**+0.061 (+0.045 to +0.077)**") && !text.contains("**−0.004"), "{text}");
        assert!(text.contains("| in-batch accuracy |"), "{text}");
    }
}
