use crate::config::Data;
use crate::task::fetch_corpus;
use crate::{Environment, Error, Result, embedded, given_vectors};
use manyview_core::{Embeddings, Progress};
use manyview_data::{Corpus, CorpusConfig, Fractions, Labels, Split};
use std::collections::BTreeSet;

/// A corpus, split, with what each stage may see of its labels.
///
/// Only the evaluation reads `truth` of validation and test rows, but for the check that test rows have labels to score;
/// teachers get `train_labels` and `train_answers`, which hold training rows only.
#[derive(Clone, Debug)]
pub struct SplitCorpus {
    /// Name for people.
    pub name: String,
    /// Origin and licence, when known.
    pub origin: Option<String>,
    /// The texts and what was dropped on the way.
    pub corpus: Corpus,
    /// Which rows are for what.
    pub split: Split,
    /// Rows of the source, before any was dropped.
    pub source_rows: usize,
    /// The labels, all rows: for scores only.
    pub(crate) truth: Labels,
    /// The vectors that came with the texts, `[n, dim]`, in place of an encoder's.
    pub vectors: Option<Embeddings>,
    /// The labels of the training rows, in the order of `split.train`.
    pub train_labels: Vec<String>,
    /// The answers of the training rows, in the order of `split.train`.
    pub train_answers: Option<Vec<Option<String>>>,
}

impl SplitCorpus {
    /// Reads and splits what `data` names.
    ///
    /// # Errors
    /// Files, columns, labels or sizes that cannot be used, each with the cure.
    pub fn load(data: &Data, environment: &Environment, progress: &dyn Progress) -> Result<Self> {
        if data.source.is_empty() {
            return Self::of_vectors(data);
        }
        let paths = fetch_corpus(data, environment, progress)?;
        let mut corpus = Corpus::read(&paths, &corpus_config(data))?;
        let labels = corpus.label.take().ok_or_else(|| Error::setting("data.label", "expected a column"))?;
        let truth = Labels::of(&labels);
        truth.check(&data.label)?;
        let split = split(data, &corpus, &truth)?;
        check(data, &split, &truth)?;
        let of_train = |i: &usize| labels.get(*i).cloned();
        let train_labels = split.train.iter().filter_map(of_train).collect();
        let train_answers = corpus
            .answers
            .take()
            .map(|answers| split.train.iter().map(|&i| answers.get(i).cloned().flatten()).collect());
        let embedded = embedded::corpus(data);
        let given = given_vectors::read(data, corpus.source_rows)?;
        Ok(Self {
            name: data.source.clone(),
            origin: embedded.map(|c| c.origin.to_string()),
            vectors: given.map(|all| all.select(&corpus.rows)).transpose()?,
            source_rows: corpus.source_rows,
            corpus,
            split,
            truth,
            train_labels,
            train_answers,
        })
    }

    /// Vectors without texts: rows to fit, without labels to score.
    fn of_vectors(data: &Data) -> Result<Self> {
        let Some(path) = &data.vectors else {
            return Err(Error::setting("data.source", "expected a corpus, or data.vectors; found neither"));
        };
        let vectors = manyview_data::read_vectors(path, &data.vectors_column)?;
        let names: Vec<String> = (0..vectors.n()).map(|row| format!("row {row}")).collect();
        let fractions = Fractions::new(data.train, data.val, data.test)?;
        let split = Split::random(vectors.n(), fractions, data.seed)?;
        Ok(Self {
            name: path.display().to_string(),
            origin: None,
            source_rows: vectors.n(),
            train_labels: Vec::new(),
            train_answers: None,
            truth: Labels::of(&[] as &[String]),
            split,
            corpus: Corpus::of_texts(names),
            vectors: Some(vectors),
        })
    }

    /// The texts at `rows`.
    pub fn texts(&self, rows: &[usize]) -> Vec<&str> {
        rows.iter().filter_map(|&i| self.corpus.texts.get(i)).map(String::as_str).collect()
    }

    /// The labels of `rows`, as codes: for scores only.
    pub(crate) fn truth_of(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().filter_map(|&i| self.truth.codes.get(i).copied()).collect()
    }

    /// All texts, in row order.
    pub fn all_texts(&self) -> Vec<&str> {
        self.corpus.texts.iter().map(String::as_str).collect()
    }
}

fn corpus_config(data: &Data) -> CorpusConfig {
    CorpusConfig {
        text: data.text.clone(),
        label: Some(data.label.clone()),
        answers: data.answers.clone(),
        split: data.split.clone(),
        id: None,
        beside: Vec::new(),
        limit: data.limit,
        seed: data.seed,
        dedup: data.dedup,
        drop_missing: data.drop_missing,
    }
}

/// That there is something to learn from and something to score, before anything is encoded.
fn check(data: &Data, split: &Split, truth: &Labels) -> Result<()> {
    const FEWEST: usize = 3;
    let key = if data.split.is_some() { "data.split" } else { "data.test" };
    let labels: BTreeSet<_> = split.test.iter().filter_map(|&i| truth.codes.get(i)).collect();
    let (n, classes) = (split.test.len(), labels.len());
    let problem = if split.train.len() < 2 {
        format!("expected at least 2 training rows, found {}", split.train.len())
    } else if n < FEWEST {
        format!("expected at least {FEWEST} test rows to score, found {n}")
    } else if classes < 2 || classes == n {
        format!(
            "expected at least 2 labels among the test rows, some of them shared, found {n} rows with {classes} in all"
        )
    } else {
        return Ok(());
    };
    Err(Error::setting(
        key,
        format!("{problem}, of {} in {}; add rows or change the split", truth.codes.len(), data.source),
    ))
}

fn split(data: &Data, corpus: &Corpus, truth: &Labels) -> Result<Split> {
    if let Some(column) = &corpus.split {
        return Ok(Split::from_column(column)?);
    }
    let fractions = Fractions::new(data.train, data.val, data.test)?;
    Ok(match data.stratify {
        true => Split::stratified(&truth.codes, fractions, data.seed)?,
        false => Split::random(corpus.texts.len(), fractions, data.seed)?,
    })
}
