use std::ops::Range;

/// Bytes between two entries of the index.
const STEP: usize = 256;

/// Offsets of a text in characters (code points, as Python counts them), from its offsets in bytes.
///
/// ```
/// use manyview_answer::CharacterOffsets;
///
/// let text = "ก็👩‍🚀 yes";
/// let offsets = CharacterOffsets::of(text);
/// let yes = text.find("yes").unwrap();
/// assert_eq!(offsets.range(&(yes..yes + 3)), 6..9);
/// ```
#[derive(Clone, Debug)]
pub struct CharacterOffsets<'a> {
    text: &'a str,
    /// The character at byte `i * STEP`, or the one that begins next after it.
    index: Vec<usize>,
}

impl<'a> CharacterOffsets<'a> {
    /// Goes through the text once.
    pub fn of(text: &'a str) -> Self {
        let mut index = Vec::with_capacity(text.len() / STEP + 1);
        for (character, (byte, _)) in text.char_indices().enumerate() {
            while index.len() * STEP <= byte {
                index.push(character);
            }
        }
        Self { text, index }
    }

    /// The number of characters before byte `at`; one inside a character counts as its end.
    pub fn character(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        let entry = (at / STEP).min(self.index.len().saturating_sub(1));
        let Some(&known) = self.index.get(entry) else { return 0 };
        let from = entry * STEP;
        let starts = self.text.as_bytes().get(from..at).unwrap_or_default();
        known + starts.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
    }

    /// A range of bytes as one of characters.
    pub fn range(&self, bytes: &Range<usize>) -> Range<usize> {
        self.character(bytes.start)..self.character(bytes.end)
    }
}
