//! What people call the parts of a pair; the first name that is there counts.

pub(super) const QUERY: &[&str] =
    &["question", "query", "anchor", "input_question", "q", "sentence1", "text_a", "title"];
pub(super) const PASSAGE: &[&str] = &[
    "passage",
    "context",
    "positive",
    "paragraph",
    "chunk",
    "source_text",
    "answer",
    "response",
    "document",
    "text",
    "content",
    "a",
    "sentence2",
    "text_b",
];
pub(super) const DOCUMENT: &[&str] =
    &["document_id", "doc_id", "document", "source_document", "source_file", "paper_id", "filename"];
pub(super) const ANSWER: &[&str] = &["answer", "answers", "response", "output", "completion", "a"];
pub(super) const SUMMARY: &[&str] = &["summary", "highlights", "abstract", "target", "headline"];
pub(super) const ARTICLE: &[&str] = &["document", "article", "text", "content", "dialogue", "source", "body"];
/// A list of questions and answers within one object.
pub(super) const LISTS: &[&str] =
    &["qa_pairs", "questions_answers", "questions_and_answers", "pairs", "qas", "qa", "questions"];
/// The text that a question is about, where the answer stands apart.
pub(super) const TEXT: &[&str] =
    &["passage", "context", "positive", "paragraph", "chunk", "source_text", "text", "content"];
