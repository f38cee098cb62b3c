use crate::sentence::sentences;
use std::collections::HashSet;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// Words between the capitals of one name.
const WITHIN: &[&str] =
    &["of", "de", "la", "le", "van", "von", "der", "den", "del", "da", "dos", "bin", "al", "&"];

/// Capitalised words that are no names.
const NEVER: &[&str] = &["I", "I'm", "I’m", "I've", "I’ve", "I'd", "I’d", "I'll", "I’ll"];

/// A word that may be a part of a name.
struct Capital<'a> {
    bytes: Range<usize>,
    word: &'a str,
    /// It is the first of its sentence, where every word has a capital.
    opens: bool,
}

/// Runs of capitalised words. One at the start of a sentence counts where it is also found elsewhere, is of capitals
/// alone, or is followed by another.
pub(super) fn find(text: &str, dates: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut runs: Vec<Vec<Capital<'_>>> = Vec::new();
    for sentence in sentences(text) {
        let own = text.get(sentence.bytes.clone()).unwrap_or_default();
        let (mut run, mut end, mut opens) = (Vec::new(), 0, true);
        for (at, word) in own.unicode_word_indices() {
            let bytes = sentence.bytes.start + at..sentence.bytes.start + at + word.len();
            let in_date = dates.iter().any(|date| date.start < bytes.end && bytes.start < date.end);
            let is_capital =
                word.chars().next().is_some_and(char::is_uppercase) && !NEVER.contains(&word) && !in_date;
            let gap = text.get(end..bytes.start).unwrap_or_default();
            if is_capital && (run.is_empty() || is_within(gap)) {
                end = bytes.end;
                run.push(Capital { bytes, word, opens });
            } else if is_capital {
                runs.push(std::mem::take(&mut run));
                end = bytes.end;
                run.push(Capital { bytes, word, opens });
            } else if !WITHIN.contains(&word) {
                runs.push(std::mem::take(&mut run));
            }
            opens = false;
        }
        runs.push(run);
    }
    let inside: HashSet<&str> =
        runs.iter().flatten().filter(|capital| !capital.opens).map(|c| c.word).collect();
    let name = |run: &Vec<Capital<'_>>| {
        let is_known =
            |first: &Capital<'_>| !first.opens || inside.contains(first.word) || is_acronym(first.word);
        let skips =
            run.first().is_some_and(|first| !is_known(first) && (run.len() == 1 || is_opener(first.word)));
        if run.len() == 1 && run.iter().all(|only| is_opener(only.word)) {
            return None; // the first word of quoted speech
        }
        let (first, last) = (run.get(usize::from(skips))?, run.last()?);
        Some(first.bytes.start..last.bytes.end)
    };
    runs.iter().filter_map(name).collect()
}

/// Whether only a space, an initial's point, a hyphen or a word such as `of` lies between two words of a name.
fn is_within(gap: &str) -> bool {
    gap.len() <= 12
        && gap.split_whitespace().all(|part| WITHIN.contains(&part) || [".", "-", "'", "’"].contains(&part))
        && !gap.contains('\n')
}

fn is_acronym(word: &str) -> bool {
    word.chars().filter(|c| c.is_uppercase()).count() > 1 && !word.chars().any(char::is_lowercase)
}

/// Whether a word usually opens a sentence without being a part of the name after it.
fn is_opener(word: &str) -> bool {
    const OPENERS: &[&str] = &[
        "The", "A", "An", "In", "On", "At", "By", "For", "From", "With", "When", "While", "After", "Before",
        "As", "If", "Although", "Since", "Under", "Both", "This", "That", "These", "Those", "He", "She",
        "It", "They", "We", "His", "Her", "Its", "Their", "Our", "But", "And", "Or", "So", "Then", "Later",
        "Former", "During", "Despite", "Like", "Unlike", "Who", "What", "Where", "Which", "How", "Why", "Is",
        "Was", "Did", "Does", "To", "Of",
    ];
    OPENERS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn names_are_runs_of_capitals_and_openers_are_not() {
        let text = "The Denver Broncos beat the University of Oxford. Winning is hard. Later, I met J. R. Smith \
                    and Von Miller at NASA. Miller left: \"It is late.\" Ludwig van Beethoven stayed. Miller, \
                    Smith and Gödel agree.";
        let found: Vec<&str> = find(text, &[]).into_iter().map(|bytes| &text[bytes]).collect();
        let expected = [
            "Denver Broncos",
            "University of Oxford",
            "J. R. Smith",
            "Von Miller",
            "NASA",
            "Miller",
            "Ludwig van Beethoven",
            "Miller",
            "Smith",
            "Gödel",
        ];
        assert_eq!(found, expected);
        assert!(find("東京は雨。 กรุงเทพ", &[]).is_empty());
    }
}
