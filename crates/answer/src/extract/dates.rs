use crate::error::Result;
use regex::Regex;
use std::ops::Range;

const MONTH: &str = "(?:January|February|March|April|May|June|July|August|September|October|November|December|\
                     (?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\\b\\.?)";
const DAY: &str = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?";
const YEAR: &str = r"(?:1\d{3}|20\d{2})";

/// Dates, the longest form that fits at a place.
#[derive(Clone, Debug)]
pub(super) struct Dates {
    rule: Regex,
}

impl Dates {
    pub(super) fn new() -> Result<Self> {
        let weekday = r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? )?";
        let forms = [
            r"\d{4}[-/](?:0?[1-9]|1[0-2])[-/](?:0?[1-9]|[12]\d|3[01])".to_string(),
            r"(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|[12]\d|3[01])[./-](?:\d{4}|\d{2})".to_string(),
            format!(r"{weekday}{MONTH} {DAY}(?:,? {YEAR})?"),
            format!(r"{weekday}{DAY}(?: of)? {MONTH}(?:,? {YEAR})?"),
            format!(r"{MONTH},? {YEAR}"),
            r"(?:1\d|20|21|[1-9])(?:st|nd|rd|th) century".to_string(),
            format!(r"{YEAR}s?"),
        ];
        Ok(Self { rule: Regex::new(&format!(r"\b(?:{})\b", forms.join("|")))? })
    }

    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let stands_alone = |found: &Range<usize>| {
            let before = text.get(..found.start).and_then(|s| s.chars().next_back()).unwrap_or_default();
            let rest = text.get(found.end..).unwrap_or_default();
            let mut after = rest.chars();
            let (next, second) = (after.next().unwrap_or_default(), after.next().unwrap_or_default());
            let goes_on = [',', '.', '/', '-'].contains(&next) && second.is_ascii_digit();
            let year = found.len() == 4;
            let is_part = "$€£¥#.,".contains(before) && before != '\0' || next == '%' || goes_on;
            !(year && is_part)
        };
        self.rule.find_iter(text).map(|found| found.range()).filter(stands_alone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_dates_are_found_and_numbers_are_not() {
        let text = "Sunday, February 7, 2016; 7th of May 1945; Feb. 7; 2016-02-07; 07.02.2016; March 2020; the 1990s; \
                    19th century; 1066. Not $2000, 1.500, 1500 or 12,000; may 1 be; 1234.5; 2000%.";
        let rules = Dates::new().unwrap();
        let found: Vec<&str> = rules.find(text).into_iter().map(|bytes| &text[bytes]).collect();
        let expected = [
            "Sunday, February 7, 2016",
            "7th of May 1945",
            "Feb. 7",
            "2016-02-07",
            "07.02.2016",
            "March 2020",
            "1990s",
            "19th century",
            "1066",
            "1500",
        ];
        assert_eq!(found, expected);
    }
}
