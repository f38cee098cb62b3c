use super::column_names;
use super::groups::groups;
use super::shingles::words;
use crate::{Error, Fractions, Result, Rows, Split, Table, shuffle};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// Queries and the passages that answer them, one pair a row; each passage is kept once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPairs {
    /// The queries, `[n]`.
    pub queries: Vec<String>,
    /// The passages, `[m]`, all different.
    pub passages: Vec<String>,
    /// The passage of each query, `[n]`, a row of `passages`.
    pub positive: Vec<usize>,
    /// The document of each pair, `[n]`, counted from 0: pairs that share a document, a passage or a query, case and
    /// punctuation aside, are of one.
    pub groups: Vec<usize>,
    /// The word of the split column of each pair, `[n]`.
    pub split: Option<Vec<String>>,
    /// What was left out.
    pub dropped: DroppedPairs,
}

/// Rows of a source that became no pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DroppedPairs {
    /// Without a query or a passage.
    pub missing: usize,
    /// The same query and passage as a row before.
    pub repeated: usize,
    /// Over the limit.
    pub limited: usize,
}

/// Which columns make a pair, and which rows are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairColumns {
    /// Column of the queries; without it the first known name there is, such as `question`, `query` or `anchor`.
    pub query: Option<String>,
    /// Column of the passages; without it the first known name there is, such as `passage`, `context` or `answer`.
    pub passage: Option<String>,
    /// Column of the source document; without it the first known name there is, such as `document_id`; without either
    /// the passage stands for it.
    pub document: Option<String>,
    /// Column of words that [`Split::from_column`] takes.
    pub split: Option<String>,
    /// At most so many rows, drawn.
    pub limit: Option<usize>,
    /// Seed of the draw.
    pub seed: u64,
    /// Leaves rows without a query or a passage out instead of refusing them.
    pub drop_missing: bool,
}

type Values = Vec<Option<String>>;

impl TextPairs {
    /// Reads the pairs of Parquet, CSV, TSV or JSONL files.
    ///
    /// # Errors
    /// As [`Table::read_all`]; [`Error::Column`] for a column that is not there, [`Error::Missing`] for a row without a
    /// query or a passage, [`Error::Split`] for a word that is no part, [`Error::Corpus`] where no pair is left.
    pub fn read(paths: &[PathBuf], columns: &PairColumns) -> Result<Self> {
        let there = names(paths)?;
        let query = chosen(paths, "query", columns.query.as_ref(), column_names::QUERY, &there, None)?;
        let passage =
            chosen(paths, "passage", columns.passage.as_ref(), column_names::PASSAGE, &there, Some(&query))?;
        let free = |name: &&&str| **name != query && **name != passage && there.iter().any(|t| t == **name);
        let document = columns
            .document
            .clone()
            .or_else(|| column_names::DOCUMENT.iter().find(free).map(|n| n.to_string()));
        let mut wanted = vec![query.as_str(), passage.as_str()];
        wanted.extend([&document, &columns.split].into_iter().flatten().map(String::as_str));
        wanted.sort_unstable();
        wanted.dedup();
        let mut table = Table::read_all(paths, &wanted)?;
        let column = |name: &Option<String>| {
            name.as_ref().map(|name| table.column(name).map(<[_]>::to_vec)).transpose()
        };
        let (documents, split) = (column(&document)?, column(&columns.split)?);
        let (queries, passages) = (table.take_column(&query)?, table.take_column(&passage)?);
        if !columns.drop_missing {
            for (name, values) in [(&query, &queries), (&passage, &passages)] {
                if let Some(row) = values.iter().position(blank) {
                    return Err(Error::Missing { column: name.clone(), row });
                }
            }
        }
        if let Some((name, words)) = columns.split.as_deref().zip(split.as_ref()) {
            let pair = |row: &usize| !blank(&queries[*row]) && !blank(&passages[*row]);
            let word = |row: usize| (row, words[row].as_deref().unwrap_or_default());
            Split::check_column(name, (0..words.len()).filter(pair).map(word))?;
        }
        let mut pairs = Self::of_columns(queries, passages, documents, split);
        if let Some(limit) = columns.limit.filter(|limit| *limit < pairs.queries.len()) {
            pairs = pairs.drawn(limit, columns.seed);
        }
        match pairs.queries.is_empty() {
            true => Err(Error::Corpus {
                problem: format!(
                    "{}: expected pairs of a query and a passage, found none in {} rows",
                    table.source(),
                    table.n()
                ),
            }),
            false => Ok(pairs),
        }
    }

    pub(super) fn of_columns(
        queries: Values,
        passages: Values,
        documents: Option<Values>,
        split: Option<Values>,
    ) -> Self {
        let (mut dropped, mut seen, mut rows) = (DroppedPairs::default(), HashSet::new(), Vec::new());
        for (row, pair) in queries.iter().zip(&passages).enumerate() {
            if blank(pair.0) || blank(pair.1) {
                dropped.missing += 1;
            } else if !seen.insert(pair) {
                dropped.repeated += 1;
            } else {
                rows.push(row);
            }
        }
        let documents = documents.unwrap_or_else(|| vec![None; queries.len()]);
        Self::of_rows(&rows, &queries, &passages, &documents, split.as_ref(), dropped)
    }

    fn of_rows(
        rows: &[usize],
        queries: &Values,
        passages: &Values,
        documents: &Values,
        split: Option<&Values>,
        dropped: DroppedPairs,
    ) -> Self {
        let of = |values: &Values| -> Vec<String> {
            rows.iter().map(|&row| values[row].clone().unwrap_or_default()).collect()
        };
        // Case and punctuation make no other text.
        let alike = |values: &Values| -> Vec<Option<String>> {
            rows.iter().map(|&row| values[row].as_deref().map(|text| words(text).join(" "))).collect()
        };
        let documents = rows.iter().map(|&row| documents[row].clone()).collect();
        let groups = groups(rows.len(), &[documents, alike(passages), alike(queries)]);
        let (mut distinct, mut places) = (Vec::new(), HashMap::new());
        let positive = rows
            .iter()
            .map(|&row| {
                *places.entry(passages[row].as_deref()).or_insert_with(|| {
                    distinct.push(passages[row].clone().unwrap_or_default());
                    distinct.len() - 1
                })
            })
            .collect();
        Self { queries: of(queries), passages: distinct, positive, groups, split: split.map(of), dropped }
    }

    /// `limit` of the pairs, drawn with `seed`, in their order.
    fn drawn(self, limit: usize, seed: u64) -> Self {
        let n = self.queries.len();
        let mut rows: Vec<usize> = shuffle::order(n, seed).into_iter().take(limit).collect();
        rows.sort_unstable();
        let some = |values: Vec<String>| -> Values { values.into_iter().map(Some).collect() };
        let passages = self.positive.iter().map(|&p| self.passages.get(p).cloned()).collect();
        let documents = some(self.groups.iter().map(usize::to_string).collect());
        let dropped = DroppedPairs { limited: n - limit, ..self.dropped };
        Self::of_rows(
            &rows,
            &some(self.queries),
            &passages,
            &documents,
            self.split.map(some).as_ref(),
            dropped,
        )
    }

    /// Takes the split the pairs came with, or draws one in which no document is in two parts.
    ///
    /// # Errors
    /// [`Error::Split`] for an unknown word, or fewer documents than parts.
    pub fn split(&self, fractions: Fractions, seed: u64) -> Result<Split> {
        match &self.split {
            Some(words) => Split::from_column(words),
            None => Split::grouped(&vec![0; self.groups.len()], &self.groups, fractions, seed),
        }
    }
}

fn blank(value: &Option<String>) -> bool {
    value.as_ref().is_none_or(|v| v.trim().is_empty())
}

/// The columns of strings in the first file.
fn names(paths: &[PathBuf]) -> Result<Vec<String>> {
    let Some(first) = paths.first() else { return Ok(Vec::new()) };
    let rows = Rows::open(first, &[], 1)?;
    Ok(rows.names())
}

fn chosen(
    paths: &[PathBuf],
    what: &str,
    given: Option<&String>,
    known: &[&str],
    there: &[String],
    taken: Option<&String>,
) -> Result<String> {
    if let Some(name) = given {
        return Ok(name.clone());
    }
    let found = known.iter().find(|name| there.iter().any(|t| t == *name && Some(t) != taken));
    found.map(|name| name.to_string()).ok_or_else(|| {
        let source = paths.first().map_or_else(String::new, |p| p.display().to_string());
        Error::column(source, what, there.to_vec())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(name: &str, text: &str) -> (tempfile::TempDir, Vec<PathBuf>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        (dir, vec![path])
    }

    #[test]
    fn questions_and_answers_are_found_by_their_usual_names() {
        let text = "{\"id\": 1, \"question\": \"a?\", \"answer\": \"A\"}\n{\"question\": \"b?\", \"answer\": \"A\"}\n";
        let (_dir, paths) = written("qa.jsonl", text);
        let pairs = TextPairs::read(&paths, &PairColumns::default()).unwrap();
        assert_eq!((pairs.queries.len(), pairs.passages.as_slice()), (2, ["A".to_string()].as_slice()));
        assert_eq!((pairs.positive, pairs.groups), (vec![0, 0], vec![0, 0]));
    }

    #[test]
    fn columns_of_other_names_are_given_and_the_document_groups() {
        let (_dir, paths) = written("x.csv", "frage,antwort,akte\na,A,1\nb,B,2\nc,C,1\na,A,1\n");
        let name = |n: &str| Some(n.to_string());
        let columns = PairColumns {
            query: name("frage"),
            passage: name("antwort"),
            document: name("akte"),
            ..PairColumns::default()
        };
        let pairs = TextPairs::read(&paths, &columns).unwrap();
        assert_eq!((pairs.groups, pairs.dropped.repeated), (vec![0, 1, 0], 1));
        let e = TextPairs::read(&paths, &PairColumns::default()).unwrap_err().to_string();
        assert!(e.contains("`query`") && e.contains("`frage`"), "{e}");
    }

    #[test]
    fn a_row_without_an_answer_is_refused_or_left_out() {
        let (_dir, paths) = written("x.csv", "query,passage\na,A\nb,\n");
        let e = TextPairs::read(&paths, &PairColumns::default()).unwrap_err();
        assert!(matches!(e, Error::Missing { row: 1, .. }), "{e}");
        let columns = PairColumns { drop_missing: true, ..PairColumns::default() };
        let pairs = TextPairs::read(&paths, &columns).unwrap();
        assert_eq!((pairs.queries.len(), pairs.dropped.missing), (1, 1));
    }

    #[test]
    fn a_limit_keeps_passages_once_and_documents_apart() {
        let rows: String = (0..40).map(|i| format!("q{i},p{},d{}\n", i % 20, i % 5)).collect();
        let (_dir, paths) = written("x.csv", &format!("query,passage,doc\n{rows}"));
        let columns =
            PairColumns { document: Some("doc".into()), limit: Some(15), seed: 3, ..PairColumns::default() };
        let pairs = TextPairs::read(&paths, &columns).unwrap();
        assert_eq!((pairs.queries.len(), pairs.dropped.limited), (15, 25));
        assert!(pairs.positive.iter().all(|&p| p < pairs.passages.len()));
        for (row, query) in pairs.queries.iter().enumerate() {
            let i: usize = query[1..].parse().unwrap();
            assert_eq!(pairs.passages[pairs.positive[row]], format!("p{}", i % 20));
            let same = |other: usize| pairs.queries[other][1..].parse::<usize>().unwrap() % 5 == i % 5;
            assert!((0..15).all(|other| same(other) == (pairs.groups[other] == pairs.groups[row])));
        }
    }

    proptest! {
        #[test]
        fn no_passage_query_or_document_is_in_two_parts_of_a_drawn_split(
            rows in prop::collection::vec((0usize..120, 0usize..90, 0usize..75), 12..120), seed: u64,
        ) {
            let of = |i: usize| -> Values {
                rows.iter().map(|r| Some([r.0, r.1, r.2][i].to_string())).collect()
            };
            let pairs = TextPairs::of_columns(of(0), of(1), Some(of(2)), None);
            let distinct = pairs.groups.iter().collect::<HashSet<_>>().len();
            prop_assume!(distinct >= 3);
            let split = pairs.split(Fractions::new(0.6, 0.2, 0.2).unwrap(), seed).unwrap();
            let leaks = super::super::LeakReport::of(&pairs, &split);
            prop_assert!(leaks.documents == 0 && leaks.passages.exact == 0 && leaks.queries.exact == 0);
            prop_assert!([&split.train, &split.val, &split.test].iter().all(|p| !p.is_empty()));
            let all = split.train.len() + split.val.len() + split.test.len();
            prop_assert_eq!(all, pairs.queries.len());
        }
    }
}
