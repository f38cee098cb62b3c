use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What an oracle scores texts in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scores {
    /// The filter: a `.toml` or `.yaml` file with its dimensions, their weights and the tiers.
    pub filter: PathBuf,
}
