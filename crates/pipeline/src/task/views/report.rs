use super::Views;
use super::corpus::SplitCorpus;
use super::data::ViewsData;
use super::evaluate::ViewVectors;
use super::spec::Spec;
use crate::Result;
use crate::task::Fit;
use crate::task::fitted::{REENCODE, encoder_fact};
use manyview_embedded::MINILM;
use manyview_encoder::LongTexts;
use manyview_report::{Fact, Map, ViewsMetrics, ViewsSection, project};

/// What the report shows of one view: two-dimensional maps of some test texts, base, view, and teacher where it sees them.
///
/// # Errors
/// Too few texts to draw.
pub(super) fn section(
    title: &str,
    spec: &Spec,
    corpus: &SplitCorpus,
    data: &ViewsData,
    fit: &Fit<Views>,
    metrics: &ViewsMetrics,
) -> Result<ViewsSection> {
    let vectors = ViewVectors::of_test(corpus, data, &fit.model)?;
    let maps = maps(spec, corpus, &vectors)?;
    let curve = Some(fit.record.curve.clone());
    Ok(ViewsSection { name: title.into(), metrics: metrics.clone(), maps, curve })
}

fn maps(spec: &Spec, corpus: &SplitCorpus, vectors: &ViewVectors) -> Result<Vec<Map>> {
    let shown: Vec<usize> = (0..vectors.rows.len().min(spec.map_texts)).collect();
    let picked = [
        ("Base", Some(&vectors.base)),
        ("View", Some(&vectors.adapter)),
        ("Teacher", vectors.teacher.as_ref()),
    ];
    let picked: Vec<_> = picked.into_iter().filter_map(|(title, view)| Some((title, view?))).collect();
    let views = picked.iter().map(|(_, view)| Ok(view.select(&shown)?)).collect::<Result<Vec<_>>>()?;
    let points = project(&views.iter().collect::<Vec<_>>(), spec.evaluate.seed)?;
    let rows: Vec<usize> = shown.iter().filter_map(|&i| vectors.rows.get(i).copied()).collect();
    let texts: Vec<String> = corpus.texts(&rows).into_iter().map(String::from).collect();
    let maps = picked.iter().zip(points).map(|((title, _), points)| Map {
        title: (*title).into(),
        points,
        labels: corpus.truth_of(&rows),
        label_names: corpus.truth.names.clone(),
        texts: texts.clone(),
    });
    Ok(maps.collect())
}

/// What was done.
pub(super) fn facts(specs: &[&Spec], corpus: &SplitCorpus, views: &[ViewsSection]) -> Vec<Fact> {
    let Some(spec) = specs.first() else { return Vec::new() };
    let mut facts = Vec::new();
    let mut fact = |label: &str, value: String| facts.push(Fact { label: label.into(), value });
    fact(
        "Corpus",
        match &corpus.origin {
            Some(origin) => format!("{}: {origin}", corpus.name),
            None => corpus.name.clone(),
        },
    );
    let dropped = corpus.corpus.dropped;
    let mut texts = format!("{} of {} rows", corpus.corpus.texts.len(), corpus.source_rows);
    for (n, why) in [
        (dropped.missing, "without text or label"),
        (dropped.duplicates, "seen before"),
        (dropped.limited, "over the limit"),
    ] {
        if n > 0 {
            texts += &format!(", {n} {why}");
        }
    }
    fact("Texts", texts);
    let split = &corpus.split;
    let parts =
        format!("{} train, {} validation, {} test", split.train.len(), split.val.len(), split.test.len());
    fact("Split", format!("{parts}; the scores are from the test texts, which no fit has seen"));
    let first = views.first().map(|v| &v.metrics);
    let cut = first.map_or(0, |m| m.encoding.truncated);
    let length =
        spec.encoder.max_length.map_or("the model's own length".into(), |n| format!("{n} tokens a text"));
    let encoder = encoder_fact(&spec.encoder.model, specs.iter().any(|spec| spec.fine_tunes()));
    let read = match spec.encoder.long {
        LongTexts::Cut => format!("at {length}; {cut} texts were cut at their end"),
        LongTexts::Windows => format!("at {length}, longer ones in windows"),
    };
    fact("Encoder", format!("{encoder}, {read}"));
    let encoded: usize = views.iter().map(|v| v.metrics.encoding.encoded).sum();
    let reused: usize = views.iter().map(|v| v.metrics.encoding.reused).sum();
    fact("Encoding", format!("{encoded} vectors computed, {reused} taken from the store"));
    let slowest = views.iter().map(|v| v.metrics.fit.seconds).fold(0.0, f64::max);
    fact("Fitting", format!("{slowest:.2} s for the slowest"));
    let evaluate = &spec.evaluate;
    fact(
        "Scores",
        format!(
            "k-means with as many clusters as labels, {} seeds of {} restarts; 95% intervals from {} paired resamples of texts and seeds",
            evaluate.seeds, evaluate.restarts, evaluate.resamples
        ),
    );
    facts
}

/// What to believe, and what not.
pub(super) fn caveats(specs: &[&Spec], views: &[ViewsSection]) -> Vec<String> {
    let mut caveats = vec![
        "The scores say how well k-means finds the labels in a view. A view that serves another purpose may be better or worse for it.".to_string(),
        "An interval covers the choice of test texts and of k-means seeds, not the choice of training texts, of the encoder or of the instruction.".into(),
        "A gain whose interval includes zero is no gain that this corpus can show.".into(),
        "Times are of this machine, under whatever load it had; the adapter's pass starts from stored vectors, the other passes from text.".into(),
    ];
    let tuned: Vec<&str> = views.iter().filter(|v| v.metrics.fine_tuned).map(|v| v.name.as_str()).collect();
    if !tuned.is_empty() {
        let names = tuned.join(", ");
        caveats.push(format!("{names}: the view is the vector of the fine-tuned encoder, in the columns called adapter. It costs a pass of that encoder over the text, not a map of a stored vector. {REENCODE}"));
    }
    let has = |teacher: &str| views.iter().any(|v| v.metrics.teacher == teacher);
    if has("answers") {
        caveats.push("The teacher `answers` reads answers of training texts only, so it has no vectors for test texts: its own score and the share kept cannot be given. Where the answers are the labels themselves, as in the embedded corpora, it shows what such answers are worth.".into());
    }
    if has("names") {
        caveats.push("The teacher `names` sees no label, but the list of names is taken from the training labels unless the configuration gives one.".into());
    }
    if has("instructed") && specs.iter().any(|spec| spec.encoder.model == MINILM) {
        caveats.push("The embedded encoder was never trained to follow instructions, so a prompt moves its vectors without helping; the teacher `instructed` is for encoders such as Qwen3-Embedding.".into());
    }
    caveats
}
