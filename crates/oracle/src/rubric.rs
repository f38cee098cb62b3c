use serde_json::{Map, Value};

/// What an answer must hold: a score in each dimension, within a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Rubric {
    /// Names of the dimensions, `[d]`.
    pub dimensions: Vec<String>,
    /// The least and the greatest score.
    pub range: [f64; 2],
}

impl Rubric {
    /// The scores in what a model wrote: one JSON object, alone, in a fence or among words, with the dimensions at its
    /// top or under `dimensions`, each a number or an object with `score`.
    ///
    /// # Errors
    /// What was found instead.
    pub fn scores(&self, text: &str) -> Result<Vec<f64>, String> {
        let object = object(text).ok_or_else(|| format!("{:?}", start(text)))?;
        let dimensions = below(&object, 0).unwrap_or(&object);
        self.dimensions
            .iter()
            .map(|name| {
                let value = dimensions.get(name).ok_or_else(|| format!("none for `{name}`"))?;
                self.score(value.get("score").unwrap_or(value))
                    .map_err(|found| format!("{found} for `{name}`"))
            })
            .collect()
    }

    /// What an answer should hold, for people.
    pub fn expected(&self) -> String {
        let [low, high] = self.range;
        let names: Vec<String> = self.dimensions.iter().map(|name| format!("`{name}`")).collect();
        format!("a JSON object with a score from {low} to {high} for {}", names.join(", "))
    }

    fn score(&self, value: &Value) -> Result<f64, String> {
        let [low, high] = self.range;
        match value.as_f64() {
            Some(score) if (low..=high).contains(&score) => Ok(score),
            _ => Err(start(&value.to_string())),
        }
    }
}

/// The object `dimensions`, at the top or in an object at the top such as `news_analysis`.
fn below(object: &Map<String, Value>, depth: usize) -> Option<&Map<String, Value>> {
    match object.get("dimensions") {
        Some(Value::Object(dimensions)) => Some(dimensions),
        _ if depth == 0 => object.values().find_map(|value| below(value.as_object()?, 1)),
        _ => None,
    }
}

/// The first JSON object in `text` that is whole.
fn object(text: &str) -> Option<Map<String, Value>> {
    const TRIES: usize = 16;
    let starts = text.match_indices('{').map(|(at, _)| at).take(TRIES);
    starts.filter_map(|at| text.get(at..)).find_map(|rest| {
        serde_json::Deserializer::from_str(rest).into_iter::<Map<String, Value>>().next()?.ok()
    })
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

    #[test]
    fn scores_are_found_in_every_form_models_give_them() {
        for text in [
            r#"{"scope": 7, "proof": 5.5}"#,
            r#"{"proof": {"score": 5.5, "evidence": "a"}, "scope": {"score": 7}}"#,
            r#"{"dimensions": {"scope": 7, "proof": 5.5}}"#,
            r#"{"news_analysis": {"dimensions": {"scope": 7, "proof": 5.5}}, "scope": 1}"#,
            "Here it is:\n```json\n{\"scope\": 7, \"proof\": 5.5}\n```\nDone {really}.",
            "The set {a, b} gives {\"scope\": 7, \"proof\": 5.5}",
        ] {
            assert_eq!(rubric().scores(text), Ok(vec![7.0, 5.5]), "{text}");
        }
    }

    #[test]
    fn what_is_no_score_is_said() {
        for (text, found) in [
            ("I cannot do that.", "I cannot do that."),
            ("", "\"\""),
            (r#"{"scope": 7"#, r#"{\"scope\": 7"#),
            (r#"{"scope": 7}"#, "none for `proof`"),
            (r#"{"scope": 7, "proof": 11}"#, "11 for `proof`"),
            (r#"{"scope": "7", "proof": 1}"#, "\"7\" for `scope`"),
            (r#"{"scope": null, "proof": 1}"#, "null for `scope`"),
            (r#"{"scope": -1, "proof": 1}"#, "-1 for `scope`"),
        ] {
            let e = rubric().scores(text).unwrap_err();
            assert!(e.contains(found), "{text}: {e}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[ -~{}\"\\[\\]:,0-9é\n]{0,200}") {
            if let Ok(scores) = rubric().scores(&text) {
                prop_assert!(scores.iter().all(|score| (0.0..=10.0).contains(score)));
            }
        }
    }
}
