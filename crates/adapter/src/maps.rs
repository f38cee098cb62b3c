use crate::{Linear, Map};
use manyview_core::{Embeddings, Result, Transform};
use serde::{Deserialize, Serialize};

/// Which sides of a match an adapter maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// Queries alone: stored passages and their index stay as they are.
    #[default]
    Query,
    /// Queries and passages alike, by one map.
    Both,
    /// Queries by one map, passages by another.
    Dual,
}

impl Sides {
    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Both => "both",
            Self::Dual => "dual",
        }
    }
}

/// The maps of an adapter for queries and passages. A view, which treats all texts alike, is [`Maps::Both`].
#[derive(Clone, Debug, PartialEq)]
pub enum Maps {
    /// A map of queries; passages stay as they are.
    Query(Map),
    /// One map of both.
    Both(Map),
    /// A map each.
    Dual {
        /// Of queries.
        query: Map,
        /// Of passages.
        passage: Map,
    },
}

impl Maps {
    /// Which sides it maps.
    pub fn sides(&self) -> Sides {
        match self {
            Self::Query(_) => Sides::Query,
            Self::Both(_) => Sides::Both,
            Self::Dual { .. } => Sides::Dual,
        }
    }

    /// The map of queries.
    pub fn query(&self) -> &Map {
        match self {
            Self::Query(map) | Self::Both(map) | Self::Dual { query: map, .. } => map,
        }
    }

    /// The map of passages; none where they stay as they are.
    pub fn passage(&self) -> Option<&Map> {
        match self {
            Self::Query(_) => None,
            Self::Both(map) | Self::Dual { passage: map, .. } => Some(map),
        }
    }

    /// The map of all texts, where queries and passages are treated alike.
    pub fn shared(&self) -> Option<&Map> {
        match self {
            Self::Both(map) => Some(map),
            Self::Dual { query, passage } => Some(query).filter(|query| *query == passage),
            Self::Query(_) => None,
        }
    }

    /// Queries, `[n, dim]`, as they are searched with: L2-normalised.
    ///
    /// # Errors
    /// As the map's.
    pub fn queries(&self, x: &Embeddings) -> Result<Embeddings> {
        self.query().transform(x)
    }

    /// Passages, `[m, dim]`, as they are searched: L2-normalised.
    ///
    /// # Errors
    /// As the map's, and a vector without a direction.
    pub fn passages(&self, x: &Embeddings) -> Result<Embeddings> {
        self.passage().map_or_else(|| x.clone().normalized(), |map| map.transform(x))
    }
}

impl From<Linear> for Maps {
    fn from(linear: Linear) -> Self {
        Self::Both(linear.into())
    }
}
