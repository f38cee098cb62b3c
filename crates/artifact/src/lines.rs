//! Scores as lines of JSON.
use super::applier::{Applied, Outcome};
use super::batch::{Batch, Rows};
use crate::{Error, Result};
use manyview_adapter::Card;
use serde::Serialize;
use serde_json::{Map, Value};

/// One line: of a row without a text, all but the identifier is null.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    scores: Option<Map<String, Value>>,
    weighted: Option<f64>,
    tier: Option<&'a str>,
}

/// A line for each row of the batch, of the scores that the head with this card gives; rows without a name have a number.
///
/// # Errors
/// A score that JSON does not have.
pub(crate) fn lines(batch: &Batch, applied: &Applied, card: &Card) -> Result<Vec<u8>> {
    let scores = applied.outcomes.iter().find_map(|outcome| match outcome {
        Outcome::Scores(scores) => Some(scores),
        Outcome::View(_) => None,
    });
    let mut scores = scores.into_iter().flat_map(|scores| scores.rows());
    let mut lines = Vec::new();
    for (i, number) in batch.numbers.iter().enumerate() {
        let is_blank = matches!(&batch.rows, Rows::Texts(texts) if texts.get(i).is_none_or(Option::is_none));
        let number = number.to_string();
        let id = batch.ids.as_ref().and_then(|ids| ids.get(i)).unwrap_or(&number);
        let line = line(id, if is_blank { None } else { scores.next() }, card);
        serde_json::to_writer(&mut lines, &line).map_err(|e| Error::setting("--output", e.to_string()))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn line<'a>(id: &'a str, scores: Option<&[f64]>, card: &'a Card) -> Line<'a> {
    let weighted = scores.map(|s| card.dimensions().iter().zip(s).map(|(d, v)| d.weight * v).sum::<f64>());
    let tier = weighted.and_then(|w| card.tiers().iter().find(|tier| w >= tier.threshold));
    let named = |s: &[f64]| -> Map<String, Value> {
        card.dimensions().iter().zip(s).map(|(d, v)| (d.name.clone(), Value::from(*v))).collect()
    };
    Line { id, scores: scores.map(named), weighted, tier: tier.map(|t| t.name.as_str()) }
}
