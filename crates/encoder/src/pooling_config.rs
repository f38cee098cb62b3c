use crate::json_file::json;
use crate::sentence_bert::says_nothing;
use crate::{Error, Pooling, Result};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The poolings of a model, whose vectors stand side by side, and of which tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PoolingConfig {
    pub(crate) modes: Vec<Pooling>,
    /// Whether the tokens of a prompt count.
    pub(crate) include_prompt: bool,
}

impl From<Pooling> for PoolingConfig {
    fn from(only: Pooling) -> Self {
        Self { modes: vec![only], include_prompt: true }
    }
}

impl PoolingConfig {
    /// Reads `1_Pooling/config.json`: `pooling_mode`, a name or a list, counts more than the switches of older files;
    /// where none is on, sentence-transformers takes the mean.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file: Map<String, Value> =
            json(path)?.ok_or_else(|| Error::file(path, "expected the pooling, found no such file"))?;
        let unsupported = |found: String| Error::Unsupported {
            path: path.into(),
            what: "pooling",
            found,
            supported: Pooling::ALL.map(Pooling::as_str).join(", "),
        };
        for (key, value) in &file {
            let known = match key.as_str() {
                "word_embedding_dimension" | "embedding_dimension" | "pooling_mode" => true,
                "include_prompt" => value.is_boolean() || value.is_null(),
                key => Pooling::ALL.iter().any(|mode| mode.switch() == key) || says_nothing(value),
            };
            if !known {
                return Err(unsupported(format!("{key} = {value}")));
            }
        }
        let mode = |name: &Value| {
            let named = |mode: &&Pooling| name == mode.as_str();
            Pooling::ALL.iter().find(named).copied().ok_or_else(|| unsupported(name.to_string()))
        };
        let is_on = |mode: &Pooling| file.get(mode.switch()) == Some(&Value::Bool(true));
        let mut modes = match file.get("pooling_mode") {
            Some(Value::Array(names)) => names.iter().map(mode).collect::<Result<Vec<_>>>()?,
            Some(name) => vec![mode(name)?],
            None => Pooling::ALL.into_iter().filter(is_on).collect(),
        };
        if modes.is_empty() && file.contains_key("pooling_mode") {
            return Err(unsupported("no mode".into()));
        }
        if modes.is_empty() {
            modes.push(Pooling::Mean);
        }
        let include_prompt = file.get("include_prompt") != Some(&Value::Bool(false));
        Ok(Self { modes, include_prompt })
    }

    /// The only pooling, over prompt and text; none where there are several, or only one over the text.
    pub(crate) fn only(&self) -> Option<Pooling> {
        match self.modes.as_slice() {
            [only] if self.include_prompt => Some(*only),
            _ => None,
        }
    }

    /// Its names, for people and fingerprints.
    pub(crate) fn describe(&self) -> String {
        let modes: Vec<&str> = self.modes.iter().map(|mode| mode.as_str()).collect();
        let of = if self.include_prompt { "" } else { " without prompt" };
        modes.join("+") + of
    }

    /// The configuration that sentence-transformers reads, old and new, for states of length `hidden`.
    pub(crate) fn to_json(&self, hidden: usize) -> Value {
        let mut file = Map::from_iter(
            Pooling::ALL.map(|mode| (mode.switch().to_string(), self.modes.contains(&mode).into())),
        );
        file.insert("word_embedding_dimension".into(), hidden.into());
        file.insert("include_prompt".into(), self.include_prompt.into());
        let in_order: Vec<Pooling> =
            Pooling::ALL.into_iter().filter(|mode| self.modes.contains(mode)).collect();
        if in_order != self.modes {
            file.insert(
                "pooling_mode".into(),
                json!(self.modes.iter().map(|mode| mode.as_str()).collect::<Vec<_>>()),
            );
        }
        file.into()
    }

    /// The vectors of texts, side by side for each text, `[texts, modes * hidden]`, of packed states `[tokens, hidden]`;
    /// the first `skip` tokens of each text are those of a prompt.
    pub(crate) fn pool(&self, states: &[f32], hidden: usize, lengths: &[usize], skip: usize) -> Vec<f32> {
        let mut out = Vec::with_capacity(lengths.len() * self.modes.len() * hidden);
        let first = if self.include_prompt { 0 } else { skip };
        let mut rest = states;
        for &length in lengths {
            let (own, others) = rest.split_at(length * hidden);
            self.modes.iter().for_each(|mode| mode.pool(own, hidden, first, &mut out));
            rest = others;
        }
        out
    }
}
