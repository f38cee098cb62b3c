//! The model card of an export: what the hub reads in front, what people read below.
use super::{Format, onnx};
use crate::embedded;
use manyview_adapter::{AdapterCard, Saved};
use manyview_core::Summary;
use manyview_report::Metrics;
use std::path::Path;

/// Where a repository of the hub is named.
const HUB: &str = "hub:";

/// What there is to say of an adapter.
pub(super) struct Card<'a> {
    pub(super) saved: &'a Saved,
    pub(super) metrics: Option<&'a Metrics>,
    pub(super) format: Format,
    /// Whether the base vectors came with the corpus, as they were.
    pub(super) given: bool,
}

/// The card with names in place of paths of this machine.
pub(super) fn public(card: &AdapterCard) -> AdapterCard {
    let mut card = AdapterCard { encoder: name(&card.encoder), ..card.clone() };
    for key in ["model", "dataset"] {
        if let Some(value) = card.settings.get_mut(key)
            && let Some(text) = value.as_str()
        {
            *value = name(text).into();
        }
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
        let card = public(&self.saved.card);
        let looks_for = match one_line(&card.instruction) {
            none if none.is_empty() => "a view".to_string(),
            instruction => instruction,
        };
        let scores = self.metrics.map(scores).unwrap_or_default();
        format!(
            "{}\n# {looks_for}\n\n{}\n\n{}{scores}## Use\n\n{}",
            self.front(),
            self.what(),
            facts(&card, self.saved.linear.bias().is_some()),
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
        let base =
            base_model(&self.saved.card, self.given).map(|base| format!("base_model: {}\n", quoted(&base)));
        format!(
            "---\n{library}pipeline_tag: {pipeline}\n{}tags:\n{tags}\
             # license: choose one that the base model and the texts it was taught with allow\n---\n",
            base.unwrap_or_default()
        )
    }

    fn what(&self) -> String {
        let begin = match self.format {
            Format::SentenceTransformers => "A text encoder and, behind it, a linear map",
            _ => "A linear map of the vectors of a text encoder",
        };
        format!(
            "{begin} that turns them into a *view*: vectors that lie close together where texts agree in what the \
             instruction asks for. Made with Manyview."
        )
    }

    fn usage(&self, card: &AdapterCard) -> String {
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
            Format::SentenceTransformers => format!(
                "```python\nfrom sentence_transformers import SentenceTransformer\n\n\
                 model = SentenceTransformer(\"PATH_OR_REPOSITORY\")\n\
                 view = model.encode([\"a text\", \"another\"])  # [2, {dim_out}], length 1 each\n```\n\n\
                 Texts go in as they are: the view was taught on vectors without an instruction, so no prompt is needed.\n"
            ),
            Format::Onnx => format!(
                "{base}\n\n```python\nimport numpy as np\nimport onnxruntime\n\n\
                 session = onnxruntime.InferenceSession(\"{}\")\n\
                 (view,) = session.run([\"view\"], {{\"base\": np.load(\"base.npy\")}})  # [n, {dim_out}], length 1 each\n```\n",
                onnx::FILE
            ),
            Format::Npy => {
                let bias = match self.saved.linear.bias() {
                    Some(_) => " + np.load(\"bias.npy\")",
                    None => "",
                };
                format!(
                    "{base}\n\n```python\nimport numpy as np\n\n\
                     view = np.load(\"base.npy\") @ np.load(\"weight.npy\"){bias}\n\
                     view /= np.linalg.norm(view, axis=1, keepdims=True)  # [n, {dim_out}], length 1 each\n```\n"
                )
            }
            Format::Adapter => "```sh\nhf download REPOSITORY --local-dir view\n\
                 manyview infer --input texts.csv --adapter view --output-dir out  # out/adapter.npy\n```\n"
                .into(),
        }
    }
}

/// The repository of the encoder, where it has one.
fn base_model(card: &AdapterCard, given: bool) -> Option<String> {
    let model = card.settings.get("model").and_then(|model| model.as_str()).unwrap_or(&card.encoder);
    match model {
        embedded::ENCODER if !given => Some(embedded::ENCODER_ORIGIN.into()),
        model => model.strip_prefix(HUB).map(String::from),
    }
}

fn facts(card: &AdapterCard, bias: bool) -> String {
    let setting = |key: &str| card.settings.get(key).and_then(|value| value.as_str()).map(one_line);
    let map = if bias { "x W + b" } else { "x W" };
    let mut facts = vec![
        ("Instruction", one_line(&card.instruction)),
        (
            "Encoder",
            format!("{}, fingerprint `{}`", one_line(&card.encoder), card.encoder_fingerprint.short()),
        ),
        (
            "Map",
            format!("`normalise({map})`, W `[{}, {}]`, fitted by {}", card.dim_in, card.dim_out, card.method),
        ),
        ("Teacher", format!("`{}`, on {} training rows", one_line(&card.teacher), card.n_train)),
    ];
    facts.extend(setting("dataset").map(|name| ("Texts", name)));
    facts.extend(card.settings.get("max_length").map(|n| ("Tokens read of a text", n.to_string())));
    let lines = facts.iter().filter(|(_, value)| !value.is_empty());
    lines.map(|(key, value)| format!("- {key}: {value}\n")).collect::<String>() + "\n"
}

fn scores(metrics: &Metrics) -> String {
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
         | vectors | V-measure | AMI | ARI |\n|---|---|---|---|\n{}\n{}\n\n",
        metrics.classes,
        one_line(&metrics.label),
        metrics.n_test,
        rows.collect::<String>(),
        one_line(&metrics.verdict)
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
