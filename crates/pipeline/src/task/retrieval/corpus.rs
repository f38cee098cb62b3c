use super::spec::RetrievalSource;
use crate::task::fetch_corpus;
use crate::{Environment, Error, Result, embedded};
use manyview_core::Progress;
use manyview_data::{Fractions, LeakReport, Split, TextPairs};

/// Pairs, split by document, with what the parts share all the same.
#[derive(Clone, Debug)]
pub struct SplitPairs {
    /// Name for people.
    pub name: String,
    /// Origin and licence, when known.
    pub origin: Option<String>,
    /// The pairs.
    pub pairs: TextPairs,
    /// Which pairs are for what.
    pub split: Split,
    /// What leaks between them.
    pub leaks: LeakReport,
}

impl SplitPairs {
    /// Reads and splits what `source` names.
    ///
    /// # Errors
    /// Files, columns or sizes that cannot be used, each with the cure.
    pub(crate) fn load(
        source: &RetrievalSource,
        environment: &Environment,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let RetrievalSource { data, columns } = source;
        let pairs = TextPairs::read(&fetch_corpus(data, environment, progress)?, columns)?;
        let split = pairs.split(Fractions::new(data.train, data.val, data.test)?, data.seed)?;
        if split.train.len() < 2 || split.test.len() < 2 {
            let (train, test) = (split.train.len(), split.test.len());
            let problem = format!("expected at least 2 training and 2 test pairs, found {train} and {test}");
            return Err(Error::setting(
                if data.split.is_some() { "data.split" } else { "data.test" },
                problem,
            ));
        }
        let leaks = LeakReport::of(&pairs, &split);
        if !leaks.is_clean() {
            tracing::warn!(
                documents = leaks.documents,
                passages = leaks.passages.exact + leaks.passages.near,
                queries = leaks.queries.exact + leaks.queries.near,
                "some texts stand in more than one part of the split, word for word or nearly"
            );
        }
        let origin = embedded::corpus(data).map(|corpus| corpus.origin.to_string());
        Ok(Self { name: data.source.clone(), origin, pairs, split, leaks })
    }

    /// The passage of each pair of `rows`.
    pub(crate) fn positive(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().filter_map(|&row| self.pairs.positive.get(row).copied()).collect()
    }

    /// The different passages of `rows`, ascending.
    pub(crate) fn passages(&self, rows: &[usize]) -> Vec<usize> {
        let mut passages = self.positive(rows);
        passages.sort_unstable();
        passages.dedup();
        passages
    }

    /// The number of documents.
    pub(crate) fn documents(&self) -> usize {
        self.pairs.groups.iter().max().map_or(0, |last| last + 1)
    }

    /// The different queries of `rows` with their first rows, and the passages that answer each, whichever row says so.
    pub(crate) fn questions(&self, rows: &[usize]) -> (Vec<usize>, Vec<Vec<usize>>) {
        let mut places = std::collections::HashMap::new();
        let (mut first, mut answers): (Vec<usize>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
        for &row in rows {
            let (query, positive) = (&self.pairs.queries[row], self.pairs.positive[row]);
            let place = *places.entry(query).or_insert_with(|| {
                first.push(row);
                answers.push(Vec::new());
                first.len() - 1
            });
            answers[place].push(positive);
        }
        (first, answers)
    }
}
