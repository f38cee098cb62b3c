use super::AnswerScore;
use serde::{Deserialize, Serialize};

/// The best score that leaving doubtful questions without an answer gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestThreshold {
    /// The score, in percent.
    pub score: f64,
    /// Questions whose `no_answer` is above this are left without an answer.
    pub threshold: f64,
}

impl BestThreshold {
    /// Goes through the questions from the surest answer to the most doubtful, with all of them left without an answer at
    /// first; the lowest threshold of the best score stays. Among equal values of `no_answer` the order is that of `scores`.
    pub(super) fn of(scores: &[AnswerScore], score: impl Fn(&AnswerScore) -> f64) -> Self {
        let mut order: Vec<&AnswerScore> = scores.iter().collect();
        order.sort_by(|a, b| a.no_answer.partial_cmp(&b.no_answer).unwrap_or(std::cmp::Ordering::Equal));
        let mut sum = scores.iter().filter(|score| !score.has_answer).count() as f64;
        let mut best = (sum, 0.0);
        for question in order {
            sum += match (question.has_answer, question.predicted) {
                (true, _) => score(question),
                (false, true) => -1.0,
                (false, false) => 0.0,
            };
            if sum > best.0 {
                best = (sum, question.no_answer);
            }
        }
        Self { score: 100.0 * best.0 / scores.len() as f64, threshold: best.1 }
    }
}
