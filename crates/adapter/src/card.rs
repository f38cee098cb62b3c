use crate::Result;
use manyview_core::{Error as CoreError, Fingerprint};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The description of a trained artifact: its task, its origin, and the encoder of its inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Its task.
    #[serde(flatten)]
    pub task: TaskCard,
    /// The name of the encoder.
    pub encoder: String,
    /// The fingerprint of the encoder.
    pub encoder_fingerprint: Fingerprint,
    /// Dimension of the input vectors.
    pub dim_in: usize,
    /// Dimension of the output vectors, or number of scores.
    pub dim_out: usize,
    /// How it was fitted.
    pub method: String,
    /// The number of rows it was fitted on.
    pub n_train: usize,
    /// Whatever the caller needs to find the encoder again: model, revision, maximum length.
    #[serde(default)]
    pub settings: BTreeMap<String, serde_json::Value>,
}

/// What an artifact was trained for, under the name of the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum TaskCard {
    /// Vectors under an instruction.
    Views {
        /// What the view looks for.
        instruction: String,
        /// Where the teacher vectors came from.
        teacher: String,
    },
    /// Scores of texts in several dimensions.
    Scores {
        /// What the oracle looks for: the name of its filter.
        filter: String,
        /// What each score is, in order.
        dimensions: Vec<ScoreDimension>,
        /// The tiers of the weighted score, from the highest threshold to the lowest.
        tiers: Vec<ScoreTier>,
    },
    /// Vectors of queries and of the passages that answer them.
    Retrieval {
        /// What queries were prompted with; empty where they were not.
        instruction: String,
    },
}

/// One score a head gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreDimension {
    /// Its name.
    pub name: String,
    /// Its share of the weighted score.
    pub weight: f64,
}

/// A name for weighted scores of at least some threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreTier {
    /// Its name.
    pub name: String,
    /// The lowest weighted score in it.
    pub threshold: f64,
}

impl Card {
    /// The instruction of a view or of queries; empty where there is none.
    pub fn instruction(&self) -> &str {
        match &self.task {
            TaskCard::Views { instruction, .. } | TaskCard::Retrieval { instruction } => instruction,
            TaskCard::Scores { .. } => "",
        }
    }

    /// Where its supervision came from: the teacher of a view, the filter of scores, pairs of texts.
    pub fn teacher(&self) -> &str {
        match &self.task {
            TaskCard::Views { teacher, .. } => teacher,
            TaskCard::Scores { filter, .. } => filter,
            TaskCard::Retrieval { .. } => "pairs",
        }
    }

    /// What each score is, in order; empty where it gives vectors.
    pub fn dimensions(&self) -> &[ScoreDimension] {
        match &self.task {
            TaskCard::Scores { dimensions, .. } => dimensions,
            _ => &[],
        }
    }

    /// The tiers of the weighted score, from the highest threshold to the lowest.
    pub fn tiers(&self) -> &[ScoreTier] {
        match &self.task {
            TaskCard::Scores { tiers, .. } => tiers,
            _ => &[],
        }
    }

    /// That it takes the vectors of the encoder with that fingerprint.
    ///
    /// # Errors
    /// Another encoder.
    pub fn expects(&self, encoder: &Fingerprint) -> Result<()> {
        if *encoder == self.encoder_fingerprint {
            return Ok(());
        }
        let what = match &self.task {
            TaskCard::Scores { filter, .. } => format!("head for {filter:?} of {}", self.encoder),
            _ => format!("adapter for {:?} of {}", self.instruction(), self.encoder),
        };
        let (expected, found) = (self.encoder_fingerprint.short().into(), encoder.short().into());
        Err(CoreError::Fingerprint { what, expected, found }.into())
    }
}
