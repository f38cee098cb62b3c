//! Exact match and F1 of answers, as SQuAD's scripts count them.

mod normalize;
mod threshold;

use crate::error::{Result, at_least};
pub use normalize::normalize_answer;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
pub use threshold::BestThreshold;

/// The score of one question's answer, by the rules of SQuAD 2.0, which on questions with an answer are those of 1.1.
///
/// ```
/// use manyview_eval::AnswerScore;
///
/// let score = AnswerScore::of("the Broncos of Denver", &["Denver Broncos", "Broncos"]);
/// assert_eq!((score.exact, score.f1), (0.0, 0.8)); // the better of both
/// assert_eq!(AnswerScore::of("The Broncos!", &["Broncos"]).exact, 1.0);
/// assert_eq!(AnswerScore::of::<&str>("", &[]).exact, 1.0); // no answer, and none was expected
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerScore {
    /// 1 where the normalised answer is a normalised gold, else 0.
    pub exact: f64,
    /// The harmonic mean of precision and recall over bags of words.
    pub f1: f64,
    /// Whether a gold was given: the question can be answered from its text.
    pub has_answer: bool,
    /// Whether an answer was predicted: the text is not empty.
    pub predicted: bool,
    /// How likely it is that the text has no answer, by any measure that grows with it; 0 until
    /// [`AnswerScore::with_no_answer`].
    pub no_answer: f64,
}

impl AnswerScore {
    /// The score of a predicted answer, the maximum over `golds`. An empty prediction says that there is no answer. Golds
    /// that normalise to nothing do not count; without others only an answer that normalises to nothing is right.
    pub fn of<S: AsRef<str>>(prediction: &str, golds: &[S]) -> Self {
        let found = normalize_answer(prediction);
        let mut expected: Vec<String> = golds.iter().map(|gold| normalize_answer(gold.as_ref())).collect();
        expected.retain(|gold| !gold.is_empty());
        if expected.is_empty() {
            expected.push(String::new());
        }
        let is_exact = expected.contains(&found);
        Self {
            exact: f64::from(u8::from(is_exact)),
            f1: expected.iter().map(|gold| f1(gold, &found)).fold(0.0, f64::max),
            has_answer: !golds.is_empty(),
            predicted: !prediction.is_empty(),
            no_answer: 0.0,
        }
    }

    /// The same with a score of there being no answer, for thresholds.
    pub fn with_no_answer(self, no_answer: f64) -> Self {
        Self { no_answer, ..self }
    }

    /// The score where "no answer" is what is said above the threshold.
    fn above(self, threshold: f64) -> Self {
        match self.no_answer > threshold {
            true => {
                let right = f64::from(u8::from(!self.has_answer));
                Self { exact: right, f1: right, ..self }
            }
            false => self,
        }
    }
}

/// F1 of two normalised texts; of two where one is empty, whether both are.
fn f1(gold: &str, found: &str) -> f64 {
    let (gold, found) = (words(gold), words(found));
    if gold.is_empty() || found.is_empty() {
        return f64::from(u8::from(gold == found));
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    gold.iter().for_each(|word| *left.entry(word).or_default() += 1);
    let mut same = 0;
    for word in &found {
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            same += 1;
        }
    }
    if same == 0 {
        return 0.0;
    }
    let (precision, recall) = (f64::from(same) / found.len() as f64, f64::from(same) / gold.len() as f64);
    (2.0 * precision * recall) / (precision + recall)
}

fn words(normalized: &str) -> Vec<&str> {
    normalized.split(' ').filter(|word| !word.is_empty()).collect()
}

/// Mean scores of some questions, in percent, as SQuAD's scripts print them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerMeans {
    /// Exact match.
    pub exact: f64,
    /// F1.
    pub f1: f64,
    /// The number of questions.
    pub total: usize,
}

/// Scores of answers to questions: all, those that have an answer, and those that have none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerMetrics {
    /// All questions.
    pub all: AnswerMeans,
    /// Those that can be answered (`HasAns`), where there are any.
    pub has_answer: Option<AnswerMeans>,
    /// Those that cannot (`NoAns`), where there are any.
    pub no_answer: Option<AnswerMeans>,
    /// The best exact match that a threshold on `no_answer` gives.
    pub best_exact: BestThreshold,
    /// The best F1 that a threshold on `no_answer` gives.
    pub best_f1: BestThreshold,
}

impl AnswerMetrics {
    /// The means over `scores`, `[n]`, where questions whose `no_answer` is above `threshold` count as left without an
    /// answer; SQuAD's script takes 1.
    ///
    /// # Errors
    /// [`crate::Error::Range`] without questions.
    pub fn of(scores: &[AnswerScore], threshold: f64) -> Result<Self> {
        at_least("questions", 1, scores.len())?;
        let decided: Vec<AnswerScore> = scores.iter().map(|score| score.above(threshold)).collect();
        let part = |has_answer: bool| {
            means(decided.iter().filter(|score| score.has_answer == has_answer).copied().collect())
        };
        let (best_exact, best_f1) =
            (BestThreshold::of(scores, |s| s.exact), BestThreshold::of(scores, |s| s.f1));
        let all = AnswerMeans { exact: 0.0, f1: 0.0, total: 0 };
        Ok(Self {
            all: means(decided.clone()).unwrap_or(all),
            has_answer: part(true),
            no_answer: part(false),
            best_exact,
            best_f1,
        })
    }
}

fn means(scores: Vec<AnswerScore>) -> Option<AnswerMeans> {
    let total = scores.len();
    let percent = |sum: f64| 100.0 * sum / total as f64;
    let exact = percent(scores.iter().fold(0.0, |sum, score| sum + score.exact));
    let f1 = percent(scores.iter().fold(0.0, |sum, score| sum + score.f1));
    (total > 0).then_some(AnswerMeans { exact, f1, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_is_right_where_there_is_none_and_wrong_where_there_is_one() {
        let none = AnswerScore::of::<&str>("", &[]);
        assert_eq!((none.exact, none.f1, none.has_answer, none.predicted), (1.0, 1.0, false, false));
        let missed = AnswerScore::of("", &["Denver"]);
        assert_eq!((missed.exact, missed.f1, missed.has_answer), (0.0, 0.0, true));
        let invented = AnswerScore::of::<&str>("Denver", &[]);
        assert_eq!((invented.exact, invented.f1), (0.0, 0.0));
    }

    #[test]
    fn an_answer_above_the_threshold_counts_as_none() {
        let scores = [
            AnswerScore::of("x", &["x"]).with_no_answer(0.7),
            AnswerScore::of::<&str>("x", &[]).with_no_answer(0.7),
        ];
        let metrics = |threshold| AnswerMetrics::of(&scores, threshold).unwrap();
        assert_eq!(metrics(1.0).has_answer.unwrap().exact, 100.0);
        assert_eq!(metrics(1.0).no_answer.unwrap().exact, 0.0);
        assert_eq!(metrics(0.6).has_answer.unwrap().f1, 0.0);
        assert_eq!(metrics(0.6).no_answer.unwrap().f1, 100.0);
    }

    #[test]
    fn no_questions_are_refused() {
        assert!(AnswerMetrics::of(&[], 1.0).is_err());
    }
}
