use crate::{Error, Question, Result};
use manyview_core::Fingerprint;

/// The words an oracle is asked with: a template with `{content}`, and perhaps `{title}` and `{dimensions}`.
///
/// Other braces stay as they are, so an example of the answer in JSON can stand in it. A text is put in once: braces
/// of its own are not looked at.
///
/// ```
/// # use manyview_oracle::{Prompt, Question};
/// let prompt = Prompt::new("Answer {\"scope\": 7}. Score: {title}\n{content}", "")?;
/// let text = Question { id: "a".into(), title: "Rain".into(), content: "in {title}".into() };
/// assert_eq!(prompt.of(&text), "Answer {\"scope\": 7}. Score: Rain\nin {title}");
/// # Ok::<(), manyview_oracle::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    template: String,
}

const DIMENSIONS: &str = "{dimensions}";
const TITLE: &str = "{title}";
const CONTENT: &str = "{content}";

impl Prompt {
    /// Takes a template; `dimensions` stands where it says so.
    ///
    /// # Errors
    /// [`Error::Setting`] for a template without `{content}`.
    pub fn new(template: &str, dimensions: &str) -> Result<Self> {
        if !template.contains(CONTENT) {
            return Err(Error::setting(
                "prompt",
                "expected {content} where the text goes, found none; put it in, and {title} where its title goes",
            ));
        }
        Ok(Self { template: template.replace(DIMENSIONS, dimensions) })
    }

    /// The words to ask about a text with.
    pub fn of(&self, question: &Question) -> String {
        let mut asked = String::with_capacity(self.template.len() + question.content.len());
        let mut rest = self.template.as_str();
        loop {
            let marks = [(TITLE, &question.title), (CONTENT, &question.content)];
            let next = marks.iter().filter_map(|(mark, text)| Some((rest.split_once(mark)?, text)));
            let Some(((before, after), text)) = next.min_by_key(|((before, _), _)| before.len()) else {
                return asked + rest;
            };
            asked += before;
            asked += text;
            rest = after;
        }
    }

    /// Changes with any byte of the template.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::builder("prompt/1").field("template", self.template.as_bytes()).finish()
    }
}
