use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// An answer as SQuAD compares it: in lower case, without the 32 punctuation characters of ASCII (typographic quotes and
/// dashes stay), without the words `a`, `an` and `the`, with single blanks.
///
/// ```
/// use manyview_eval::normalize_answer;
///
/// assert_eq!(normalize_answer("  The   U.S.-led “Army”\n"), "usled “army”");
/// ```
pub fn normalize_answer(text: &str) -> String {
    let mut bare = text.to_lowercase();
    bare.retain(|c| !c.is_ascii_punctuation());
    let mut kept = String::with_capacity(bare.len());
    let mut rest = bare.as_str();
    while let Some(first) = rest.chars().next() {
        let in_word = is_word(first);
        let end = rest.find(|c| is_word(c) != in_word).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        kept.push_str(if ["a", "an", "the"].contains(&run) { " " } else { run });
        rest = after;
    }
    kept.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What `\w` matches in Python: letters and numbers, but not marks. (`_` is punctuation and gone by then.)
fn is_word(c: char) -> bool {
    matches!(c.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
}

/// What `str.split()` splits at in Python: white space, and four separators among the control characters.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::normalize_answer;

    #[test]
    fn a_mark_ends_a_word_and_a_separator_is_space() {
        assert_eq!(normalize_answer("a\u{301} b"), "\u{301} b"); // the article before a combining accent
        assert_eq!(normalize_answer("x\u{1c}y\u{a0}z"), "x y z");
        assert_eq!(normalize_answer("the"), "");
        assert_eq!(normalize_answer("theatre of a²"), "theatre of a²");
    }
}
