use crate::error::Result;
use regex::Regex;
use std::ops::Range;

/// Numbers with their sign, currency, percent and scale.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    rule: Regex,
}

impl Numbers {
    pub(super) fn new() -> Result<Self> {
        let digits = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?";
        let scale = r"(?: ?%| (?:percent|per cent|thousand|million|billion|trillion)\b)?";
        Ok(Self { rule: Regex::new(&format!(r"[$€£¥]? ?{digits}{scale}"))? })
    }

    /// All but those that lie in a date, and those that are a part of a word.
    pub(super) fn find(&self, text: &str, dates: &[Range<usize>]) -> Vec<Range<usize>> {
        let mut dates = dates.iter().peekable();
        let mut found = Vec::new();
        for number in self.rule.find_iter(text) {
            let bytes = number.end() - number.as_str().trim_start().len()..number.end();
            while dates.peek().is_some_and(|date| date.end <= bytes.start) {
                dates.next();
            }
            let before = text.get(..bytes.start).and_then(|s| s.chars().next_back());
            let after = text.get(bytes.end..).and_then(|s| s.chars().next());
            let in_word = before.is_some_and(char::is_alphanumeric) || after.is_some_and(char::is_alphabetic);
            if !in_word && dates.peek().is_none_or(|date| date.start >= bytes.end) {
                found.push(bytes);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_scales_and_separators_belong_to_a_number_and_letters_do_not() {
        let text = "It cost $1,200.50, or 3.5 % of 2 million, in 2016 (B2B, 5th, 3D); 24–10, and 7.";
        let year = text.find("2016").unwrap();
        let rules = Numbers::new().unwrap();
        let found: Vec<&str> = rules
            .find(text, std::slice::from_ref(&(year..year + 4)))
            .into_iter()
            .map(|bytes| &text[bytes])
            .collect();
        assert_eq!(found, ["$1,200.50", "3.5 %", "2 million", "24", "10", "7"]);
    }
}
