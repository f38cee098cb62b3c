//! What the end of a line is: a wrapped line, the end of an item or a heading, or of a paragraph.

use super::Boundary;

/// Characters of a line that may have been wrapped.
const WRAPPED: usize = 50;

pub(super) fn ends_line(part: &str) -> bool {
    part.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
}

/// What lies after `before`, which ends a line.
pub(super) fn boundary(before: &str, after: &str) -> Boundary {
    let own = before.trim_end_matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    let line = own.rsplit(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).next().unwrap_or_default();
    let next = after.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).next().unwrap_or_default();
    if next.trim().is_empty() || before.ends_with('\u{2029}') {
        return Boundary::Paragraph;
    }
    if line.trim().is_empty() || is_item(next) || is_heading(line) || is_heading(next) {
        return Boundary::Sentence;
    }
    let ended = line.trim_end().trim_end_matches(['"', '\'', '”', '’', ')', ']', '»', '」', '』']);
    if ended
        .ends_with(['.', '?', '!', ':', ';', '。', '？', '！', '।', '؟', '۔', '…', '：', '；', '។', '။', '።'])
    {
        return Boundary::Sentence;
    }
    let goes_on = next.trim_start().chars().next().is_some_and(char::is_lowercase);
    match goes_on || line.trim().chars().count() >= WRAPPED {
        true => Boundary::None,
        false => Boundary::Sentence,
    }
}

/// Whether a line begins like an item of a list: `- x`, `* x`, `• x`, `1. x`, `2) x`, `(a) x`.
fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    if let Some(rest) = line.strip_prefix(['-', '*', '+', '•', '‣', '▪', '–', '—', '·', '◦']) {
        return rest.starts_with(char::is_whitespace);
    }
    let number = line.strip_prefix('(').unwrap_or(line);
    let end = number.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(number.len());
    let (number, rest) = number.split_at(end);
    let counts = number.chars().all(|c| c.is_ascii_digit()) && number.len() <= 3 || number.len() == 1;
    let marked = rest.strip_prefix(['.', ')']);
    !number.is_empty() && counts && marked.is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

/// Whether a line is a heading of Markdown.
fn is_heading(line: &str) -> bool {
    let rest = line.trim_start().trim_start_matches('#');
    rest.len() < line.trim_start().len() && rest.starts_with(' ')
}
