use crate::{Error, Result, Split, Table, shuffle};
use manyview_core::{Fingerprint, FingerprintBuilder};
use std::collections::{HashMap, HashSet};

/// Which columns of a table make a corpus, and which rows stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorpusConfig {
    /// Column of texts.
    pub text: String,
    /// Column of labels.
    pub label: Option<String>,
    /// Column of answers to the question of the instruction; rows may lack one.
    pub answers: Option<String>,
    /// Column that says which rows are for training, validation and test.
    pub split: Option<String>,
    /// Column of identifiers, all different; without it a row is called by its number.
    pub id: Option<String>,
    /// Most rows to keep, drawn at random.
    pub limit: Option<usize>,
    /// Seed of that draw.
    pub seed: u64,
    /// Whether a text that was there before is left out.
    pub dedup: bool,
    /// Whether a row without text, label, split or identifier is left out rather than refused.
    pub drop_missing: bool,
}

/// Texts to look at, `[n]`, and what belongs to each. Rows keep the order of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    /// The texts; none is blank.
    pub texts: Vec<String>,
    /// A name for each text, all different.
    pub ids: Vec<String>,
    /// The source row of each text, from 0.
    pub rows: Vec<usize>,
    /// The label of each text.
    pub label: Option<Vec<String>>,
    /// The answer for each text, where there is one.
    pub answers: Option<Vec<Option<String>>>,
    /// What each text is for; see [`Split::from_column`](crate::Split::from_column).
    pub split: Option<Vec<String>>,
    /// Changes whenever a text, a label, an answer, a split word or their order does.
    pub fingerprint: Fingerprint,
    /// What was left out.
    pub dropped: Dropped,
}

/// Rows that were left out, by reason; a row counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Without a value where one is needed.
    pub missing: usize,
    /// With the text of an earlier row.
    pub duplicates: usize,
    /// Beyond the limit.
    pub limited: usize,
}

impl Corpus {
    /// Texts without anything beside them, each called by its number.
    pub fn of_texts(texts: Vec<String>) -> Self {
        let rows: Vec<usize> = (0..texts.len()).collect();
        let ids = rows.iter().map(usize::to_string).collect();
        let mut corpus = Self {
            texts,
            ids,
            rows,
            label: None,
            answers: None,
            split: None,
            fingerprint: Fingerprint::builder("corpus/1").finish(),
            dropped: Dropped::default(),
        };
        corpus.fingerprint = corpus.identity();
        corpus
    }
}

type Column<'a> = &'a [Option<String>];

impl Corpus {
    /// Takes the rows of `table` that `config` asks for. Blank counts as missing.
    ///
    /// # Errors
    /// [`Error::Column`], [`Error::Missing`] naming the first row without a value unless `drop_missing` is set,
    /// [`Error::Split`] for a split column that [`Split::from_column`] does not take, and [`Error::Corpus`] when no row is
    /// left or an identifier comes twice.
    pub fn from_table(table: &Table, config: &CorpusConfig) -> Result<Self> {
        let column = |name: &Option<String>| name.as_deref().map(|name| table.column(name)).transpose();
        let texts = table.column(&config.text)?;
        let (label, split, id) = (column(&config.label)?, column(&config.split)?, column(&config.id)?);
        let answers = column(&config.answers)?;
        let mut needed = vec![(config.text.as_str(), texts)];
        for (name, values) in [(&config.label, label), (&config.split, split), (&config.id, id)] {
            needed.extend(name.as_deref().zip(values));
        }
        let mut dropped = Dropped::default();
        let mut rows = present(table.n(), &needed, config.drop_missing)?;
        dropped.missing = table.n() - rows.len();
        if config.dedup {
            let (before, mut seen) = (rows.len(), HashSet::new());
            rows.retain(|&row| seen.insert(&texts[row]));
            dropped.duplicates = before - rows.len();
        }
        if let Some(limit) = config.limit {
            let before = rows.len();
            rows = sample(rows, limit, config.seed);
            dropped.limited = before - rows.len();
        }
        if rows.is_empty() {
            return Err(Error::Corpus { problem: nothing_left(table, dropped) });
        }
        if let Some((name, words)) = config.split.as_deref().zip(split) {
            Split::check_column(name, rows.iter().filter_map(|&row| Some((row, words[row].as_deref()?))))?;
        }
        let take =
            |values: Column| -> Vec<String> { rows.iter().filter_map(|&row| values[row].clone()).collect() };
        let ids = id.map_or_else(|| rows.iter().map(usize::to_string).collect(), take);
        differ(&ids, &rows)?;
        let mut corpus = Self {
            texts: take(texts),
            ids,
            label: label.map(take),
            answers: answers.map(|values| rows.iter().map(|&row| values[row].clone()).collect()),
            split: split.map(take),
            fingerprint: Fingerprint::builder("corpus/1").finish(),
            dropped,
            rows,
        };
        corpus.fingerprint = corpus.identity();
        Ok(corpus)
    }

    fn identity(&self) -> Fingerprint {
        let mut identity = Fingerprint::builder("corpus/1");
        let add = |f: FingerprintBuilder, name, values: &[String]| {
            values.iter().fold(f, |f, value| f.field(name, value.as_bytes()))
        };
        identity = add(identity, "text", &self.texts);
        identity = add(identity, "label", self.label.as_deref().unwrap_or_default());
        identity = add(identity, "split", self.split.as_deref().unwrap_or_default());
        for answer in self.answers.iter().flatten() {
            identity = match answer {
                Some(answer) => identity.field("answer", answer.as_bytes()),
                None => identity.field("no answer", b""),
            };
        }
        identity.finish()
    }
}

/// The rows that have a value in every needed column.
fn present(n: usize, needed: &[(&str, Column)], drop_missing: bool) -> Result<Vec<usize>> {
    let mut rows = Vec::with_capacity(n);
    for row in 0..n {
        let blank = |values: Column| values[row].as_ref().is_none_or(|v| v.trim().is_empty());
        match needed.iter().find(|(_, values)| blank(values)) {
            None => rows.push(row),
            Some(_) if drop_missing => {}
            Some((column, _)) => return Err(Error::Missing { column: (*column).into(), row }),
        }
    }
    Ok(rows)
}

/// At most `limit` of `rows`, drawn with `seed`, in their order.
fn sample(rows: Vec<usize>, limit: usize, seed: u64) -> Vec<usize> {
    let mut drawn: Vec<usize> =
        shuffle::order(rows.len(), seed).into_iter().take(limit).map(|i| rows[i]).collect();
    drawn.sort_unstable();
    drawn
}

fn differ(ids: &[String], rows: &[usize]) -> Result<()> {
    let mut seen = HashMap::new();
    for (id, row) in ids.iter().zip(rows) {
        if let Some(first) = seen.insert(id, row) {
            let problem =
                format!("rows {first} and {row} have the same identifier `{id}`; name another column");
            return Err(Error::Corpus { problem });
        }
    }
    Ok(())
}

fn nothing_left(table: &Table, dropped: Dropped) -> String {
    let (source, n, Dropped { missing, limited, .. }) = (table.source(), table.n(), dropped);
    match n {
        0 => format!("{source}: expected rows of texts, found only the names of columns; add rows"),
        _ => format!(
            "{source}: no row is left of {n}: {missing} lack a value, {limited} are beyond the limit; repair the rows \
             or raise the limit"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> CorpusConfig {
        CorpusConfig {
            text: "text".into(),
            label: Some("label".into()),
            answers: None,
            split: None,
            id: None,
            limit: None,
            seed: 1,
            dedup: false,
            drop_missing: false,
        }
    }

    fn table(rows: &[(&str, &str)]) -> Table {
        let value = |v: &str| (!v.is_empty()).then(|| v.to_string());
        Table::of_columns(
            "memory",
            vec![
                ("text".into(), rows.iter().map(|r| value(r.0)).collect()),
                ("label".into(), rows.iter().map(|r| value(r.1)).collect()),
            ],
        )
    }

    #[test]
    fn a_missing_label_is_refused_with_its_row_and_the_cure() {
        let e = Corpus::from_table(&table(&[("a", "x"), ("b", "")]), &config()).unwrap_err().to_string();
        assert!(e.contains("`label`, row 1") && e.contains("drop_missing"), "{e}");
    }

    #[test]
    fn rows_without_a_value_are_left_out_and_counted_on_request() {
        let t = table(&[("a", "x"), ("  ", "y"), ("c", ""), ("d", "z")]);
        let c = Corpus::from_table(&t, &CorpusConfig { drop_missing: true, ..config() }).unwrap();
        assert_eq!((c.rows.as_slice(), c.dropped.missing), ([0, 3].as_slice(), 2));
        assert_eq!((c.ids, c.label), (vec!["0".to_string(), "3".into()], Some(vec!["x".into(), "z".into()])));
    }

    #[test]
    fn of_equal_texts_the_first_stays() {
        let t = table(&[("a", "x"), ("b", "y"), ("a", "z")]);
        let c = Corpus::from_table(&t, &CorpusConfig { dedup: true, ..config() }).unwrap();
        assert_eq!((c.rows, c.dropped.duplicates), (vec![0, 1], 1));
    }

    #[test]
    fn a_limit_draws_rows_and_keeps_their_order() {
        let names: Vec<String> = (0..50).map(|i| format!("t{i}")).collect();
        let t = table(&names.iter().map(|n| (n.as_str(), "x")).collect::<Vec<_>>());
        let of = |seed| Corpus::from_table(&t, &CorpusConfig { limit: Some(10), seed, ..config() }).unwrap();
        let c = of(3);
        assert!(c.rows.is_sorted() && c.rows.len() == 10 && c.dropped.limited == 40);
        assert_ne!(c.rows, (0..10).collect::<Vec<_>>());
        assert_eq!(c, of(3));
        assert_ne!(c.fingerprint, of(4).fingerprint);
    }

    #[test]
    fn nothing_left_is_an_error() {
        let e = Corpus::from_table(&table(&[("", "x")]), &CorpusConfig { drop_missing: true, ..config() });
        assert!(e.unwrap_err().to_string().contains("1 lack a value"));
    }

    #[test]
    fn an_identifier_that_comes_twice_is_refused() {
        let t = table(&[("a", "x"), ("b", "y"), ("c", "x")]);
        let e = Corpus::from_table(&t, &CorpusConfig { id: Some("label".into()), ..config() }).unwrap_err();
        assert!(e.to_string().contains("rows 0 and 2"), "{e}");
    }

    #[test]
    fn a_word_that_is_no_part_is_refused_with_its_column_and_the_row_of_the_source() {
        let t = table(&[("a", "train"), ("a", "train"), ("b", "tset"), ("c", "test")]);
        let config = CorpusConfig { label: None, split: Some("label".into()), dedup: true, ..config() };
        let e = Corpus::from_table(&t, &config).unwrap_err().to_string();
        assert!(e.contains("column `label`, row 2") && e.contains("`tset`"), "{e}");
        let t = table(&[("a", "train"), ("b", "val")]);
        let e = Corpus::from_table(&t, &config).unwrap_err().to_string();
        assert!(e.contains("column `label`") && e.contains("no row says `test`"), "{e}");
    }

    #[test]
    fn the_fingerprint_follows_the_labels() {
        let of = |label| Corpus::from_table(&table(&[("a", label)]), &config()).unwrap().fingerprint;
        assert_ne!(of("x"), of("y"));
        assert_eq!(of("x"), of("x"));
    }
}
