use super::{Article, ScoredText, objects, score, shown};
use crate::error::list;
use crate::{Error, Filter, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// The rows of a labelled file: those that can be used, and what is wrong with the others.
#[derive(Debug)]
pub struct LabelledRows {
    /// Rows with a text and a score in every dimension, in the order of the file.
    pub rows: Vec<ScoredText>,
    /// One [`Error::Line`] for each of the others.
    pub bad: Vec<Error>,
}

/// Reads an oracle's answers: JSON objects with `id`, `title`, `content` and `NAME_analysis.dimensions`, a score for
/// each dimension of `filter`, alone or as the `score` of an object.
///
/// # Errors
/// A file that cannot be read, is not JSON, or holds no row.
pub fn read_labelled(path: &Path, filter: &Filter) -> Result<LabelledRows> {
    let mut found = LabelledRows { rows: Vec::new(), bad: Vec::new() };
    for row in objects(path, |object| labelled(object, filter))? {
        match row {
            Ok(row) => found.rows.push(row),
            Err(e) => found.bad.push(e),
        }
    }
    Ok(found)
}

impl ScoredText {
    /// The object of a labelled file.
    pub fn labelled(&self, filter: &Filter) -> Map<String, Value> {
        let named = filter.dimensions.iter().map(|d| d.name.clone());
        let dimensions: Map<String, Value> = named.zip(self.scores.iter().map(|&s| plain(s))).collect();
        let mut object = self.article.object();
        let analysis = Map::from_iter([("dimensions".to_string(), Value::Object(dimensions))]);
        object.insert(filter.analysis(), Value::Object(analysis));
        object
    }
}

/// A whole score is written without a point, as oracles give it.
pub(super) fn plain(score: f64) -> Value {
    const EXACT: f64 = 9e15;
    match score.fract() == 0.0 && score.abs() < EXACT {
        true => Value::from(score as i64),
        false => Value::from(score),
    }
}

fn labelled(mut object: Map<String, Value>, filter: &Filter) -> Result<ScoredText, String> {
    let key = filter.analysis();
    let lacking = |what: &str| {
        format!("`{what}`: expected the oracle's scores, found none; label the row or remove it")
    };
    let mut analysis = match object.remove(&key) {
        Some(Value::Object(analysis)) => analysis,
        Some(other) if !other.is_null() => {
            return Err(format!("`{key}`: expected an object with `dimensions`, found {}", shown(&other)));
        }
        _ => {
            let others: Vec<&String> = object.keys().filter(|other| other.ends_with("_analysis")).collect();
            return Err(match others.is_empty() {
                true => lacking(&key),
                false => format!(
                    "`{key}`: expected the oracle's scores, found {}; use the filter of that name",
                    list(&others)
                ),
            });
        }
    };
    let key = format!("{key}.dimensions");
    let dimensions = match analysis.remove("dimensions") {
        Some(Value::Object(dimensions)) => dimensions,
        Some(other) if !other.is_null() => {
            return Err(format!("`{key}`: expected an object, found {}", shown(&other)));
        }
        _ => return Err(lacking(&key)),
    };
    let scores = filter.dimensions.iter().map(|dimension| {
        let name = &dimension.name;
        let Some(value) = dimensions.get(name) else {
            let there: Vec<&String> = dimensions.keys().collect();
            return Err(format!(
                "`{key}.{name}`: expected a score, found none; the dimensions are {}",
                list(&there)
            ));
        };
        let value = value.get("score").unwrap_or(value);
        score(value, filter).map_err(|problem| format!("`{key}.{name}`: {problem}"))
    });
    let scores = scores.collect::<Result<Vec<f64>, String>>()?;
    Ok(ScoredText { article: Article::of_object(object)?, scores })
}
