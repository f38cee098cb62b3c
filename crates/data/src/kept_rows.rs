use crate::{CorpusConfig, Dropped, Error, Result, Table};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// Which rows of a source stay, as its tables come one after the other.
pub(crate) struct KeptRows<'a> {
    /// Columns that must have a value.
    needed: Vec<&'a str>,
    text: &'a str,
    label: Option<&'a str>,
    drop_missing: bool,
    /// Texts so far, where each stays once. 128 bits stand for a text: texts themselves are not kept for this.
    seen: Option<HashSet<(u64, u64)>>,
    keys: (RandomState, RandomState),
    /// Rows of the source so far.
    pub(crate) rows: usize,
    pub(crate) dropped: Dropped,
}

impl<'a> KeptRows<'a> {
    pub(crate) fn new(config: &'a CorpusConfig) -> Self {
        let needed = [&config.label, &config.split, &config.id].into_iter().flatten().map(String::as_str);
        Self {
            needed: [config.text.as_str()].into_iter().chain(needed).collect(),
            text: &config.text,
            label: config.label.as_deref(),
            drop_missing: config.drop_missing,
            seen: config.dedup.then(HashSet::new),
            keys: Default::default(),
            rows: 0,
            dropped: Dropped::default(),
        }
    }

    /// The places of the rows of the next table that stay.
    ///
    /// # Errors
    /// [`Error::Missing`] naming a row of the source without a value, where such rows are not left out.
    pub(crate) fn of(&mut self, table: &Table) -> Result<Vec<usize>> {
        let columns = self.needed.iter().map(|name| Ok((*name, table.column(name)?)));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let texts = table.column(self.text)?;
        let mut kept = Vec::with_capacity(table.n());
        for (place, text) in texts.iter().enumerate() {
            // A number that is none is no label, also where text was written of it.
            let blank = |name: &str, values: &[Option<String>]| {
                let none = |v: &String| v.trim().is_empty() || (self.label == Some(name) && is_nan(v));
                values[place].as_ref().is_none_or(none)
            };
            match columns.iter().find(|(name, values)| blank(name, values)) {
                Some(_) if self.drop_missing => self.dropped.missing += 1,
                Some((column, _)) => {
                    return Err(Error::Missing { column: (*column).into(), row: self.rows + place });
                }
                None => {
                    let hash = (self.keys.0.hash_one(text), self.keys.1.hash_one(text));
                    if self.seen.as_mut().is_none_or(|seen| seen.insert(hash)) {
                        kept.push(place);
                    } else {
                        self.dropped.duplicates += 1;
                    }
                }
            }
        }
        self.rows += table.n();
        Ok(kept)
    }
}

fn is_nan(value: &str) -> bool {
    matches!(value.trim(), "NaN" | "nan" | "NAN" | "-nan" | "-NaN")
}
