use super::TrainingData;
use crate::{Error, Result, TextEncoder};
use manyview_core::{Error as CoreError, FingerprintBuilder};
use std::collections::HashMap;
use std::ops::Range;

/// The token ids of all texts: of queries, of passages, of negatives.
pub(super) struct TokenizedTexts {
    queries: Vec<Vec<u32>>,
    passages: Vec<Vec<u32>>,
    /// Of each pair, where its negatives begin and end.
    negatives: Vec<Range<usize>>,
    negative_texts: Vec<Vec<u32>>,
    pub(super) query_ids: Vec<usize>,
    passage_ids: Vec<usize>,
}

impl TokenizedTexts {
    pub(super) fn read(base: &TextEncoder, data: &TrainingData<'_>) -> Result<Self> {
        let n = data.queries.len();
        if n < 2 {
            let problem = format!("expected at least 2 pairs or texts, found {n}");
            return Err(Error::Setting { setting: "queries", problem });
        }
        let counts = (data.passages.len(), data.negatives.len());
        if counts != (0, 0) && counts != (n, 0) && counts != (n, n) {
            return Err(CoreError::Shape {
                what: "passages, and lists of negatives".into(),
                expected: format!("{n}, as many as queries, or none"),
                found: format!("{} and {}", data.passages.len(), data.negatives.len()),
            }
            .into());
        }
        let ids = |texts: &[&str]| base.plain_ids(texts);
        let rejected: Vec<&str> = data.negatives.iter().flatten().copied().collect();
        let mut end = 0;
        let negatives = (0..n).map(|i| {
            let start = end;
            end += data.negatives.get(i).map_or(0, Vec::len);
            start..end
        });
        let mut passages: HashMap<&str, usize> = HashMap::new();
        let mut number = |text| {
            let next = passages.len();
            *passages.entry(text).or_insert(next)
        };
        let passage_ids = data.passages.iter().chain(&rejected).map(|text| number(text)).collect();
        let mut queries: HashMap<&str, usize> = HashMap::new();
        let mut number = |text| {
            let next = queries.len();
            *queries.entry(text).or_insert(next)
        };
        let query_ids = data.queries.iter().map(|text| number(text)).collect();
        Ok(Self {
            queries: ids(data.queries)?,
            passages: ids(data.passages)?,
            negatives: negatives.collect(),
            negative_texts: ids(&rejected)?,
            query_ids,
            passage_ids,
        })
    }

    pub(super) fn examples(&self) -> usize {
        self.queries.len()
    }

    /// Ids of the queries, passages and negatives of these pairs, and the numbers of passages and negatives.
    pub(super) fn of(&self, pairs: &[usize]) -> (Vec<&[u32]>, Vec<usize>) {
        let rejected: Vec<usize> = pairs.iter().flat_map(|&pair| self.negatives[pair].clone()).collect();
        let texts = pairs
            .iter()
            .map(|&pair| &self.queries[pair])
            .chain(pairs.iter().filter_map(|&pair| self.passages.get(pair)))
            .chain(rejected.iter().map(|&i| &self.negative_texts[i]));
        let numbers = pairs.iter().copied().chain(rejected.iter().map(|i| self.examples() + i));
        (
            texts.map(Vec::as_slice).collect(),
            numbers.filter_map(|i| self.passage_ids.get(i).copied()).collect(),
        )
    }

    /// Adds all ids, and which text each is of, to what a run depends on.
    pub(super) fn identify(&self, mut key: FingerprintBuilder) -> FingerprintBuilder {
        let lists =
            [("queries", &self.queries), ("passages", &self.passages), ("negatives", &self.negative_texts)];
        for (name, texts) in lists {
            let mut hasher = blake3::Hasher::new();
            for ids in texts {
                hasher.update(&(ids.len() as u64).to_le_bytes());
                let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
                hasher.update(&bytes);
            }
            key = key.field(name, hasher.finalize().as_bytes());
        }
        let ends: Vec<u8> = self.negatives.iter().flat_map(|r| (r.end as u64).to_le_bytes()).collect();
        key.field("negatives of each", &ends)
    }
}
