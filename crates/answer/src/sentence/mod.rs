//! Sentences of plain text by rule: the boundaries of Unicode's annex 29, fewer after abbreviations and where a line is
//! wrapped, more at items of lists, none across paragraphs.

mod abbreviation;
mod line;

use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// A sentence of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Its bytes, without white space around it.
    pub bytes: Range<usize>,
    /// Its paragraph, from 0. Paragraphs are apart by blank lines.
    pub paragraph: usize,
}

/// What lies between two parts of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boundary {
    None,
    Sentence,
    Paragraph,
}

/// The sentences of a text, in order. Parts of nothing but punctuation are left out.
///
/// ```
/// use manyview_answer::sentences;
///
/// let text = "Dr. J. Smith paid $3.50. 東京は雨。晴れ！\n\nTo do:\n- Rest\n- Drink";
/// let found: Vec<&str> = sentences(text).into_iter().map(|s| &text[s.bytes]).collect();
/// assert_eq!(found, ["Dr. J. Smith paid $3.50.", "東京は雨。", "晴れ！", "To do:", "- Rest", "- Drink"]);
/// ```
pub fn sentences(text: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    let (mut start, mut paragraph) = (0, 0);
    let mut parts = text.split_sentence_bound_indices().peekable();
    while let Some((at, part)) = parts.next() {
        let end = at + part.len();
        let boundary = match parts.peek() {
            Some(_) => boundary(text, start, end),
            None => Boundary::Sentence,
        };
        if boundary == Boundary::None {
            continue;
        }
        if let Some(bytes) = trimmed(text, start..end) {
            found.push(Sentence { bytes, paragraph });
        }
        paragraph += usize::from(boundary == Boundary::Paragraph);
        start = end;
    }
    found
}

/// What lies at byte `at`, where the annex has a boundary, with a sentence begun at `start`.
fn boundary(text: &str, start: usize, at: usize) -> Boundary {
    let (before, after) = (text.get(start..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
    match line::ends_line(before) {
        true => line::boundary(before, after),
        false if abbreviation::continues(before, after) => Boundary::None,
        false => Boundary::Sentence,
    }
}

/// The range without white space around it, unless nothing but ASCII punctuation is left.
fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let part = text.get(range.clone())?;
    let start = range.start + part.len() - part.trim_start().len();
    let kept = part.trim();
    let says = kept.chars().any(|c| !c.is_ascii_punctuation() && !c.is_whitespace() && !c.is_control());
    says.then_some(start..start + kept.len())
}
