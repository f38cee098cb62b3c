use crate::json_file::json;
use crate::sentence_bert::says_nothing;
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// How the states of a text's tokens become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The mean over all tokens.
    Mean,
    /// The first token.
    Cls,
    /// The last token.
    LastToken,
}

/// Keys that turn one kind of pooling on, and its name.
const SWITCHES: [(&str, &str); 6] = [
    ("pooling_mode_cls_token", "cls"),
    ("pooling_mode_max_tokens", "max"),
    ("pooling_mode_mean_tokens", "mean"),
    ("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"),
    ("pooling_mode_weightedmean_tokens", "weightedmean"),
    ("pooling_mode_lasttoken", "lasttoken"),
];

impl Pooling {
    /// The name in pooling configurations and fingerprints.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::LastToken => "lasttoken",
        }
    }

    /// Reads `1_Pooling/config.json`: `pooling_mode`, a name or a list with one, counts more than the switches of older
    /// files; where none is on, sentence-transformers takes the mean.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file: Map<String, Value> =
            json(path)?.ok_or_else(|| Error::file(path, "expected the pooling, found no such file"))?;
        let unsupported = |found: String| Error::Unsupported {
            path: path.into(),
            what: "pooling",
            found,
            supported: "mean, cls, lasttoken, one of them, over prompt and text".into(),
        };
        for (key, value) in &file {
            let known = match key.as_str() {
                "word_embedding_dimension" | "embedding_dimension" | "pooling_mode" => true,
                "include_prompt" => value.as_bool() != Some(false),
                key => SWITCHES.iter().any(|(switch, _)| *switch == key) || says_nothing(value),
            };
            if !known {
                return Err(unsupported(format!("{key} = {value}")));
            }
        }
        let switched = || SWITCHES.iter().filter(|(key, _)| file.get(*key) == Some(&Value::Bool(true)));
        let chosen: Vec<String> = match file.get("pooling_mode") {
            Some(Value::Array(names)) => {
                names.iter().map(|name| name.as_str().map_or(name.to_string(), str::to_string)).collect()
            }
            Some(Value::String(name)) => vec![name.clone()],
            Some(other) => vec![other.to_string()],
            None => switched().map(|(_, name)| name.to_string()).collect(),
        };
        match chosen.join(" + ").as_str() {
            "mean" => Ok(Self::Mean),
            "cls" => Ok(Self::Cls),
            "lasttoken" => Ok(Self::LastToken),
            "" if !file.contains_key("pooling_mode") => Ok(Self::Mean),
            other => Err(unsupported(other.into())),
        }
    }
}
