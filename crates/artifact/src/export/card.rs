//! The model card of an export: what the hub reads in front, what people read below.
use super::measured::Measured;
use super::{Format, onnx};
use crate::MINILM_ORIGIN;
use manyview_adapter::{Card as Origin, Map, Maps, Saved, Shape, Sides, TaskCard};
use manyview_core::Summary;
use manyview_embedded::MINILM;
use manyview_report::{RetrievalMetrics, ViewsMetrics};
use serde_json::Value;
use std::path::Path;

/// Where a repository of the hub is named.
const HUB: &str = "hub:";
/// What is left to whoever shares it.
pub(super) const LICENCE: &str =
    "# license: choose one that the base model and the texts it was taught with allow\n";

/// What there is to say of an adapter.
pub(super) struct Card<'a> {
    pub(super) saved: &'a Saved<Maps>,
    pub(super) metrics: Option<&'a Measured>,
    pub(super) format: Format,
    /// Whether the base vectors came with the corpus, as they were.
    pub(super) given: bool,
}

/// The card with names in place of paths of this machine. The encoder of `given` vectors is known by its name alone,
/// which stays.
pub(super) fn public(card: &Origin, given: bool) -> Origin {
    let mut card = card.clone();
    let keys: &[&str] = if given { &["dataset"] } else { &["dataset", "model"] };
    for key in keys {
        if let Some(value) = card.settings.get_mut(*key)
            && let Some(text) = value.as_str()
        {
            *value = name(text).into();
        }
    }
    if !given {
        card.encoder = name(&card.encoder);
    }
    card
}

/// A name as others may see it: of a path, its last part.
fn name(source: &str) -> String {
    let last = Path::new(source).file_name().map(|name| name.to_string_lossy().into_owned());
    if source.starts_with(HUB) { source.into() } else { last.unwrap_or_else(|| source.into()) }
}

impl Card<'_> {
    pub(super) fn markdown(&self) -> String {
        let card = public(&self.saved.card, self.given);
        let looks_for = match one_line(card.instruction()) {
            none if none.is_empty() && is_retrieval(&card) => "passages by their queries".to_string(),
            none if none.is_empty() => "a view".to_string(),
            instruction => instruction,
        };
        let scores = match self.metrics {
            Some(Measured::Views(metrics)) => scores(metrics),
            Some(Measured::Retrieval(metrics)) => retrieval(metrics),
            Some(Measured::Scores(_)) | None => String::new(),
        };
        format!(
            "{}\n# {looks_for}\n\n{}\n\n{}{scores}## Use\n\n{}",
            self.front(),
            self.what(),
            self.facts(&card),
            self.usage(&card)
        )
    }

    /// What the hub reads, YAML; its strings are written as JSON, which YAML takes.
    fn front(&self) -> String {
        let (library, pipeline, tags): (&str, &str, &[&str]) = match self.format {
            Format::SentenceTransformers => (
                "library_name: sentence-transformers\n",
                "sentence-similarity",
                &["sentence-transformers", "sentence-similarity", "feature-extraction"],
            ),
            Format::Onnx => ("library_name: onnx\n", "feature-extraction", &["onnx"]),
            Format::Npy | Format::Adapter => ("", "feature-extraction", &[]),
        };
        let tags: String = tags.iter().chain(&["manyview"]).map(|tag| format!("- {tag}\n")).collect();
        let base = self.base_model().map(|base| format!("base_model: {}\n", quoted(&base)));
        format!(
            "---\n{library}pipeline_tag: {pipeline}\n{}tags:\n{tags}\
             {LICENCE}---\n",
            base.unwrap_or_default()
        )
    }

    fn base_model(&self) -> Option<String> {
        base_model(&self.saved.card, self.given)
    }

    fn what(&self) -> String {
        let begin = match self.format {
            Format::SentenceTransformers => "A text encoder and, behind it, a linear map",
            _ if self.saved.linear().is_err() => "A map of the vectors of a text encoder",
            _ => "A linear map of the vectors of a text encoder",
        };
        let close = match is_retrieval(&self.saved.card) {
            true => "where one text answers the other",
            false => "where texts agree in what the instruction asks for",
        };
        format!(
            "{begin} that turns them into a *view*: vectors that lie close together {close}. Made with Manyview."
        )
    }

    fn facts(&self, card: &Origin) -> String {
        let setting = |key: &str| card.settings.get(key).and_then(|value| value.as_str()).map(one_line);
        let map = self.saved.model.query();
        let origin = self.base_model().filter(|origin| !card.encoder.ends_with(origin));
        let origin = origin.map(|origin| format!(", made from {origin}")).unwrap_or_default();
        let encoder = format!(
            "{}{origin}; fingerprint `{}`",
            one_line(&card.encoder),
            card.encoder_fingerprint.short()
        );
        let of = match self.saved.model.sides() {
            Sides::Query => " of queries; passages stay as they are",
            Sides::Both => "",
            Sides::Dual => " of queries, and another of passages",
        };
        let shape = format!("`[{}, {}]`{of}", card.dim_in, card.dim_out);
        let mut facts = vec![
            ("Instruction", one_line(card.instruction())),
            ("Encoder", encoder),
            ("Map", format!("`normalise({})`, {shape}, fitted by {}", formula(map), card.method)),
            ("Teacher", format!("`{}`, on {} training rows", one_line(card.teacher()), card.n_train)),
        ];
        facts.extend(setting("dataset").map(|name| ("Texts", name)));
        facts.extend(card.settings.get("max_length").map(|n| ("Tokens read of a text", n.to_string())));
        facts.extend(setting("long").map(|long| ("Longer texts", long)));
        let lines = facts.iter().filter(|(_, value)| !value.is_empty());
        lines.map(|(key, value)| format!("- {key}: {value}\n")).collect::<String>() + "\n"
    }

    fn is_biased(&self) -> bool {
        self.saved.linear().is_ok_and(|linear| linear.bias().is_some())
    }

    fn usage(&self, card: &Origin) -> String {
        let (dim_in, dim_out) = (card.dim_in, card.dim_out);
        let base = match self.given {
            true => format!(
                "`base.npy` is `[n, {dim_in}]`, float32: vectors such as it was fitted on, as they were."
            ),
            false => format!(
                "`base.npy` is `[n, {dim_in}]`, float32: vectors of length 1 of {}, without an instruction, as \
                 `manyview infer` writes them.",
                card.encoder
            ),
        };
        match self.format {
            Format::SentenceTransformers => {
                let prompt = match is_retrieval(card) && !card.instruction().trim().is_empty() {
                    true => "Queries were prompted with the instruction above, passages not at all.",
                    false => {
                        "Texts go in as they are: the view was taught on vectors without an instruction, so no prompt is needed."
                    }
                };
                format!(
                    "```python\nfrom sentence_transformers import SentenceTransformer\n\n\
                 model = SentenceTransformer(\"PATH_OR_REPOSITORY\")\n\
                 view = model.encode([\"a text\", \"another\"])  # [2, {dim_out}], length 1 each\n```\n\n{prompt}\n"
                )
            }
            Format::Onnx => format!(
                "{base}\n\n```python\nimport numpy as np\nimport onnxruntime\n\n\
                 session = onnxruntime.InferenceSession(\"{}\")\n\
                 (view,) = session.run([\"view\"], {{\"base\": np.load(\"base.npy\")}})  # [n, {dim_out}], length 1 each\n```\n",
                onnx::FILE
            ),
            Format::Npy => {
                let bias = match self.is_biased() {
                    true => " + np.load(\"bias.npy\")",
                    false => "",
                };
                format!(
                    "{base}\n\n```python\nimport numpy as np\n\n\
                     view = np.load(\"base.npy\") @ np.load(\"weight.npy\"){bias}\n\
                     view /= np.linalg.norm(view, axis=1, keepdims=True)  # [n, {dim_out}], length 1 each\n```\n"
                )
            }
            Format::Adapter => "```sh\nmanyview infer --input texts.csv --adapter hub:REPOSITORY --output-dir out  # out/adapter.npy\n```\n"
                .into(),
        }
    }
}

fn is_retrieval(card: &Origin) -> bool {
    matches!(card.task, TaskCard::Retrieval { .. })
}

/// What a map computes of `x`, before it is normalised.
fn formula(map: &Map) -> &'static str {
    let bias = map.layers().iter().any(|layer| layer.bias().is_some());
    match (map.shape(), bias) {
        (Shape::Linear, false) => "x W",
        (Shape::Linear, true) => "x W + b",
        (Shape::LowRank, false) => "x + x A B",
        (Shape::LowRank, true) => "x + x A B + b",
        (Shape::Residual, false) => "x + relu(x W₁) W₂",
        (Shape::Residual, true) => "x + relu(x W₁ + b₁) W₂ + b₂",
        (Shape::Mlp, false) => "relu(x W₁) W₂",
        (Shape::Gated, false) => "x + (x W₁) ⊙ σ(x W₂)",
        (Shape::Gated, true) => "x + (x W₁ + b₁) ⊙ σ(x W₂ + b₂)",
        (Shape::Mlp, true) => "relu(x W₁ + b₁) W₂ + b₂",
    }
}

/// The repository of the encoder, where it has one.
pub(super) fn base_model(card: &Origin, given: bool) -> Option<String> {
    let model = card.settings.get("model").and_then(|model| model.as_str()).unwrap_or(&card.encoder);
    match model {
        MINILM if !given => Some(MINILM_ORIGIN.into()),
        model => model.strip_prefix(HUB).map(String::from),
    }
}

fn scores(metrics: &ViewsMetrics) -> String {
    let figure = |s: &Summary| format!("{:.3} [{:.3}, {:.3}]", s.mean, s.low, s.high);
    let views = &metrics.views;
    let rows = [
        ("encoder alone", Some(&views.base)),
        ("offset", views.offset.as_ref()),
        ("this view", Some(&views.adapter)),
        ("teacher", views.teacher.as_ref()),
    ];
    let rows = rows.iter().filter_map(|(name, scores)| Some((name, (*scores)?))).map(|(name, s)| {
        format!("| {name} | {} | {} | {} |\n", figure(&s.v_measure), figure(&s.ami), figure(&s.ari))
    });
    format!(
        "## Scores\n\nk-means into {} clusters, compared with the column `{}` of {} test texts; mean, and its 95% interval.\n\n\
         | vectors | V-measure | AMI | ARI |\n|---|---|---|---|\n{}\nIn short: {}.\n\n",
        metrics.classes,
        one_line(&metrics.label),
        metrics.n_test,
        rows.collect::<String>(),
        one_line(&metrics.verdict)
    )
}

fn retrieval(metrics: &RetrievalMetrics) -> String {
    const SHOWN: [(&str, &str); 3] =
        [("ndcg@10", "nDCG@10"), ("mrr@10", "MRR@10"), ("accuracy@1", "first is right")];
    let heads = SHOWN.map(|(_, name)| format!("| {name} ")).concat();
    let views = &metrics.views;
    let rows = [("BM25", &views.bm25), ("encoder alone", &views.base), ("this view", &views.adapter)];
    let rows = rows.map(|(name, measures)| {
        let cells = SHOWN.iter().map(|(key, _)| match measures.get(*key) {
            Some(e) => format!("| {:.3} [{:.3}, {:.3}] ", e.value, e.low, e.high),
            None => "| – ".into(),
        });
        format!("| {name} {}|\n", cells.collect::<String>())
    });
    format!(
        "## Scores\n\n{} test queries, each searched among {} passages; mean, and its 95% interval.\n\n\
         | ranking {heads}|\n|---|---|---|---|\n{}\nGain over the encoder alone in nDCG@10: {:+.3} [{:+.3}, {:+.3}].\n\n",
        metrics.counts.queries,
        metrics.counts.passages,
        rows.concat(),
        metrics.gain.value,
        metrics.gain.low,
        metrics.gain.high
    )
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_adapter::Linear;
    use manyview_core::Fingerprint;

    fn saved(model: &str, instruction: &str) -> Saved<Maps> {
        let settings = [("model", model), ("dataset", "/home/someone/secret/notes.csv")];
        let card = Origin {
            task: TaskCard::Views { instruction: instruction.into(), teacher: "names".into() },
            encoder: model.into(),
            encoder_fingerprint: Fingerprint::builder("t/1").finish(),
            dim_in: 2,
            dim_out: 2,
            method: "ridge".into(),
            n_train: 3,
            settings: settings.map(|(key, value)| (key.to_string(), value.into())).into(),
        };
        Saved { model: Linear::identity(2).unwrap().into(), card, weights_blake3: String::new() }
    }

    fn markdown(saved: &Saved<Maps>, given: bool) -> String {
        Card { saved, metrics: None, format: Format::Npy, given }.markdown()
    }

    #[test]
    fn the_base_model_is_a_repository_or_not_named() {
        let base = |model: &str, given| {
            let card = markdown(&saved(model, "x"), given);
            card.lines().find_map(|line| line.strip_prefix("base_model: ")).map(String::from)
        };
        assert_eq!(base("hub:org/name", false).unwrap(), "\"org/name\"");
        assert_eq!(base("minilm", false).unwrap(), "\"sentence-transformers/all-MiniLM-L6-v2\"");
        assert_eq!(base("minilm", true), None, "vectors from elsewhere that happen to be called so");
        assert_eq!(base("/home/someone/model", false), None);
    }

    #[test]
    fn a_card_tells_no_place_of_this_machine() {
        let local = saved("/home/someone/model", "x");
        let card = markdown(&local, false);
        assert!(!card.contains("someone") && card.contains("model;") && card.contains("notes.csv"), "{card}");
        let settings = public(&local.card, false).settings;
        assert_eq!((&settings["model"], &settings["dataset"]), (&"model".into(), &"notes.csv".into()));
        let given = saved("acme/embed", "x");
        assert_eq!(public(&given.card, true).settings["model"], "acme/embed", "its name is its identity");
    }

    #[test]
    fn an_instruction_cannot_leave_its_line() {
        let card = markdown(&saved("minilm", "a\n---\nlicense: mit\n# b"), false);
        assert!(card.contains("# a --- license: mit # b\n"), "{card}");
        assert!(!card.contains("\nlicense:"), "{card}");
    }
}
