//! Windows of a long text, which overlap, and which of them each token's state is taken from.

use crate::Result;
use manyview_encoder::TextEncoder;
use std::ops::Range;

/// Tokens that two windows share, or a quarter of a window where that is less.
const STRIDE: usize = 128;
/// Bytes of text given to the tokenizer for each token of a window.
const BYTES: usize = 16;

/// A part of a text that is encoded at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The bytes that are encoded.
    pub(super) bytes: Range<usize>,
    /// Tokens that begin in these bytes are taken from this window: each is nearer to the middle here than in the
    /// window before or after.
    pub(super) kept: Range<usize>,
}

/// The windows of a text, each as long as the encoder reads, in order. None where the text has no tokens.
pub(super) fn windows(encoder: &TextEncoder, text: &str) -> Result<Vec<Window>> {
    let stride = STRIDE.min(encoder.max_length() / 4);
    let mut found: Vec<Window> = Vec::new();
    let (mut from, mut kept) = (0, 0);
    while from < text.len() {
        let (tokens, end) = tokens(encoder, text, from)?;
        let is_last = end >= text.len();
        if tokens.is_empty() {
            from = end;
            continue;
        }
        let next = tokens.len().saturating_sub(stride);
        let begins_word =
            |i: &usize| tokens.get(i - 1).zip(tokens.get(*i)).is_some_and(|(a, b)| a.end < b.start);
        let next = (1..=next).rev().find(begins_word).unwrap_or(next.max(1));
        let shared = tokens.get(next..).unwrap_or_default();
        let cut = match is_last {
            true => text.len(),
            false => shared.get(shared.len() / 2).map_or(end, |token| token.start),
        };
        found.push(Window { bytes: from..end, kept: kept..cut });
        if is_last {
            break;
        }
        (from, kept) = (shared.first().map_or(end, |token| token.start), cut);
    }
    Ok(found)
}

/// The bytes of the tokens, special ones left out, that one window from byte `from` on takes, and where it ends.
fn tokens(encoder: &TextEncoder, text: &str, from: usize) -> Result<(Vec<Range<usize>>, usize)> {
    let mut most = encoder.max_length() * BYTES;
    loop {
        let end = word_end(text, from, most);
        let part = text.get(from..end).unwrap_or_default();
        let [(offsets, cut)] = &encoder.token_offsets(&[part])?[..] else { return Ok((Vec::new(), end)) };
        let own = offsets.iter().filter(|offset| !offset.is_empty());
        let tokens: Vec<Range<usize>> = own.map(|offset| from + offset.start..from + offset.end).collect();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return Ok((tokens, end)) };
        if !cut {
            return Ok((tokens, end));
        }
        let before = text.get(from..first.start).unwrap_or_default();
        if before.chars().all(|c| c.is_whitespace() || c.is_control()) {
            let end = last.end;
            return Ok((tokens, end));
        }
        most = part.len() / 2; // a tokenizer that cuts the start of a text
    }
}

/// The end of a part of at most `most` bytes, after a word where there is one in its last half.
fn word_end(text: &str, from: usize, most: usize) -> usize {
    let mut end = (from + most.max(4)).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let part = text.get(from..end).unwrap_or_default();
    match part.rfind(char::is_whitespace).filter(|at| end < text.len() && *at > part.len() / 2) {
        Some(at) => from + at,
        None => end,
    }
}
