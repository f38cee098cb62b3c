use std::collections::HashMap;

use rayon::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::ranking::{Hit, Ranking, best};
use crate::error::{Error, Result, at_least};

/// Ranking by the words of texts, without vectors: the baseline that a view has to beat.
///
/// A document scores, for each word of the query (as often as it occurs there),
/// `ln(1 + (n - d + 0.5) / (d + 0.5)) * f / (f + k1 * (1 - b + b * length / mean length))`, where `d` of `n` documents
/// hold the word and this one holds it `f` times: Okapi BM25 as Lucene has it, with exact lengths. Words are those of
/// Unicode's word boundaries (UAX 29), in lower case; none are left out or stemmed.
///
/// ```
/// use manyview_eval::Bm25;
///
/// let index = Bm25::default().index(&["The cat sat.", "A dog barked.", "Cats and dogs."])?;
/// let ranking = index.search(&["Which dog?"], 10)?;
/// let found: Vec<usize> = ranking.hits().flatten().map(|hit| hit.document).collect();
/// assert_eq!(found, [1]); // documents without a word of the query are not found
/// # Ok::<(), manyview_eval::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bm25 {
    /// How slowly repeats of a word cease to count; from 0.
    pub k1: f64,
    /// How much long documents are discounted; from 0 to 1.
    pub b: f64,
}

/// Texts to search by their words, made by [`Bm25::index`].
#[derive(Clone, Debug)]
pub struct TextIndex {
    /// The documents with each word, and its weight in them.
    words: HashMap<String, Vec<(usize, f64)>>,
    documents: usize,
}

impl Default for Bm25 {
    /// `k1` 1.2, `b` 0.75, as Lucene.
    fn default() -> Self {
        Self { k1: 1.2, b: 0.75 }
    }
}

impl Bm25 {
    /// Counts the words of `texts`, one a document.
    ///
    /// # Errors
    /// [`Error::Range`] without texts, [`Error::Setting`] for `k1` or `b` outside its range.
    pub fn index<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Result<TextIndex> {
        at_least("documents", 1, texts.len())?;
        within("k1", "a finite number from 0", self.k1, f64::MAX)?;
        within("b", "a number from 0 to 1", self.b, 1.0)?;
        let counted: Vec<HashMap<String, usize>> =
            texts.par_iter().map(|text| counts(text.as_ref())).collect();
        let lengths: Vec<f64> = counted.iter().map(|words| words.values().sum::<usize>() as f64).collect();
        let mean = lengths.iter().sum::<f64>() / texts.len() as f64;

        let mut words: HashMap<String, Vec<(usize, f64)>> = HashMap::new();
        for (document, (counts, length)) in counted.into_iter().zip(lengths).enumerate() {
            let slowness = self.k1 * (1.0 - self.b + self.b * length / mean);
            for (word, count) in counts {
                let count = count as f64;
                words.entry(word).or_default().push((document, count / (count + slowness)));
            }
        }
        for postings in words.values_mut() {
            let holding = postings.len() as f64;
            let rarity = (1.0 + (texts.len() as f64 - holding + 0.5) / (holding + 0.5)).ln();
            postings.iter_mut().for_each(|(_, weight)| *weight *= rarity);
        }
        Ok(TextIndex { words, documents: texts.len() })
    }
}

impl TextIndex {
    /// The `k` best documents for each query; fewer where fewer share a word with it.
    ///
    /// # Errors
    /// [`Error::Range`] without queries or for a `k` of 0.
    pub fn search<S: AsRef<str> + Sync>(&self, queries: &[S], k: usize) -> Result<Ranking> {
        at_least("queries", 1, queries.len())?;
        at_least("documents to find", 1, k)?;
        let depth = k.min(self.documents);
        let found = |query: &S| {
            let mut scores = vec![0.0; self.documents];
            for (document, weight) in words(query.as_ref()).filter_map(|word| self.words.get(&word)).flatten()
            {
                scores[*document] += weight;
            }
            let hits = scores.into_iter().enumerate().filter(|(_, score)| *score > 0.0);
            best(hits.map(|(document, score)| Hit { document, score }).collect(), depth)
        };
        Ok(Ranking::new(queries.par_iter().map(found).collect(), depth, self.documents))
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.unicode_words().map(str::to_lowercase)
}

fn counts(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    words(text).for_each(|word| *counts.entry(word).or_default() += 1);
    counts
}

fn within(what: &'static str, expected: &'static str, found: f64, most: f64) -> Result<()> {
    if (0.0..=most).contains(&found) { Ok(()) } else { Err(Error::Setting { what, expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_unicode_in_lower_case() {
        let found: Vec<String> = words("Don't PANIC: naïve cafe\u{301}s, 3.5 Ärzte_x 東京!").collect();
        assert_eq!(found, ["don't", "panic", "naïve", "cafe\u{301}s", "3.5", "ärzte_x", "東", "京"]);
    }

    #[test]
    fn a_rare_word_weighs_more_and_a_short_document_wins() {
        let index = Bm25::default().index(&["a b", "a c", "a d d d", "a", ""]).unwrap();
        let first = |query: &str| index.search(&[query], 1).unwrap().hits().next().unwrap()[0].document;
        assert_eq!(first("a b"), 0);
        assert_eq!(first("a"), 3);
        assert_eq!(first("A! D?"), 2);
    }

    #[test]
    fn equal_texts_come_in_the_order_of_their_rows_and_strangers_not_at_all() {
        let index = Bm25::default().index(&["x y", "z", "y x", "x y"]).unwrap();
        let ranking = index.search(&["y x", "unknown", ""], 10).unwrap();
        let rows: Vec<Vec<usize>> = ranking.hits().map(|h| h.iter().map(|h| h.document).collect()).collect();
        assert_eq!(rows, [vec![0, 2, 3], vec![], vec![]]);
    }

    #[test]
    fn no_texts_and_settings_beyond_their_range_are_refused() {
        assert!(matches!(Bm25::default().index::<&str>(&[]), Err(Error::Range { .. })));
        let index = Bm25::default().index(&["", ""]).unwrap(); // without a word: nothing is found
        assert!(index.search(&["a"], 1).unwrap().hits().all(<[Hit]>::is_empty));
        assert!(matches!(index.search::<&str>(&[], 1), Err(Error::Range { .. })));
        assert!(matches!(index.search(&["a"], 0), Err(Error::Range { .. })));
        for (k1, b) in [(-1.0, 0.75), (f64::NAN, 0.75), (f64::INFINITY, 0.75), (1.2, 1.01)] {
            assert!(matches!(Bm25 { k1, b }.index(&["a"]), Err(Error::Setting { .. })), "{k1} {b}");
        }
    }
}
