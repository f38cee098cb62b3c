use crate::kept_rows::KeptRows;
use crate::places::parts;
use crate::{Error, Result, Rows, Split, Table, shuffle};
use manyview_core::{Fingerprint, FingerprintBuilder};
use std::collections::HashMap;
use std::path::PathBuf;

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
    /// Further columns to keep; rows may lack a value.
    pub beside: Vec<String>,
    /// Most rows to keep, drawn at random.
    pub limit: Option<usize>,
    /// Seed of that draw.
    pub seed: u64,
    /// Whether a text that was there before is left out.
    pub dedup: bool,
    /// Whether a row without text, label, split or identifier is left out rather than refused.
    pub drop_missing: bool,
}

impl CorpusConfig {
    /// The columns that are read, each once.
    fn columns(&self) -> Vec<&str> {
        let named = [&self.label, &self.answers, &self.split, &self.id].into_iter().flatten();
        let mut columns: Vec<&str> = Vec::new();
        for name in [&self.text].into_iter().chain(named).chain(&self.beside) {
            if !columns.contains(&name.as_str()) {
                columns.push(name);
            }
        }
        columns
    }
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
    /// The values of the further columns.
    pub beside: Vec<Vec<Option<String>>>,
    /// The file or files it was read from.
    pub source: String,
    /// Rows of the source, before any was left out.
    pub source_rows: usize,
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
            source_rows: texts.len(),
            texts,
            ids,
            rows,
            label: None,
            answers: None,
            split: None,
            beside: Vec::new(),
            source: String::new(),
            fingerprint: Fingerprint::builder("corpus/1").finish(),
            dropped: Dropped::default(),
        };
        corpus.fingerprint = corpus.identity();
        corpus
    }
}

/// What stands for a column where the names of files say the parts.
const PART: &str = "the names of the files";

/// Rows of a file that are in memory at once, beside those that stay.
const BATCH: usize = 1024;

impl Corpus {
    /// Reads files that [`Rows::open`] takes one after the other, and takes the rows that `config` asks for. Blank counts
    /// as missing, and so does NaN as a label. Files whose names say `train`, `test` and perhaps `validation` are those
    /// parts, where no column says otherwise. Memory holds the values that stay and a few rows besides; with a limit the
    /// files are read twice, the first time to count.
    ///
    /// # Errors
    /// As [`Table::read_all`]; [`Error::Missing`] naming the first row without a value unless `drop_missing` is set,
    /// [`Error::Split`] for a split column that [`Split::from_column`] does not take, and [`Error::Corpus`] when no row is
    /// left or an identifier comes twice.
    pub fn read(paths: &[PathBuf], config: &CorpusConfig) -> Result<Self> {
        let source = match paths {
            [] => return Err(Error::Corpus { problem: "no file to read".into() }),
            [path] => path.display().to_string(),
            [first, ..] => format!("{} and {} more", first.display(), paths.len() - 1),
        };
        let columns = config.columns();
        let parts = if config.split.is_none() { parts(paths) } else { None };
        let batches = || {
            let open = |(place, path): (usize, &PathBuf)| -> Box<dyn Iterator<Item = Result<Table>>> {
                let part = parts.as_ref().and_then(|parts| parts.get(place).copied());
                match (Rows::open(path, &columns, BATCH), part) {
                    (Ok(rows), None) => Box::new(rows),
                    (Ok(rows), Some(part)) => Box::new(rows.map(move |table| Ok(table?.with(PART, part)))),
                    (Err(e), _) => Box::new(std::iter::once(Err(e))),
                }
            };
            paths.iter().enumerate().flat_map(open)
        };
        let split = config.split.clone().or_else(|| parts.as_ref().map(|_| PART.into()));
        Self::gather(&source, batches, &CorpusConfig { split, ..config.clone() })
    }

    fn gather<T: Iterator<Item = Result<Table>>>(
        source: &str,
        batches: impl Fn() -> T,
        config: &CorpusConfig,
    ) -> Result<Self> {
        let drawn = match config.limit {
            Some(limit) => Some(sample(count(batches(), config)?, limit, config.seed)),
            None => None,
        };
        let mut kept = KeptRows::new(config);
        let mut corpus = Self {
            source: source.into(),
            label: config.label.is_some().then(Vec::new),
            answers: config.answers.is_some().then(Vec::new),
            split: config.split.is_some().then(Vec::new),
            beside: vec![Vec::new(); config.beside.len()],
            ..Self::of_texts(Vec::new())
        };
        let (mut place, mut drawn_places) = (0, drawn.iter().flatten().peekable());
        for table in batches() {
            let (table, first) = (table?, kept.rows);
            let mut rows = kept.of(&table)?;
            if drawn.is_some() {
                rows.retain(|_| {
                    place += 1;
                    drawn_places.next_if(|drawn| **drawn == place - 1).is_some()
                });
            }
            corpus.take(&table, first, &rows, config)?;
        }
        if drawn_places.next().is_some() {
            let problem = format!("{source}: it changed while it was read; run again");
            return Err(Error::Corpus { problem });
        }
        corpus.source_rows = kept.rows;
        corpus.dropped = kept.dropped;
        corpus.dropped.limited = place.saturating_sub(corpus.rows.len());
        corpus.check(config)?;
        corpus.fingerprint = corpus.identity();
        Ok(corpus)
    }

    /// Adds the `rows` of a table whose first row is the row `first` of the source.
    fn take(&mut self, table: &Table, first: usize, rows: &[usize], config: &CorpusConfig) -> Result<()> {
        let values = |name: &str, to: &mut Vec<String>| -> Result<()> {
            let column = table.column(name)?;
            to.extend(rows.iter().filter_map(|&row| column[row].clone()));
            Ok(())
        };
        values(&config.text, &mut self.texts)?;
        for (name, to) in [(&config.label, &mut self.label), (&config.split, &mut self.split)] {
            if let Some((name, to)) = name.as_deref().zip(to.as_mut()) {
                values(name, to)?;
            }
        }
        match &config.id {
            Some(name) => values(name, &mut self.ids)?,
            None => self.ids.extend(rows.iter().map(|row| (first + row).to_string())),
        }
        let answers = config.answers.iter().zip(self.answers.iter_mut());
        for (name, to) in answers.chain(config.beside.iter().zip(self.beside.iter_mut())) {
            let column = table.column(name)?;
            to.extend(rows.iter().map(|&row| column[row].clone()));
        }
        self.rows.extend(rows.iter().map(|row| first + row));
        Ok(())
    }

    fn check(&self, config: &CorpusConfig) -> Result<()> {
        if self.rows.is_empty() {
            return Err(Error::Corpus {
                problem: nothing_left(&self.source, self.source_rows, self.dropped),
            });
        }
        if let Some((name, words)) = config.split.as_deref().zip(self.split.as_ref()) {
            Split::check_column(name, self.rows.iter().copied().zip(words.iter().map(String::as_str)))?;
        }
        differ(&self.ids, &self.rows)
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

/// The number of rows that stay where there is no limit.
fn count(batches: impl Iterator<Item = Result<Table>>, config: &CorpusConfig) -> Result<usize> {
    let (mut kept, mut n) = (KeptRows::new(config), 0);
    for table in batches {
        n += kept.of(&table?)?.len();
    }
    Ok(n)
}

/// At most `limit` of the numbers `0..n`, drawn with `seed`, in order.
fn sample(n: usize, limit: usize, seed: u64) -> Vec<usize> {
    let mut drawn: Vec<usize> = shuffle::order(n, seed).into_iter().take(limit).collect();
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

fn nothing_left(source: &str, n: usize, dropped: Dropped) -> String {
    let Dropped { missing, limited, .. } = dropped;
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
            beside: Vec::new(),
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

    /// The corpus of a table that comes two rows at a time.
    fn corpus(table: &Table, config: &CorpusConfig) -> Result<Corpus> {
        let columns = || table.columns().into_iter().map(String::from);
        let piece = |from: usize| {
            let to = (from + 2).min(table.n());
            let columns = columns().map(|name| {
                let values = table.column(&name).unwrap()[from..to].to_vec();
                (name, values)
            });
            Ok(Table::of_columns("memory", columns.collect()))
        };
        Corpus::gather("memory", || (0..table.n()).step_by(2).map(piece), config)
    }

    #[test]
    fn a_missing_label_is_refused_with_its_row_and_the_cure() {
        let e = corpus(&table(&[("a", "x"), ("b", "")]), &config()).unwrap_err().to_string();
        assert!(e.contains("`label`, row 1") && e.contains("drop_missing"), "{e}");
    }

    #[test]
    fn rows_without_a_value_are_left_out_and_counted_on_request() {
        let t = table(&[("a", "x"), ("  ", "y"), ("c", ""), ("d", "z")]);
        let c = corpus(&t, &CorpusConfig { drop_missing: true, ..config() }).unwrap();
        assert_eq!((c.rows.as_slice(), c.dropped.missing), ([0, 3].as_slice(), 2));
        assert_eq!((c.ids, c.label), (vec!["0".to_string(), "3".into()], Some(vec!["x".into(), "z".into()])));
    }

    #[test]
    fn of_equal_texts_the_first_stays() {
        let t = table(&[("a", "x"), ("b", "y"), ("a", "z")]);
        let c = corpus(&t, &CorpusConfig { dedup: true, ..config() }).unwrap();
        assert_eq!((c.rows, c.dropped.duplicates), (vec![0, 1], 1));
    }

    #[test]
    fn a_limit_draws_rows_and_keeps_their_order() {
        let names: Vec<String> = (0..50).map(|i| format!("t{i}")).collect();
        let t = table(&names.iter().map(|n| (n.as_str(), "x")).collect::<Vec<_>>());
        let of = |seed| corpus(&t, &CorpusConfig { limit: Some(10), seed, ..config() }).unwrap();
        let c = of(3);
        assert!(c.rows.is_sorted() && c.rows.len() == 10 && c.dropped.limited == 40);
        assert_ne!(c.rows, (0..10).collect::<Vec<_>>());
        assert_eq!(c, of(3));
        assert_ne!(c.fingerprint, of(4).fingerprint);
    }

    #[test]
    fn nothing_left_is_an_error() {
        let e = corpus(&table(&[("", "x")]), &CorpusConfig { drop_missing: true, ..config() });
        assert!(e.unwrap_err().to_string().contains("1 lack a value"));
    }

    #[test]
    fn an_identifier_that_comes_twice_is_refused() {
        let t = table(&[("a", "x"), ("b", "y"), ("c", "x")]);
        let e = corpus(&t, &CorpusConfig { id: Some("label".into()), ..config() }).unwrap_err();
        assert!(e.to_string().contains("rows 0 and 2"), "{e}");
    }

    #[test]
    fn a_word_that_is_no_part_is_refused_with_its_column_and_the_row_of_the_source() {
        let t = table(&[("a", "train"), ("a", "train"), ("b", "tset"), ("c", "test")]);
        let config = CorpusConfig { label: None, split: Some("label".into()), dedup: true, ..config() };
        let e = corpus(&t, &config).unwrap_err().to_string();
        assert!(e.contains("column `label`, row 2") && e.contains("`tset`"), "{e}");
        let t = table(&[("a", "train"), ("b", "val")]);
        let e = corpus(&t, &config).unwrap_err().to_string();
        assert!(e.contains("column `label`") && e.contains("no row says `test`"), "{e}");
    }

    #[test]
    fn the_fingerprint_follows_the_labels() {
        let of = |label| corpus(&table(&[("a", label)]), &config()).unwrap().fingerprint;
        assert_ne!(of("x"), of("y"));
        assert_eq!(of("x"), of("x"));
    }
}
