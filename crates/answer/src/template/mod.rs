//! Instructions with a fixed wording, such as "Summarise in 3 sentences", and what each asks for.

mod pattern;

use crate::error::{Error, Result};
use pattern::Pattern;
use serde::{Deserialize, Serialize};

/// What is done for an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Method {
    /// The sentences that answer it best, the best first.
    Answer,
    /// The part of the text around the sentence that answers it best.
    Section,
    /// Sentences in the order of the text: of those on `{topic}`, or those that say most of the whole text.
    Summary,
    /// All dates.
    Dates,
    /// All numbers.
    Numbers,
    /// All names.
    Names,
}

/// A wording and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// What it is called, in the output.
    pub name: String,
    /// Wordings, in any case. `{n}` stands for a number in digits or words, `{topic}` for one word or more, and `[…]`
    /// for words that may be left out.
    pub says: Vec<String>,
    /// What is done.
    pub method: Method,
    /// Sentences of a summary where the wording has no `{n}`.
    #[serde(default = "three")]
    pub sentences: usize,
    /// Words of a summary or a section at most.
    #[serde(default = "many")]
    pub words: usize,
}

fn three() -> usize {
    3
}

fn many() -> usize {
    200
}

/// Templates, of which the first that fits an instruction decides.
#[derive(Clone, Debug)]
pub struct Templates {
    templates: Vec<(Template, Vec<Pattern>)>,
}

/// What an instruction asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The template's name; `question` where none fits.
    pub template: String,
    /// What is done.
    pub method: Method,
    /// What to look for: the instruction itself, or its `{topic}`; `None` for the whole text.
    pub topic: Option<String>,
    /// Sentences of a summary.
    pub sentences: usize,
    /// Words of a summary or a section at most.
    pub words: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    template: Vec<Template>,
}

impl Templates {
    /// Those of this crate.
    ///
    /// # Errors
    /// [`Error::Template`] for a mistake in them.
    pub fn embedded() -> Result<Self> {
        Self::parse(include_str!("../../templates.toml"), "the embedded templates")
    }

    /// Reads `[[template]]` tables; `place` is what errors call the file.
    ///
    /// # Errors
    /// [`Error::Template`] for a file that is not TOML or has other keys, a wording without words or with other braces,
    /// two templates of one name, and a count of 0.
    pub fn parse(toml: &str, place: &str) -> Result<Self> {
        let bad = |place: &str, problem: String| Error::Template { place: place.into(), problem };
        let file: File =
            toml::from_str(toml).map_err(|e| bad(place, e.to_string().trim_end().to_string()))?;
        let mut templates: Vec<(Template, Vec<Pattern>)> = Vec::new();
        for template in file.template {
            let place = format!("{place}, template `{}`", template.name);
            if template.name.trim().is_empty()
                || templates.iter().any(|(other, _)| other.name == template.name)
            {
                return Err(bad(&place, "expected a name of its own; change `name`".into()));
            }
            if template.sentences == 0 || template.words == 0 {
                return Err(bad(&place, "expected `sentences` and `words` of at least 1, found 0".into()));
            }
            if template.says.is_empty() {
                return Err(bad(&place, "expected at least one wording in `says`, found none".into()));
            }
            let patterns =
                template.says.iter().map(|says| Pattern::parse(says).map_err(|problem| bad(&place, problem)));
            let patterns = patterns.collect::<Result<_>>()?;
            templates.push((template, patterns));
        }
        Ok(Self { templates })
    }

    /// The templates, in their order.
    pub fn all(&self) -> impl Iterator<Item = &Template> {
        self.templates.iter().map(|(template, _)| template)
    }

    /// What an instruction asks for; a question where no template fits.
    ///
    /// ```
    /// use manyview_answer::{Method, Templates};
    ///
    /// let templates = Templates::embedded()?;
    /// let request = templates.request("Summarise the side effects in two sentences.");
    /// assert_eq!((request.method, request.sentences), (Method::Summary, 2));
    /// assert_eq!(request.topic.as_deref(), Some("the side effects"));
    /// assert_eq!(templates.request("Who led the team in sacks?").template, "question");
    /// # Ok::<(), manyview_answer::Error>(())
    /// ```
    pub fn request(&self, instruction: &str) -> Request {
        for (template, patterns) in &self.templates {
            if let Some(found) = patterns.iter().find_map(|pattern| pattern.find(instruction)) {
                let asks = matches!(template.method, Method::Answer | Method::Section);
                let whole = asks.then(|| instruction.trim().to_string());
                return Request {
                    template: template.name.clone(),
                    method: template.method,
                    topic: found.topic.or(whole),
                    sentences: found.n.unwrap_or(template.sentences),
                    words: template.words,
                };
            }
        }
        Request {
            template: "question".into(),
            method: Method::Answer,
            topic: Some(instruction.trim().to_string()),
            sentences: three(),
            words: many(),
        }
    }
}
