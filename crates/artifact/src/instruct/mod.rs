//! Answers to instructions about any text, by the states of its tokens: encoded once, asked often, without training.

mod answer;
mod engine;
mod rows;
mod window;

pub use answer::{Answer, AnswerKind, Answers, Ask};
pub use engine::{INSTRUCTION_TOKENS, InstructionEngine};
pub use manyview_answer::{Document, Templates};
pub use rows::{AnsweredRows, InstructionRows, answer_rows};
