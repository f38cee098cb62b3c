use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What to look for in a text, and how to tell an instruction-aware encoder.
///
/// ```
/// # use manyview_core::Instruction;
/// let i = Instruction::new("Identify the topic");
/// assert_eq!(i.prompt("rain in Kent"), "Instruct: Identify the topic\nQuery:rain in Kent");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Instruction {
    task: String,
    template: String,
}

impl Instruction {
    /// The template of Qwen3-Embedding's model card: no space after `Query:`.
    pub const DEFAULT_TEMPLATE: &'static str = "Instruct: {task}\nQuery:{text}";

    /// An instruction in the default template.
    pub fn new(task: impl Into<String>) -> Self {
        Self { task: task.into(), template: Self::DEFAULT_TEMPLATE.into() }
    }

    /// The same instruction in another template, which names `{task}` at most once and ends with `{text}`.
    ///
    /// # Errors
    /// [`Error::Shape`] for any other template.
    pub fn with_template(self, template: impl Into<String>) -> Result<Self> {
        let template = template.into();
        let times = |name| template.matches(name).count();
        if times("{text}") != 1 || !template.ends_with("{text}") || times("{task}") > 1 {
            return Err(Error::Shape {
                what: "instruction template".into(),
                expected: "`{text}` once, at the end, and `{task}` at most once".into(),
                found: format!("{template:?}"),
            });
        }
        Ok(Self { template, ..self })
    }

    /// What to look for.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The template, with `{task}` and `{text}` in place.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// What comes before the text: the same for every text.
    pub fn prefix(&self) -> String {
        self.template.trim_end_matches("{text}").replace("{task}", &self.task)
    }

    /// The whole prompt for one text.
    pub fn prompt(&self, text: &str) -> String {
        self.prefix() + text
    }
}

/// An instruction as it is read, before its template is looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Instruction")]
struct Unchecked {
    task: String,
    template: String,
}

impl TryFrom<Unchecked> for Instruction {
    type Error = Error;

    fn try_from(read: Unchecked) -> Result<Self> {
        Self::new(read.task).with_template(read.template)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_names_a_placeholder_is_taken_literally() {
        assert_eq!(Instruction::new("find {text}").prompt("x"), "Instruct: find {text}\nQuery:x");
    }

    #[test]
    fn a_template_without_the_text_at_its_end_is_refused() {
        for bad in ["{task}", "{text} {task}", "{text}{text}", "{task}{task}{text}"] {
            assert!(Instruction::new("t").with_template(bad).is_err(), "{bad}");
        }
    }
}
