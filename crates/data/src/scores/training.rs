use super::labelled::plain;
use super::{Article, ScoredText, objects, score, shown};
use crate::error::list;
use crate::{Filter, Result};
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::Path;

/// Reads a training file: JSON objects with `id`, `title`, `content`, `labels` and `dimension_names`. The scores come
/// in the order of the filter, whatever that of the file is.
///
/// # Errors
/// A file that cannot be read, or the first line that does not fit `filter`.
pub fn read_training(path: &Path, filter: &Filter) -> Result<Vec<ScoredText>> {
    objects(path, |object| training(object, filter))?.into_iter().collect()
}

/// The lines of a training file: `id`, `title`, `content`, `labels`, `dimension_names`, and no other field.
pub fn training_lines<'a>(rows: impl IntoIterator<Item = &'a ScoredText>, filter: &Filter) -> Vec<u8> {
    #[derive(Serialize)]
    struct Line<'a> {
        id: &'a str,
        title: &'a str,
        content: &'a str,
        labels: Vec<Value>,
        dimension_names: &'a [&'a str],
    }
    let names = filter.names();
    let mut lines = Vec::new();
    for ScoredText { article: Article { id, title, content, .. }, scores } in rows {
        let labels = scores.iter().map(|&s| plain(s)).collect();
        let line = Line { id, title, content, labels, dimension_names: &names };
        // Text and finite numbers can always be written to memory.
        lines.extend(serde_json::to_vec(&line).unwrap_or_default());
        lines.push(b'\n');
    }
    lines
}

fn training(mut object: Map<String, Value>, filter: &Filter) -> Result<ScoredText, String> {
    let mut array = |key: &str| match object.remove(key) {
        Some(Value::Array(values)) => Ok(values),
        Some(other) => Err(format!("`{key}`: expected a list, found {}", shown(&other))),
        None => {
            Err(format!("`{key}`: expected a list, found none; make the file with `manyview prepare scores`"))
        }
    };
    let (labels, names) = (array("labels")?, array("dimension_names")?);
    let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    if names.len() != filter.dimensions.len() || labels.len() != names.len() {
        return Err(format!(
            "expected {} labels and their names, those of the filter {}, found {} labels and the names {}; use the \
             filter that the file was prepared with",
            filter.dimensions.len(),
            filter.name,
            labels.len(),
            list(&names)
        ));
    }
    let scores = filter.names().into_iter().map(|name| {
        let place = names.iter().position(|n| *n == name);
        let Some(value) = place.and_then(|place| labels.get(place)) else {
            return Err(format!("`dimension_names`: expected `{name}`, found {}", list(&names)));
        };
        score(value, filter).map_err(|problem| format!("`labels`, {name}: {problem}"))
    });
    let scores = scores.collect::<Result<Vec<f64>, String>>()?;
    Ok(ScoredText { article: Article::of_object(object)?, scores })
}
