use serde::{Deserialize, Serialize};

/// What belongs together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pairs {
    /// Column of the queries.
    pub query: String,
    /// Column of the passages that answer them.
    pub passage: String,
}

impl Default for Pairs {
    fn default() -> Self {
        Self { query: "question".into(), passage: "passage".into() }
    }
}
