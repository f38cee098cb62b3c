use crate::{Error, Result};
use std::collections::BTreeMap;

/// Labels as numbers.
///
/// ```
/// # use manyview_data::Labels;
/// let labels = Labels::of(&["rain", "fog", "rain"]);
/// assert_eq!(labels.names, ["fog", "rain"]);
/// assert_eq!(labels.codes, [1, 0, 1]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The distinct labels, sorted.
    pub names: Vec<String>,
    /// The place of each row's label in `names`, `[n]`.
    pub codes: Vec<usize>,
}

impl Labels {
    /// Fewest rows that can be split and scored.
    const FEWEST: usize = 4;

    /// Numbers `labels`, one a row.
    pub fn of<S: AsRef<str>>(labels: &[S]) -> Self {
        let mut numbers: BTreeMap<&str, usize> = labels.iter().map(|l| (l.as_ref(), 0)).collect();
        numbers.values_mut().enumerate().for_each(|(code, number)| *number = code);
        let codes = labels.iter().filter_map(|l| numbers.get(l.as_ref()).copied()).collect();
        Self { names: numbers.into_keys().map(String::from).collect(), codes }
    }

    /// Whether something can be learnt from them; `column` is named in the error.
    ///
    /// # Errors
    /// [`Error::Labels`] for fewer than 4 rows, for one label throughout, and for a label of its own in every row.
    pub fn check(&self, column: &str) -> Result<()> {
        let refuse = |problem: String| Err(Error::Labels { column: column.into(), problem });
        match (self.codes.len(), self.names.as_slice()) {
            (n, _) if n < Self::FEWEST => {
                refuse(format!("expected at least {} rows, found {n}; add rows", Self::FEWEST))
            }
            (_, [only]) => refuse(format!("every row says `{only}`; expected at least two labels")),
            (n, names) if n == names.len() => refuse(format!(
                "all {n} rows differ; the column looks like an identifier, name one with classes"
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_throughout_is_refused() {
        let e = Labels::of(&["a"; 5]).check("topic").unwrap_err();
        assert!(e.to_string().contains("every row says `a`"), "{e}");
    }

    #[test]
    fn an_identifier_is_refused_as_a_label() {
        let e = Labels::of(&["a", "b", "c", "d"]).check("id").unwrap_err();
        assert!(e.to_string().contains("column `id`") && e.to_string().contains("identifier"), "{e}");
    }

    #[test]
    fn three_rows_are_too_few() {
        assert!(Labels::of(&["a", "b", "a"]).check("l").unwrap_err().to_string().contains("found 3"));
        assert!(Labels::of(&["a", "b", "a", "a"]).check("l").is_ok());
    }
}
