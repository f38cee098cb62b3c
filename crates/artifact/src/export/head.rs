//! A head as `manyview score` reads it, and its model card.
use super::card::{LICENCE, base_model, one_line, public, quoted};
use super::measured::{Measured, measured};
use super::{Export, Format, staging, write};
use crate::trained_encoder::{ENCODER, TUNED, copy};
use crate::{Error, Opened, Result};
use manyview_adapter::{Card, Head, save};
use manyview_core::{Estimate, Progress};
use manyview_report::{NamedErrors, ScoresMetrics};

/// Writes the head, a model card beside it, and the encoder where that was trained below it. Names of local directories stay
/// out of it.
pub(super) fn export_head(
    opened: &Opened,
    head: &Head,
    given: bool,
    export: &Export,
    progress: &dyn Progress,
) -> Result<()> {
    if export.format != Format::Adapter {
        let problem =
            "expected `adapter` for a head that scores texts, found another form; other programs take views";
        return Err(Error::setting("--to", problem));
    }
    let learnt = opened.tuned_encoder();
    if learnt.is_none() && opened.card.settings.contains_key(TUNED) {
        return Err(Error::Missing {
            path: opened.dir.clone(),
            missing: "the encoder that learnt below the head there, found none or another".into(),
            cure: "train".into(),
        });
    }
    let metrics = match measured(opened)? {
        Some(Measured::Scores(metrics)) => Some(metrics),
        _ => None,
    };
    let card = public(&opened.card, given);
    let text = markdown(opened, head, &card, metrics.as_deref(), given);
    staging::publish(&export.output, progress, |to| {
        save(to, &head.clone().into(), &card)?;
        if let Some(encoder) = &learnt {
            copy(encoder, &to.join(ENCODER))?;
        }
        write(&to.join("README.md"), text.as_bytes())
    })
}

fn markdown(
    opened: &Opened,
    head: &Head,
    card: &Card,
    metrics: Option<&ScoresMetrics>,
    given: bool,
) -> String {
    let base = base_model(&opened.card, given);
    let base = base.map(|base| format!("base_model: {}\n", quoted(&base))).unwrap_or_default();
    format!(
        "---\npipeline_tag: text-classification\n{base}tags:\n- regression\n- manyview\n{LICENCE}---\n\n# Scores: {}\n\n\
         A head over the vectors of a text encoder that scores texts in {} as an oracle would. Made with Manyview.\n\n{}\n\
         {}## Use\n\n```sh\n\
         manyview score texts.jsonl --head hub:REPOSITORY --text-column content --id-column id  # scores.jsonl\n```\n",
        one_line(card.teacher()),
        match card.dim_out {
            1 => "one dimension".into(),
            n => format!("{n} dimensions"),
        },
        facts(head, card),
        metrics.map(scores).unwrap_or_default(),
    )
}

fn facts(head: &Head, card: &Card) -> String {
    let dimensions =
        card.dimensions().iter().map(|d| format!("{} (weight {:.3})", one_line(&d.name), d.weight));
    let tiers = card.tiers().iter().map(|t| format!("{} from {}", one_line(&t.name), t.threshold));
    let joined = |all: Vec<String>| all.join(", ");
    let calibrated = if head.calibration().is_some() { ", calibrated" } else { "" };
    let setting = |key: &str| card.settings.get(key).and_then(|value| value.as_str()).map(one_line);
    let place = if card.settings.contains_key(TUNED) { ", in `encoder`" } else { "" };
    let facts = [
        ("Dimensions", joined(dimensions.collect())),
        ("Tiers of the weighted score", joined(tiers.collect())),
        (
            "Encoder",
            format!("{}{place}; fingerprint `{}`", one_line(&card.encoder), card.encoder_fingerprint.short()),
        ),
        ("Head", format!("{}{calibrated}, on {} training texts", card.method, card.n_train)),
        ("Texts", setting("dataset").unwrap_or_default()),
    ];
    let lines = facts.iter().filter(|(_, value)| !value.is_empty());
    lines.map(|(key, value)| format!("- {key}: {value}\n")).collect()
}

fn scores(metrics: &ScoresMetrics) -> String {
    let figure = |e: &Estimate| format!("{:.3} [{:.3}, {:.3}]", e.value, e.low, e.high);
    let row = |e: &NamedErrors| {
        let spearman = e.head.spearman.as_ref().map_or("–".into(), figure);
        let (mae, mean) = (figure(&e.head.mae), e.mean.mae.value);
        let gain = e.gain.map_or("–".into(), |gain| format!("{:.1}%", gain.value * 100.0));
        format!("| {} | {mae} | {mean:.3} | {gain} | {spearman} |\n", one_line(&e.name))
    };
    let rows: String = metrics.dimensions.iter().chain([&metrics.overall]).map(row).collect();
    format!(
        "## Errors\n\nMean absolute errors and Spearman's correlation on {} test texts, with 95% intervals over them; beside \
         them the error of predicting the mean, and the share of it that is gone.\n\n\
         | dimension | MAE | MAE of the mean | error gone | Spearman |\n|---|---|---|---|---|\n{rows}\nBy the thresholds of \
         its experiment: {}.\n\n",
        metrics.n_test,
        metrics.decision.verdict.as_str()
    )
}
