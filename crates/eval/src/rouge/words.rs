use super::porter::stem;

/// Shorter words are not stemmed.
const STEMMED: usize = 4;

/// The words of a text: lower case, runs of ASCII letters and digits, those of more than three characters stemmed.
pub(super) fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let runs = lower.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    let word = |run: &str| if run.len() >= STEMMED { stem(run) } else { run.to_string() };
    runs.filter(|run| !run.is_empty()).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn accents_split_words_and_only_long_words_are_stemmed() {
        assert_eq!(words("Cafés, 3.5 DYING gas!"), ["caf", "s", "3", "5", "die", "gas"]);
    }
}
