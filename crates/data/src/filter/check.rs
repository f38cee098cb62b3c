use super::layouts::{Head, Named, Scoring, Settings, Written};
use super::{Dimension, Filter, Tier};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// The keys that are read at the top of a file.
const KNOWN: [&str; 9] =
    ["name", "version", "prompt", "dimensions", "weights", "tiers", "range", "filter", "scoring"];

/// The filter that a file describes.
pub(super) fn filter(written: Written, path: &Path) -> Result<Filter> {
    let fail = |problem: String| Error::file(path, problem);
    misspelt(written.rest.keys()).map_err(fail)?;
    let head = written.filter.unwrap_or_default();
    let scoring = written.scoring.unwrap_or_default();
    misspelt(scoring.rest.keys()).map_err(fail)?;
    let Head { name, version, prompt } = Head {
        name: once("name", written.name, head.name).map_err(fail)?,
        version: once("version", written.version, head.version).map_err(fail)?,
        prompt: once("prompt", written.prompt, head.prompt).map_err(fail)?,
    };
    let scoring = Scoring {
        dimensions: once("dimensions", written.dimensions, scoring.dimensions).map_err(fail)?,
        weights: once("weights", written.weights, scoring.weights).map_err(fail)?,
        tiers: once("tiers", written.tiers, scoring.tiers).map_err(fail)?,
        range: once("range", written.range, scoring.range).map_err(fail)?,
        rest: scoring.rest,
    };
    warn_of_caps(&scoring, path);
    let range = range(scoring.range.unwrap_or([0.0, 10.0])).map_err(fail)?;
    let tiers = scoring.tiers.unwrap_or(Named(Vec::new()));
    Ok(Filter {
        name: named(name).map_err(fail)?,
        version: version.map_or_else(|| "1".into(), |version| version.to_string()),
        dimensions: dimensions(scoring.dimensions, scoring.weights).map_err(fail)?,
        tiers: self::tiers(tiers.0.into_iter().map(|(name, t)| (name, t.value())), range).map_err(fail)?,
        range,
        path: path.into(),
        prompt,
        sections: written.rest,
    })
}

type Checked<T> = Result<T, String>;

fn once<T>(key: &str, flat: Option<T>, below: Option<T>) -> Checked<Option<T>> {
    match (flat, below) {
        (Some(_), Some(_)) => Err(format!("{key}: expected it once, found it twice; remove one")),
        (flat, below) => Ok(flat.or(below)),
    }
}

/// Keys of other tools may stand here, but not one that is nearly one of ours.
fn misspelt<'a>(keys: impl Iterator<Item = &'a String>) -> Checked<()> {
    const ALIKE: f64 = 0.9;
    for key in keys {
        if let Some(known) = KNOWN.iter().find(|known| strsim::jaro_winkler(known, key) > ALIKE) {
            return Err(format!("{key}: unknown key; did you mean `{known}`?"));
        }
    }
    Ok(())
}

fn warn_of_caps(scoring: &Scoring, path: &Path) {
    let mut caps: Vec<String> = scoring
        .rest
        .keys()
        .filter(|key| key.contains("gatekeeper") || key.contains("caps"))
        .cloned()
        .collect();
    for (name, settings) in scoring.dimensions.iter().flat_map(|named| &named.0) {
        if settings.capped.is_some() {
            caps.push(format!("dimensions.{name}.gatekeeper"));
        }
    }
    for cap in caps {
        tracing::warn!(
            "{}: {cap} is not applied: a tier follows from the weighted mean alone",
            path.display()
        );
    }
}

fn named(name: Option<String>) -> Checked<String> {
    let Some(name) = name else {
        return Err("name: expected the name of the filter, found none; add it".into());
    };
    let fine = name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    match fine && !name.is_empty() && !name.starts_with('.') {
        true => Ok(name),
        false => Err(format!("name: expected letters, digits, `-`, `_` and `.`, found {name:?}; rename it")),
    }
}

fn range([low, high]: [f64; 2]) -> Checked<[f64; 2]> {
    match low.is_finite() && high.is_finite() && low < high {
        true => Ok([low, high]),
        false => Err(format!("range: expected the least and the greatest score, found [{low}, {high}]")),
    }
}

fn dimensions(given: Option<Named<Settings>>, weights: Option<Named<f64>>) -> Checked<Vec<Dimension>> {
    let given = given.map(|named| named.0).filter(|named| !named.is_empty());
    let Some(mut given) = given else {
        return Err("dimensions: expected a list of names, or a table of them; found none".into());
    };
    let mut seen = BTreeSet::new();
    if let Some((twice, _)) = given.iter().find(|(name, _)| name.trim().is_empty() || !seen.insert(name)) {
        return Err(format!("dimensions: expected different names, found {twice:?} twice or blank"));
    }
    for (name, weight) in weights.into_iter().flat_map(|named| named.0) {
        match given.iter_mut().find(|(dimension, _)| *dimension == name) {
            Some((_, Settings { weight: slot @ None, .. })) => *slot = Some(weight),
            Some(_) => return Err(format!("weights.{name}: expected a weight once, found two")),
            None => return Err(format!("weights.{name}: there is no such dimension; correct the name")),
        }
    }
    let unweighted = given.iter().all(|(_, settings)| settings.weight.is_none());
    let weight = |name: &str, weight: Option<f64>| match weight {
        None if unweighted => Ok(1.0),
        Some(weight) if weight.is_finite() && weight >= 0.0 => Ok(weight),
        Some(weight) => Err(format!("dimensions.{name}.weight: expected a number from 0, found {weight}")),
        None => Err(format!("dimensions.{name}.weight: expected a weight as the others have; add it")),
    };
    let found = given.into_iter().map(|(name, settings)| {
        let Settings { weight: own, description, column, .. } = settings;
        Ok(Dimension { weight: weight(&name, own)?, name, description, column })
    });
    let mut found: Vec<Dimension> = found.collect::<Checked<_>>()?;
    let sum: f64 = found.iter().map(|d| d.weight).sum();
    if sum <= 0.0 {
        return Err("dimensions: expected a weight above 0, found none; give one".into());
    }
    found.iter_mut().for_each(|d| d.weight /= sum);
    Ok(found)
}

fn tiers(given: impl Iterator<Item = (String, f64)>, [low, high]: [f64; 2]) -> Checked<Vec<Tier>> {
    let mut tiers: Vec<Tier> = given.map(|(name, threshold)| Tier { name, threshold }).collect();
    let mut names = BTreeSet::new();
    for Tier { name, threshold } in &tiers {
        if !(low..=high).contains(threshold) {
            return Err(format!(
                "tiers.{name}: expected a threshold within {low} and {high}, found {threshold}"
            ));
        }
        if !names.insert(name) {
            return Err(format!("tiers.{name}: expected it once, found it twice; remove one"));
        }
    }
    tiers.sort_by(|a, b| b.threshold.total_cmp(&a.threshold));
    match tiers.windows(2).find(|pair| pair[0].threshold == pair[1].threshold) {
        None => Ok(tiers),
        Some(pair) => Err(format!(
            "tiers: expected different thresholds, found {} for `{}` and `{}`",
            pair[0].threshold, pair[0].name, pair[1].name
        )),
    }
}
