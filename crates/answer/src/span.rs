use crate::Sentence;
use std::ops::Range;

/// Tokens of a span at most: a longer sentence is cut. At half of it, pieces of long sentences answer fewer questions
/// than the sentences do (docs/results/instructions.md).
pub const MAX_TOKENS: usize = 120;

/// A sentence, or a piece of a long one, with its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its bytes in the text.
    pub bytes: Range<usize>,
    /// Its tokens among those of the text.
    pub tokens: Range<usize>,
    /// Its paragraph, from 0.
    pub paragraph: usize,
}

/// The tokens of each sentence, `offsets` being the bytes of each token, in order; tokens without bytes are special
/// ones. A sentence of more than `limit` tokens becomes several spans, cut after a comma or a word where there is one
/// in the last third, else between two tokens. Sentences without tokens are left out.
pub fn spans(text: &str, sentences: &[Sentence], offsets: &[Range<usize>], limit: usize) -> Vec<Span> {
    let limit = limit.max(1);
    let mut found = Vec::with_capacity(sentences.len());
    let mut next = 0;
    for sentence in sentences {
        let own = |i: usize| offsets.get(i).filter(|offset| offset.start < sentence.bytes.end);
        while own(next).is_some_and(|offset| offset.is_empty() || offset.start < sentence.bytes.start) {
            next += 1;
        }
        let first = next;
        while own(next).is_some_and(|offset| !offset.is_empty()) {
            next += 1;
        }
        let mut from = first;
        while from < next {
            let to = cut(text, offsets, from, next, limit);
            let start = if from == first { sentence.bytes.start } else { start(offsets, from) };
            let end = if to == next { sentence.bytes.end } else { end(text, offsets, to, start) };
            found.push(Span { bytes: start..end, tokens: from..to, paragraph: sentence.paragraph });
            from = to;
        }
    }
    found
}

fn start(offsets: &[Range<usize>], token: usize) -> usize {
    offsets.get(token).map_or(0, |offset| offset.start)
}

/// The end of a piece before token `next`: where that begins, without the white space before it.
fn end(text: &str, offsets: &[Range<usize>], next: usize, from: usize) -> usize {
    let piece = text.get(from..start(offsets, next)).unwrap_or_default();
    from + piece.trim_end().len()
}

/// The token before which a sentence that goes from token `from` to `to` is cut first.
fn cut(text: &str, offsets: &[Range<usize>], from: usize, to: usize, limit: usize) -> usize {
    if to - from <= limit {
        return to;
    }
    let last = from + limit;
    let least = from + (limit * 2 / 3).max(1);
    let before = |token: usize| text.get(..start(offsets, token)).unwrap_or_default();
    let is_word = |token: &usize| before(*token).ends_with(char::is_whitespace);
    let is_clause =
        |token: &usize| before(*token).trim_end().ends_with([',', ';', ':', '、', '，', '；', '،', '؛']);
    let mut places = (least..=last).rev();
    places.clone().find(is_clause).or_else(|| places.find(is_word)).unwrap_or(last)
}
