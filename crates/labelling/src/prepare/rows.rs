use super::Preparation;
use crate::{Error, Result};
use manyview_data::{Filter, ScoredText, read_labelled};
use serde::{Deserialize, Serialize};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Rows that were left out; a row counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// That could not be used: no text, no score, no group.
    pub bad: usize,
    /// With the `id` of an earlier row.
    pub repeated_ids: usize,
    /// With the text of an earlier row, but for white space.
    pub repeated_texts: usize,
    /// Of both repetitions, those that were scored otherwise than the row that stays.
    pub scored_otherwise: usize,
}

/// The rows to split, how many were read, and what was left out.
pub(super) fn gather(preparation: &Preparation, filter: &Filter) -> Result<(Vec<ScoredText>, usize, Left)> {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for path in &preparation.inputs {
        let found = read_labelled(path, filter)?;
        bad.extend(found.bad.iter().map(ToString::to_string));
        match &preparation.group {
            None => rows.extend(found.rows),
            Some(group) => {
                let (with, without): (Vec<_>, Vec<_>) =
                    found.rows.into_iter().partition(|row| row.article.field(group).is_some());
                rows.extend(with);
                bad.extend(without.iter().map(|row| {
                    format!(
                        "{}, row `{}`: `{group}`: expected where the row comes from, found none; add it",
                        path.display(),
                        row.article.id
                    )
                }));
            }
        }
    }
    let read = rows.len() + bad.len();
    if !preparation.drop_bad && !bad.is_empty() {
        return Err(refusal(&bad, read));
    }
    bad.iter().for_each(|bad| tracing::warn!("left out: {bad}"));
    let mut left = Left { bad: bad.len(), ..Left::default() };
    let rows = differing(rows, &mut left);
    match rows.is_empty() {
        true => Err(Error::setting("--input", format!("no row is left of {read}; each one lacks something"))),
        false => Ok((rows, read, left)),
    }
}

fn refusal(bad: &[String], read: usize) -> Error {
    const MOST: usize = 5;
    let mut shown = bad.iter().take(MOST).cloned().collect::<Vec<_>>().join("\n  ");
    if bad.len() > MOST {
        shown += &format!("\n  and {} more", bad.len() - MOST);
    }
    let problem = format!(
        "{} of {read} rows cannot be used; repair them, or leave such rows out with --drop-bad\n  {shown}",
        bad.len()
    );
    Error::setting("--input", problem)
}

/// The rows whose id and text no earlier row has.
fn differing(rows: Vec<ScoredText>, left: &mut Left) -> Vec<ScoredText> {
    let mut ids: HashMap<String, Vec<f64>> = HashMap::new();
    let mut texts: HashMap<String, Vec<f64>> = HashMap::new();
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let text = row.article.text().split_whitespace().collect::<Vec<_>>().join(" ");
        match (ids.entry(row.article.id.clone()), texts.entry(text)) {
            (Entry::Occupied(first), _) => {
                left.repeated_ids += 1;
                left.scored_otherwise += usize::from(*first.get() != row.scores);
            }
            (Entry::Vacant(_), Entry::Occupied(first)) => {
                left.repeated_texts += 1;
                left.scored_otherwise += usize::from(*first.get() != row.scores);
            }
            (Entry::Vacant(id), Entry::Vacant(text)) => {
                id.insert(row.scores.clone());
                text.insert(row.scores.clone());
                kept.push(row);
            }
        }
    }
    kept
}

/// The group of each row: its value of the field, or itself where none is named.
pub(super) fn groups(rows: &[ScoredText], field: Option<&str>) -> Vec<usize> {
    let Some(field) = field else { return (0..rows.len()).collect() };
    let mut numbers = HashMap::new();
    let values = rows.iter().map(|row| row.article.field(field).unwrap_or_default());
    values
        .map(|value| {
            let next = numbers.len();
            *numbers.entry(value).or_insert(next)
        })
        .collect()
}

/// The number of groups and the rows of the largest.
pub(super) fn extent(groups: &[usize]) -> (usize, usize) {
    let mut sizes = BTreeMap::new();
    groups.iter().for_each(|group| *sizes.entry(group).or_insert(0) += 1);
    (groups.iter().collect::<HashSet<_>>().len(), sizes.into_values().max().unwrap_or(0))
}
