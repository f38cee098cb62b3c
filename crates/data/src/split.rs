use crate::{Error, Result, shuffle};

/// Shares of training, validation and test rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fractions([f64; 3]);

impl Fractions {
    /// Shares that sum to 1; `val` may be 0.
    ///
    /// # Errors
    /// [`Error::Split`] for a share outside 0..=1, no training or test share, or another sum.
    pub fn new(train: f64, val: f64, test: f64) -> Result<Self> {
        let shares = [train, val, test];
        let fits = shares.iter().all(|s| (0.0..=1.0).contains(s)) && train > 0.0 && test > 0.0;
        if !fits || (train + val + test - 1.0).abs() > 1e-6 {
            return refuse(format!(
                "expected shares that sum to 1 with some for training and some for test, found train {train}, \
                 val {val}, test {test}"
            ));
        }
        Ok(Self(shares))
    }

    /// How many parts have a share.
    pub(crate) fn parts(self) -> usize {
        self.0.iter().filter(|&&share| share > 0.0).count()
    }

    /// Rows of each part for `n` rows, by largest remainder; no share above 0 goes without a row.
    pub(crate) fn counts(self, n: usize) -> Result<[usize; 3]> {
        let parts = self.parts();
        if n < parts {
            return refuse(format!("expected at least {parts} rows, one for each part, found {n}"));
        }
        let mut counts = self.0.map(|s| (s * n as f64 + 1e-9).floor() as usize);
        for _ in counts.iter().sum()..n {
            let part = furthest(&self.0.map(|s| s * n as f64), &counts, |_| true);
            counts[part] += 1;
        }
        for part in 0..3 {
            if self.0[part] > 0.0 && counts[part] == 0 {
                let most = (0..3).max_by_key(|&p| counts[p]).unwrap_or(0);
                counts[most] -= 1;
                counts[part] = 1;
            }
        }
        Ok(counts)
    }
}

/// Which rows are for what: sorted, disjoint, and together all rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Rows that may be learnt from.
    pub train: Vec<usize>,
    /// Rows that choose between settings.
    pub val: Vec<usize>,
    /// Rows that are scored once, at the end.
    pub test: Vec<usize>,
}

impl Split {
    /// Draws `n` rows without looking at their labels.
    ///
    /// # Errors
    /// [`Error::Split`] when there are fewer rows than parts.
    pub fn random(n: usize, fractions: Fractions, seed: u64) -> Result<Self> {
        let [train, val, _] = fractions.counts(n)?;
        let part = |place| usize::from(place >= train) + usize::from(place >= train + val);
        Ok(Self::of_parts(
            shuffle::order(n, seed).into_iter().enumerate().map(|(place, row)| (row, part(place))),
        ))
    }

    /// Draws rows so that each part holds its share of each label; `codes` gives the label of each row, `[n]`.
    ///
    /// The parts are as large as those of [`Split::random`], and the rows of one label in a part differ from its
    /// share by fewer than two, so a label of one or two rows is in some parts only. The rows, shuffled and then sorted
    /// by label, are dealt out one by one, each to the part that is furthest behind.
    ///
    /// # Errors
    /// [`Error::Split`] when there are fewer rows than parts.
    pub fn stratified(codes: &[usize], fractions: Fractions, seed: u64) -> Result<Self> {
        let n = codes.len();
        let totals = fractions.counts(n)?;
        let mut rows = shuffle::order(n, seed);
        rows.sort_by_key(|&row| codes[row]);
        let mut counts = [0; 3];
        Ok(Self::of_parts(rows.into_iter().enumerate().map(|(place, row)| {
            let due = totals.map(|total| total as f64 * (place + 1) as f64 / n as f64);
            let part = furthest(&due, &counts, |part| counts[part] < totals[part]);
            counts[part] += 1;
            (row, part)
        })))
    }

    /// Takes the split a data set comes with: `train`; `val`, `valid`, `validation` or `dev`; `test`, in any case.
    ///
    /// # Errors
    /// [`Error::Split`] naming the row of any other word, and for no training or no test row.
    pub fn from_column<S: AsRef<str>>(column: &[S]) -> Result<Self> {
        let words = column.iter().map(AsRef::as_ref).enumerate();
        Self::of_words(words, "")
    }

    /// The same of rows of a table whose column of that name says what they are for, refused with its name.
    ///
    /// # Errors
    /// As [`Split::from_column`].
    pub(crate) fn check_column<'a>(name: &str, words: impl Iterator<Item = (usize, &'a str)>) -> Result<()> {
        Self::of_words(words, &format!("column `{name}`, ")).map(drop)
    }

    fn of_words<'a>(words: impl Iterator<Item = (usize, &'a str)>, column: &str) -> Result<Self> {
        let mut parts = Vec::new();
        for (row, word) in words {
            let part = match word.trim().to_lowercase().as_str() {
                "train" => 0,
                "val" | "valid" | "validation" | "dev" => 1,
                "test" => 2,
                _ => {
                    return refuse(format!(
                        "{column}row {row}: expected `train`, `val`, `valid`, `validation`, `dev` or `test`, found \
                         `{word}`; repair the row or name another column"
                    ));
                }
            };
            parts.push((row, part));
        }
        let split = Self::of_parts(parts.into_iter());
        for (name, rows) in [("train", &split.train), ("test", &split.test)] {
            if rows.is_empty() {
                return refuse(format!(
                    "{column}no row says `{name}`; name another column or split by shares"
                ));
            }
        }
        Ok(split)
    }

    pub(crate) fn of_parts(rows: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut parts = [const { Vec::new() }; 3];
        rows.for_each(|(row, part)| parts[part].push(row));
        parts.iter_mut().for_each(|part| part.sort_unstable());
        let [train, val, test] = parts;
        Self { train, val, test }
    }
}

/// The open part whose count is furthest behind what it is due; the first of equals.
fn furthest(due: &[f64; 3], counts: &[usize; 3], open: impl Fn(usize) -> bool) -> usize {
    let behind = |part: usize| due[part] - counts[part] as f64;
    let better = |best: usize, part| if behind(part) > behind(best) + 1e-9 { part } else { best };
    (0..3).filter(|&part| open(part)).reduce(better).unwrap_or(0)
}

fn refuse<T>(problem: String) -> Result<T> {
    Err(Error::Split { problem })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sizes(s: &Split) -> [usize; 3] {
        [s.train.len(), s.val.len(), s.test.len()]
    }

    #[test]
    fn a_split_stays_the_same_from_release_to_release() {
        let s = Split::random(10, Fractions::new(0.6, 0.2, 0.2).unwrap(), 7).unwrap();
        assert_eq!((s.val, s.test), (vec![2, 8], vec![6, 9]));
    }

    #[test]
    fn shares_that_do_not_sum_to_one_are_refused() {
        for (train, val, test) in
            [(0.5, 0.2, 0.2), (1.0, 0.0, 0.0), (0.0, 0.5, 0.5), (1.2, -0.4, 0.2), (f64::NAN, 0.5, 0.5)]
        {
            assert!(Fractions::new(train, val, test).is_err(), "{train} {val} {test}");
        }
        assert!(Fractions::new(0.1 + 0.2, 0.3, 0.4).is_ok());
    }

    #[test]
    fn labels_are_dealt_to_the_part_that_is_furthest_behind() {
        let s = Split::stratified(&[0, 1, 2, 3, 4], Fractions::new(0.2, 0.2, 0.6).unwrap(), 1).unwrap();
        assert_eq!((s.train, s.val, s.test), (vec![1], vec![3], vec![0, 2, 4]));
    }

    #[test]
    fn a_part_without_a_share_needs_no_row() {
        let halves = Fractions::new(0.5, 0.0, 0.5).unwrap();
        assert_eq!(sizes(&Split::random(2, halves, 1).unwrap()), [1, 0, 1]);
        assert!(Split::random(1, halves, 1).is_err());
    }

    #[test]
    fn a_single_row_label_does_not_fail() {
        let f = Fractions::new(0.6, 0.2, 0.2).unwrap();
        let s = Split::stratified(&[0, 1, 1, 2, 2, 2, 2, 2, 3, 3], f, 1).unwrap();
        assert_eq!(sizes(&s), [6, 2, 2]);
    }

    #[test]
    fn a_row_left_over_goes_to_the_largest_remainder_and_none_to_a_part_without_a_share() {
        let counts = |train, val, test, n| Fractions::new(train, val, test).unwrap().counts(n).unwrap();
        assert_eq!(counts(0.55, 0.25, 0.2, 10), [6, 2, 2]);
        assert_eq!(counts(0.5, 0.26, 0.24, 10), [5, 3, 2]);
        assert_eq!(counts(0.9, 0.0, 0.1, 10), [9, 0, 1]);
        assert_eq!(counts(0.98, 0.01, 0.01, 3), [1, 1, 1]);
    }

    #[test]
    fn words_of_many_corpora_are_understood() {
        let s = Split::from_column(&["Train", "DEV", "test", "validation", "valid ", "val"]).unwrap();
        assert_eq!((s.train, s.val, s.test), (vec![0], vec![1, 3, 4, 5], vec![2]));
    }

    #[test]
    fn an_unknown_word_is_refused_with_its_row() {
        let e = Split::from_column(&["train", "tset"]).unwrap_err();
        assert!(e.to_string().contains("row 1") && e.to_string().contains("`tset`"), "{e}");
        let e = Split::from_column(&["train", "dev"]).unwrap_err();
        assert!(e.to_string().contains("no row says `test`"), "{e}");
    }

    proptest! {
        #[test]
        fn parts_are_disjoint_cover_all_rows_and_hold_their_share(
            codes in prop::collection::vec(0usize..6, 3..200),
            train in 0.2f64..0.8, of_rest in 0.1f64..0.9, seed: u64,
        ) {
            let n = codes.len();
            let val = (1.0 - train) * of_rest;
            let f = Fractions::new(train, val, 1.0 - train - val).unwrap();
            let random = Split::random(n, f, seed).unwrap();
            let stratified = Split::stratified(&codes, f, seed).unwrap();
            prop_assert_eq!(sizes(&random), sizes(&stratified));
            for s in [&random, &stratified] {
                let mut all = [s.train.clone(), s.val.clone(), s.test.clone()].concat();
                prop_assert!([&s.train, &s.val, &s.test].iter().all(|p| p.is_sorted() && !p.is_empty()));
                all.sort_unstable();
                prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
            }
            for label in 0..6 {
                let members = codes.iter().filter(|&&c| c == label).count() as f64;
                for rows in [&stratified.train, &stratified.val, &stratified.test] {
                    let held = rows.iter().filter(|&&r| codes[r] == label).count() as f64;
                    let share = members * rows.len() as f64 / n as f64;
                    prop_assert!((held - share).abs() < 2.0, "label {} holds {} for {}", label, held, share);
                }
            }
        }
    }
}
