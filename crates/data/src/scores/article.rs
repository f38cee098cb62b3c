use super::{objects, shown};
use crate::Result;
use serde_json::{Map, Value};
use std::path::Path;

/// A text an oracle is asked about: one JSON object with `id`, `title`, `content` and whatever else it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Article {
    /// Its name.
    pub id: String,
    /// Its title; may be empty.
    pub title: String,
    /// Its text; may be empty where there is a title.
    pub content: String,
    /// The other fields of the object.
    pub fields: Map<String, Value>,
}

impl Article {
    /// Reads every object of a JSONL file.
    ///
    /// # Errors
    /// A file that cannot be read, or the first line that is no article, with what it lacks.
    pub fn read_all(path: &Path) -> Result<Vec<Self>> {
        objects(path, Self::of_object)?.into_iter().collect()
    }

    /// Title and content, with an empty line between them: what an encoder is given.
    pub fn text(&self) -> String {
        match (self.title.trim(), self.content.trim()) {
            (title, "") => title.into(),
            ("", content) => content.into(),
            (title, content) => format!("{title}\n\n{content}"),
        }
    }

    /// The value of another field, where it is text, a number or a boolean.
    pub fn field(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            _ => None,
        }
    }

    /// The object it was read from.
    pub fn object(&self) -> Map<String, Value> {
        let mut object = self.fields.clone();
        for (name, value) in [("id", &self.id), ("title", &self.title), ("content", &self.content)] {
            object.insert(name.into(), value.as_str().into());
        }
        object
    }

    pub(super) fn of_object(mut object: Map<String, Value>) -> Result<Self, String> {
        let mut text = |name: &str| match object.remove(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(number @ Value::Number(_)) => Ok(number.to_string()),
            Some(other) => Err(format!("`{name}`: expected a string, found {}", shown(&other))),
        };
        let (id, title, content) = (text("id")?, text("title")?, text("content")?);
        if id.trim().is_empty() {
            return Err("`id`: expected the name of the row, found none; give it one".into());
        }
        if title.trim().is_empty() && content.trim().is_empty() {
            return Err(
                "`content`: expected a text, found none and no title either; add it or remove the row".into(),
            );
        }
        Ok(Self { id, title, content, fields: object })
    }
}
