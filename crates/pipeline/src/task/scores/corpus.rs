//! Texts with an oracle's scores, split.

use super::spec::ScoresSource;
use crate::config::Data;
use crate::{Environment, Error, Result, given_vectors};
use manyview_core::{Embeddings, Progress, Targets};
use manyview_data::{
    Corpus, CorpusConfig, Filter, Fractions, ScoredText, Split, read_labelled, read_training,
};
use std::collections::HashMap;
use std::path::Path;

/// The files of a prepared directory, by what their rows are for.
const PARTS: [&str; 3] = ["train.jsonl", "val.jsonl", "test.jsonl"];
/// Groups of like weighted scores that a split keeps in proportion where a filter has no tiers.
const GROUPS: usize = 5;

/// Texts with their scores. Those of test rows are read to stratify a split and to measure, never to fit.
#[derive(Clone, Debug)]
pub struct ScoredCorpus {
    /// Name for people.
    pub(crate) name: String,
    pub(crate) filter: Filter,
    pub(crate) texts: Vec<String>,
    pub(crate) ids: Vec<String>,
    /// `[n, dimensions]`.
    pub(crate) targets: Targets,
    pub(crate) split: Split,
    /// The vectors that came with the texts, in place of an encoder's.
    pub(crate) vectors: Option<Embeddings>,
}

impl ScoredCorpus {
    /// Reads what `source` names: a directory as `manyview prepare scores` writes it, or one table.
    ///
    /// # Errors
    /// Files, columns, scores or sizes that cannot be used, each with the cure.
    pub(crate) fn load(
        source: &ScoresSource,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let filter = Filter::load(&source.filter)?;
        let dir = Path::new(&source.data.source);
        let corpus = match dir.is_dir() {
            true => Self::of_directory(&source.data, dir, filter)?,
            false => Self::of_table(source, filter, environment, progress)?,
        };
        corpus.check()?;
        Ok(corpus)
    }

    fn of_directory(data: &Data, dir: &Path, filter: Filter) -> Result<Self> {
        let mut rows: Vec<ScoredText> = Vec::new();
        let mut parts = [Vec::new(), Vec::new(), Vec::new()];
        for (name, part) in PARTS.iter().zip(&mut parts) {
            let path = dir.join(name);
            if *name == "val.jsonl" && !std::fs::metadata(&path).is_ok_and(|m| m.len() > 0) {
                continue; // nothing held back
            }
            let read = read_training(&path, &filter)?;
            *part = (rows.len()..rows.len() + read.len()).collect();
            rows.extend(read);
        }
        let [train, val, test] = parts;
        let vectors = given_vectors::read(data, rows.len())?;
        let values = rows.iter().flat_map(|row| row.scores.iter().copied()).collect();
        Ok(Self {
            name: data.source.clone(),
            texts: rows.iter().map(|row| row.article.text()).collect(),
            ids: rows.iter().map(|row| row.article.id.clone()).collect(),
            targets: Targets::new(values, filter.dimensions.len())?,
            split: Split { train, val, test },
            vectors,
            filter,
        })
    }

    fn of_table(
        source: &ScoresSource,
        filter: Filter,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let data = &source.data;
        let paths = crate::task::fetch_corpus(data, environment, progress)?;
        let corpus = Corpus::read(&paths, &config(source, &filter))?;
        let (dimensions, title) = corpus.beside.split_at(filter.dimensions.len());
        let mut values = Vec::new();
        let mut kept = Vec::new();
        for (i, &row) in corpus.rows.iter().enumerate() {
            match scores_of(dimensions, &filter, &corpus.source, i, row)? {
                Some(figures) => {
                    values.extend(figures);
                    kept.push(i);
                }
                None if data.drop_missing => {}
                None => {
                    let problem = format!(
                        "row {row}: expected a score in every dimension, found a blank; score the row, or leave such \
                         rows out with data.drop_missing=true"
                    );
                    return Err(Error::setting(&corpus.source, problem));
                }
            }
        }
        let text = |&i: &usize| {
            let title = title.first().and_then(|titles| titles.get(i)?.as_deref());
            let text = corpus.texts.get(i).map(String::as_str).unwrap_or_default();
            match title.map(str::trim).filter(|title| !title.is_empty()) {
                Some(title) => format!("{title}\n\n{text}"),
                None => text.into(),
            }
        };
        let targets = Targets::new(values, filter.dimensions.len())?;
        let words = corpus.split.as_ref();
        let words = words.map(|all| kept.iter().filter_map(|&i| all.get(i).cloned()).collect::<Vec<_>>());
        let rows: Vec<usize> = kept.iter().filter_map(|&i| corpus.rows.get(i).copied()).collect();
        Ok(Self {
            name: data.source.clone(),
            texts: kept.iter().map(text).collect(),
            ids: kept.iter().filter_map(|&i| corpus.ids.get(i).cloned()).collect(),
            split: split(data, words.as_deref(), &targets, &filter)?,
            vectors: given_vectors::read(data, corpus.source_rows)?
                .map(|all| all.select(&rows))
                .transpose()?,
            targets,
            filter,
        })
    }

    fn check(&self) -> Result<()> {
        const FEWEST: usize = 10;
        for (part, rows) in [("training", &self.split.train), ("test", &self.split.test)] {
            if rows.len() < FEWEST {
                let problem =
                    format!("expected at least {FEWEST} {part} rows, found {}; add rows", rows.len());
                return Err(Error::setting("data.source", problem));
            }
        }
        Ok(())
    }

    /// All texts, in row order.
    pub(crate) fn all_texts(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }

    /// The weighted score of each row of `figures`.
    pub(crate) fn weighted(&self, figures: &Targets) -> Vec<f64> {
        figures.rows().map(|row| self.filter.weighted(row)).collect()
    }

    /// How far the oracle's second scores are from its first: the number of texts with both, and the mean absolute
    /// difference of each dimension.
    ///
    /// # Errors
    /// A file that cannot be read, or that shares no identifier with the corpus.
    pub(crate) fn retest(&self, path: &Path) -> Result<(usize, Vec<f64>)> {
        let mut again = read_labelled(path, &self.filter)?;
        if again.rows.is_empty() && !again.bad.is_empty() {
            return Err(again.bad.swap_remove(0).into());
        }
        let first: HashMap<&str, &[f64]> =
            self.ids.iter().map(String::as_str).zip(self.targets.rows()).collect();
        let mut sums = vec![0.0; self.filter.dimensions.len()];
        let mut texts = 0;
        for row in &again.rows {
            let Some(scores) = first.get(row.article.id.as_str()) else { continue };
            texts += 1;
            let differences = row.scores.iter().zip(*scores).map(|(a, b)| (a - b).abs());
            sums.iter_mut().zip(differences).for_each(|(sum, d)| *sum += d);
        }
        if texts == 0 {
            let problem = "expected identifiers of the corpus, found none of them; use the same `id`s";
            return Err(Error::setting("scores.relabelled", format!("{}: {problem}", path.display())));
        }
        sums.iter_mut().for_each(|sum| *sum /= texts as f64);
        Ok((texts, sums))
    }
}

/// Beside the texts come the scores, dimension by dimension, and where it is named the title.
fn config(source: &ScoresSource, filter: &Filter) -> CorpusConfig {
    let data = &source.data;
    let columns = filter.dimensions.iter().map(|d| d.column.as_ref().unwrap_or(&d.name));
    CorpusConfig {
        beside: columns.chain(&source.title).cloned().collect(),
        text: data.text.clone(),
        label: None,
        answers: None,
        split: data.split.clone(),
        id: source.id.clone(),
        limit: data.limit,
        seed: data.seed,
        dedup: data.dedup,
        drop_missing: data.drop_missing,
    }
}

/// The scores of the `i`th text, the row `row` of the source; none where one is blank.
fn scores_of(
    columns: &[Vec<Option<String>>],
    filter: &Filter,
    source: &str,
    i: usize,
    row: usize,
) -> Result<Option<Vec<f64>>> {
    let [low, high] = filter.range;
    let mut found = Vec::with_capacity(filter.dimensions.len());
    for (dimension, values) in filter.dimensions.iter().zip(columns) {
        let column = dimension.column.as_ref().unwrap_or(&dimension.name);
        let cell = values.get(i).and_then(|cell| cell.as_deref()).map(str::trim);
        let Some(text) = cell.filter(|text| !text.is_empty()) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(score) if (low..=high).contains(&score) => found.push(score),
            _ => {
                let problem = format!(
                    "column `{column}`, row {row}: expected a number from {low} to {high}, found {text:?}; repair the \
                     row, or widen `range` in the filter"
                );
                return Err(Error::setting(source, problem));
            }
        }
    }
    Ok(Some(found))
}

fn split(data: &Data, words: Option<&[String]>, targets: &Targets, filter: &Filter) -> Result<Split> {
    if let Some(words) = words {
        return Ok(Split::from_column(words)?);
    }
    let fractions = Fractions::new(data.train, data.val, data.test)?;
    if !data.stratify {
        return Ok(Split::random(targets.n(), fractions, data.seed)?);
    }
    let weighted: Vec<f64> = targets.rows().map(|row| filter.weighted(row)).collect();
    let codes: Vec<usize> = match filter.tiers.is_empty() {
        false => weighted.iter().map(|w| filter.tier_index(*w).unwrap_or(filter.tiers.len())).collect(),
        true => {
            let mut order: Vec<usize> = (0..weighted.len()).collect();
            let value = |i: &usize| weighted.get(*i).copied().unwrap_or_default();
            order.sort_by(|a, b| value(a).total_cmp(&value(b)));
            let mut codes = vec![0; weighted.len()];
            for (place, row) in order.into_iter().enumerate() {
                if let Some(code) = codes.get_mut(row) {
                    *code = place * GROUPS / weighted.len();
                }
            }
            codes
        }
    };
    Ok(Split::stratified(&codes, fractions, data.seed)?)
}
