mod article;
mod labelled;
mod training;

pub use article::Article;
pub use labelled::{LabelledRows, read_labelled};
pub use training::{read_training, training_lines};

use crate::table::Lines;
use crate::{Error, Filter, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// A text and an oracle's score of it in each dimension of a filter.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredText {
    /// The text.
    pub article: Article,
    /// Its scores in the order of the filter's dimensions, `[d]`; finite.
    pub scores: Vec<f64>,
}

/// A score that is a finite number within the range of `filter`.
fn score(value: &Value, filter: &Filter) -> Result<f64, String> {
    let [low, high] = filter.range;
    match value.as_f64() {
        Some(score) if (low..=high).contains(&score) => Ok(score),
        _ => Err(format!("expected a number from {low} to {high}, found {}", shown(value))),
    }
}

/// The start of a value, for people.
fn shown(value: &Value) -> String {
    const MOST: usize = 40;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Each object of a JSONL file with what `take` makes of it; its errors get the file and the line.
fn objects<T>(
    path: &Path,
    mut take: impl FnMut(Map<String, Value>) -> Result<T, String>,
) -> Result<Vec<Result<T>>> {
    let mut lines = Lines::open(path)?;
    let mut taken = Vec::new();
    while let Some(object) = lines.object(&["id", "title", "content"])? {
        taken.push(take(object).map_err(|problem| Error::line(path, lines.line(), problem)));
    }
    match taken.is_empty() {
        true => Err(Error::file(path, "expected one JSON object a line, found none; add rows")),
        false => Ok(taken),
    }
}
