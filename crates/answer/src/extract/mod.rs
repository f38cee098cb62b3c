//! What can be listed from a text by rule: dates, numbers, names. English words and Arabic digits.

mod dates;
mod names;
mod numbers;

use crate::error::Result;
use dates::Dates;
use numbers::Numbers;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::Range;

/// What to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Extract {
    /// `7 February 2016`, `Feb. 7`, `2016-02-07`, `7/2/2016`, `2016`, `the 1990s`.
    Dates,
    /// `24`, `3.5%`, `$1,200`, `2 million`; not those of a date.
    Numbers,
    /// Words with capitals, where they do not only stand at the start of a sentence.
    Names,
}

/// The rules, read once.
#[derive(Clone, Debug)]
pub struct Extractor {
    dates: Dates,
    numbers: Numbers,
}

impl Extractor {
    /// Reads the rules.
    ///
    /// # Errors
    /// [`crate::Error::Rule`] for a mistake in them.
    pub fn new() -> Result<Self> {
        Ok(Self { dates: Dates::new()?, numbers: Numbers::new()? })
    }

    /// The bytes of each find in `text`, in order.
    ///
    /// ```
    /// use manyview_answer::{Extract, Extractor};
    ///
    /// let text = "On February 7, 2016 the Denver Broncos won 24–10. Denver was host in 1990.";
    /// let found = |what| Extractor::new().map(|rules| rules.distinct(text, what, |bytes| text[bytes].to_string()));
    /// assert_eq!(found(Extract::Dates)?, ["February 7, 2016", "1990"]);
    /// assert_eq!(found(Extract::Numbers)?, ["24", "10"]);
    /// assert_eq!(found(Extract::Names)?, ["Denver Broncos", "Denver"]);
    /// # Ok::<(), manyview_answer::Error>(())
    /// ```
    pub fn find(&self, text: &str, what: Extract) -> Vec<Range<usize>> {
        match what {
            Extract::Dates => self.dates.find(text),
            Extract::Numbers => self.numbers.find(text, &self.dates.find(text)),
            Extract::Names => names::find(text, &self.dates.find(text)),
        }
    }

    /// The finds without repetitions, each at its first place, through `make`.
    pub fn distinct<T>(&self, text: &str, what: Extract, make: impl Fn(Range<usize>) -> T) -> Vec<T> {
        let mut seen = HashSet::new();
        let finds = self.find(text, what).into_iter();
        finds.filter(|bytes| seen.insert(text.get(bytes.clone()).unwrap_or_default())).map(make).collect()
    }
}
