use crate::answered;

/// What an answer must hold: a score in each dimension, within a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Rubric {
    /// Names of the dimensions, `[d]`.
    pub dimensions: Vec<String>,
    /// The least and the greatest score.
    pub range: [f64; 2],
}

impl Rubric {
    /// The scores in what a model wrote in answer to the words `asked`: a JSON object, alone, in a fence or among words,
    /// with a score for each dimension at any one level of it, as a number, a number in quotes or an object with
    /// `score`.
    ///
    /// Reasoning such as `<think>…</think>` is no part of the answer, and an object that stands in the prompt is none.
    /// Of several objects the last counts, where the others agree with it or the words before it say that it is final.
    ///
    /// ```
    /// # use manyview_oracle::Rubric;
    /// let rubric = Rubric { dimensions: vec!["scope".into()], range: [0.0, 10.0] };
    /// assert_eq!(rubric.scores("<think>{\"scope\": 2}?</think> {\"scope\": \"7\"}", ""), Ok(vec![7.0]));
    /// assert!(rubric.scores("{\"scope\": 2}, or {\"scope\": 7}", "").is_err());
    /// ```
    ///
    /// # Errors
    /// What was found instead.
    pub fn scores(&self, text: &str, asked: &str) -> Result<Vec<f64>, String> {
        answered::scores(self, text, asked)
    }

    /// What an answer should hold, for people.
    pub fn expected(&self) -> String {
        let [low, high] = self.range;
        let names: Vec<String> = self.dimensions.iter().map(|name| format!("`{name}`")).collect();
        format!("a JSON object with a score from {low} to {high} for {}", names.join(", "))
    }
}

/// The start of a text, for people.
pub(crate) fn start(text: &str) -> String {
    const MOST: usize = 120;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rubric() -> Rubric {
        Rubric { dimensions: vec!["scope".into(), "proof".into()], range: [0.0, 10.0] }
    }

    fn scored(text: &str) -> Result<Vec<f64>, String> {
        rubric().scores(text, "Score it. Answer such as {\"scope\": 0, \"proof\": 1}.")
    }

    #[test]
    fn no_text_of_many_braces_takes_long() {
        assert!(scored(&"{".repeat(1 << 20)).is_err());
        assert!(scored(&"{\"scope\":".repeat(1 << 16)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[ -~{}\"\\[\\]:,0-9é\n]{0,200}") {
            if let Ok(scores) = scored(&text) {
                prop_assert!(scores.iter().all(|score| (0.0..=10.0).contains(score)));
            }
        }

        #[test]
        fn scores_are_read_as_they_are_written(a in 0.0f64..10.0, b in 0u8..=10, words in "[ a-zé.!\n]{0,60}") {
            for text in [
                format!("{words}{{\"scope\": {a}, \"proof\": {b}}}{words}"),
                format!("<think>{words}{{\"scope\": 1, \"proof\": 2}}</think>{{\"proof\": \"{b}\", \"Scope\": \"{a}\",}}"),
            ] {
                prop_assert_eq!(scored(&text), Ok(vec![a, f64::from(b)]), "{}", text);
            }
        }
    }
}
