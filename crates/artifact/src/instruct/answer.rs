use manyview_answer::{CharacterOffsets, Document};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What is asked about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// A question, or the wording of a template.
    pub instruction: String,
    /// Answers at most, where the template says nothing else.
    pub top_k: usize,
}

impl Ask {
    /// Asks for the best answer.
    pub fn new(instruction: impl Into<String>) -> Self {
        Self { instruction: instruction.into(), top_k: 1 }
    }

    /// Asks for the `k` best.
    pub fn top_k(self, k: usize) -> Self {
        Self { top_k: k, ..self }
    }
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AnswerKind {
    /// A sentence, or a piece of a long one.
    Sentence,
    /// Sentences around the one that answers best.
    Section,
    /// A date, a number or a name.
    Extract,
}

/// A part of a text that answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The part itself.
    pub answer: String,
    /// How well it answers, from -1 to 1, to compare within one text and instruction; `None` for what is listed.
    pub score: Option<f32>,
    /// Where it starts in the text, in characters (code points).
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What it is.
    pub kind: AnswerKind,
}

/// The answers to one instruction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// The template that the instruction fits, or `question`.
    pub template: String,
    /// The answers to a question from the best on; parts of a summary and what is listed in the order of the text.
    pub answers: Vec<Answer>,
}

/// Makes answers of a document's bytes.
pub(super) struct Maker<'a> {
    document: &'a Document,
    characters: CharacterOffsets<'a>,
}

impl<'a> Maker<'a> {
    pub(super) fn of(document: &'a Document) -> Self {
        Self { document, characters: CharacterOffsets::of(document.text()) }
    }

    pub(super) fn make(&self, bytes: &Range<usize>, score: Option<f32>, kind: AnswerKind) -> Answer {
        let Range { start, end } = self.characters.range(bytes);
        let answer = self.document.text().get(bytes.clone()).unwrap_or_default().to_string();
        Answer { answer, score, start, end, kind }
    }
}
