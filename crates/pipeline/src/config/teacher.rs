use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The teacher of the adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Teacher {
    /// Which teacher.
    pub kind: TeacherKind,
    /// What to look for in a text: the prompt of `instructed`, and of the latency measurements.
    pub instruction: String,
    /// How text and instruction are joined.
    pub template: String,
    /// The instruction as a question, set before each answer or name.
    pub question: String,
    /// Candidate names for `names`; default: the distinct labels of the training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// Softmax temperature over the candidate names, in units of cosine.
    pub temperature: f64,
    /// File of the matrix for `vectors`: `.npy`, or a list column of a `.parquet` file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<PathBuf>,
    /// Column of `teacher.vectors` in a `.parquet` file.
    pub vectors_column: String,
    /// Number of training rows with a teacher vector; default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
}

impl Default for Teacher {
    fn default() -> Self {
        Self {
            kind: TeacherKind::Instructed,
            instruction: String::new(),
            template: manyview_core::Instruction::DEFAULT_TEMPLATE.into(),
            question: String::new(),
            names: None,
            temperature: 0.02,
            vectors: None,
            vectors_column: "vector".into(),
            rows: None,
        }
    }
}

/// The kinds of teachers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeacherKind {
    /// The encoder itself, with the instruction prompt.
    Instructed,
    /// The embedding of each training text's answer to the question.
    Answers,
    /// The softmax-weighted mix of the embeddings of the candidate names: no text needs a label.
    Names,
    /// A given matrix.
    Vectors,
}

impl TeacherKind {
    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instructed => "instructed",
            Self::Answers => "answers",
            Self::Names => "names",
            Self::Vectors => "vectors",
        }
    }
}
