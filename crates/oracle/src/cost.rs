use serde::{Deserialize, Serialize};

/// Tokens of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the question.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    #[serde(default)]
    pub completion_tokens: u64,
}

/// What a million tokens cost, in any one currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// Of questions.
    pub input: f64,
    /// Of answers.
    pub output: f64,
}

impl Prices {
    /// What an answer cost.
    pub fn cost(&self, usage: Usage) -> f64 {
        const MILLION: f64 = 1e6;
        (usage.prompt_tokens as f64 * self.input + usage.completion_tokens as f64 * self.output) / MILLION
    }
}

/// What a ledger comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Answers with scores.
    pub answers: u64,
    /// Answers without, which may have cost as much.
    pub unusable: u64,
    /// Questions sent and not answered: whether they were charged is not known here.
    pub lost: u64,
    /// What is set aside for those, as if they had been charged.
    #[serde(default)]
    pub reserved: f64,
    /// Answers whose tokens the oracle did not state, or that had no price.
    pub unpriced: u64,
    /// Tokens of all answers.
    pub prompt_tokens: u64,
    /// Tokens of all answers.
    pub completion_tokens: u64,
    /// What all answers with a price cost.
    pub cost: f64,
}
