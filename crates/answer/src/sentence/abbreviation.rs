//! Full stops that do not end a sentence.

/// What stands before a name or the rest of its sentence, in lower case and without the last full stop.
const ALWAYS: &[&str] = &[
    "mr", "mrs", "ms", "mx", "dr", "prof", "rev", "hon", "gen", "col", "maj", "capt", "lt", "sgt", "cmdr",
    "gov", "sen", "rep", "pres", "messrs", "mme", "mlle", "st", "mt", "ft", "vs", "cf", "e.g", "i.e", "viz",
    "z.b", "bzw", "d.h",
];

/// What stands before a number.
const BEFORE_NUMBER: &[&str] = &[
    "no", "nos", "nr", "p", "pp", "pg", "vol", "vols", "ch", "sec", "art", "fig", "figs", "eq", "eqs", "ca",
    "c", "approx", "est", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov",
    "dec", "bd", "abb",
];

/// What ends a sentence where one that begins like one follows.
const MAYBE: &[&str] =
    &["inc", "ltd", "co", "corp", "bros", "jr", "sr", "al", "dept", "univ", "etc", "ed", "eds", "assn"];

/// Words that begin sentences: after these a full stop of [`MAYBE`] or of initials is one.
const OPENERS: &[&str] = &[
    "a",
    "according",
    "after",
    "all",
    "although",
    "an",
    "and",
    "another",
    "as",
    "at",
    "because",
    "before",
    "both",
    "but",
    "by",
    "during",
    "each",
    "every",
    "for",
    "from",
    "he",
    "her",
    "here",
    "his",
    "how",
    "however",
    "i",
    "if",
    "in",
    "is",
    "it",
    "its",
    "later",
    "many",
    "more",
    "most",
    "my",
    "no",
    "not",
    "on",
    "one",
    "or",
    "other",
    "our",
    "she",
    "since",
    "so",
    "some",
    "such",
    "that",
    "the",
    "their",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "to",
    "today",
    "under",
    "until",
    "was",
    "we",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "why",
    "with",
    "yes",
    "you",
];

/// Whether a sentence goes on between `before`, which ends where Unicode ends it, and `after`.
pub(super) fn continues(before: &str, after: &str) -> bool {
    let before = before.trim_end();
    let next = after.chars().next().unwrap_or_default();
    let Some(stem) = before.strip_suffix('.') else {
        return before.ends_with(|c: char| c.is_ascii() || c == '”' || c == '’') && next.is_lowercase();
    };
    let word =
        stem.rsplit(|c: char| c.is_whitespace() || "([{\"'“‘«—–/".contains(c)).next().unwrap_or_default();
    if is_enumerator(before) {
        return true; // "1. First"
    }
    let lower = word.to_lowercase();
    let is = |list: &[&str]| list.contains(&lower.as_str());
    if is(ALWAYS) {
        return true;
    }
    if is(BEFORE_NUMBER) && next.is_numeric() {
        return true;
    }
    (is(MAYBE) || is_initials(word)) && !OPENERS.contains(&first_word(after).as_str())
}

/// Whether nothing but the number or letter of a list's item is there: `1.`, `12.`, `a.`, `iv.`
fn is_enumerator(before: &str) -> bool {
    let Some(item) = before.trim_start().strip_suffix('.') else { return false };
    let digits = item.chars().all(|c| c.is_ascii_digit()) && item.len() <= 3;
    let letters = item.len() == 1 || item.chars().all(|c| "ivxIVX".contains(c)) && item.len() <= 4;
    !item.is_empty() && (digits || letters && item.chars().all(|c| c.is_ascii_alphabetic()))
}

/// `J`, `U.S`, `p.m`: single letters with full stops between them, the first letter a capital where there is only one.
fn is_initials(word: &str) -> bool {
    let mut letters = word.split('.');
    let single = |part: &str| part.chars().count() == 1 && part.chars().all(char::is_alphabetic);
    word.contains('.') && letters.clone().all(single)
        || letters
            .next()
            .is_some_and(|only| single(only) && only == word && only.chars().all(char::is_uppercase))
}

fn first_word(after: &str) -> String {
    let start = after.trim_start_matches(|c: char| !c.is_alphanumeric());
    let end = start.find(|c: char| !c.is_alphanumeric()).unwrap_or(start.len());
    start.get(..end).unwrap_or_default().to_lowercase()
}
