use super::added::{self, NAMED, Named};
use super::class::Class;
use crate::json_file::json;
use crate::layout::Layout;
use crate::sentence_bert::says_nothing;
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use tokenizers::{AddedToken, Tokenizer, TruncationDirection};

/// The file that settings of a tokenizer stand in.
pub(super) const CONFIG: &str = "tokenizer_config.json";
/// A limit above this is none: transformers writes 1e30.
const NO_LIMIT: f64 = 1e20;

/// What the files beside `tokenizer.json` say of a tokenizer: `tokenizer_config.json`, of which the settings of
/// `sentence_bert_config.json` count more, and where it lists no added tokens `special_tokens_map.json` and
/// `added_tokens.json`, as in transformers.
pub(crate) struct Settings {
    path: PathBuf,
    values: Map<String, Value>,
    /// The class that transformers builds the tokenizer with.
    pub(super) class: Class,
    /// Tokens with a role, such as `cls_token`, in the order in which transformers adds them.
    pub(super) named: Vec<Named>,
    /// Tokens added to the vocabulary, in the order of their ids.
    pub(super) added: Vec<AddedToken>,
    /// Special tokens without a role.
    pub(super) extra: Vec<AddedToken>,
}

impl Settings {
    /// Reads the files beside a transformer of an architecture.
    pub(crate) fn read(layout: &Layout, architecture: &str) -> Result<Self> {
        let dir = &layout.transformer;
        let path = dir.join(CONFIG);
        let mut values: Map<String, Value> = json(&path)?.unwrap_or_default();
        refuse(&path, &values)?;
        values.extend(layout.reading.tokenizer.clone());
        let class = class(layout, &path, &values, architecture)?;
        let listed = values.get("added_tokens_decoder").filter(|listed| !listed.is_null()).cloned();
        let added = match listed {
            Some(listed) => added::decoder(&path, &listed)?,
            None => {
                let map: Option<Map<String, Value>> = json(&dir.join("special_tokens_map.json"))?;
                for (key, value) in map.unwrap_or_default() {
                    match (values.get_mut(&key), value) {
                        (Some(Value::Array(own)), Value::Array(more)) if key == "extra_special_tokens" => {
                            own.extend(more);
                        }
                        (_, value) => drop(values.insert(key, value)),
                    }
                }
                added::legacy(dir, &values)?
            }
        };
        let known = |content: &str| added.iter().find(|token| token.content == content).cloned();
        let named = added::named(&path, &values, class, known)?;
        let extra = added::extra(&path, &values, class)?;
        Ok(Self { path, values, class, named, added, extra })
    }

    /// The most tokens of a text, specials included; none where there is no limit.
    pub(crate) fn max_length(&self) -> Result<Option<usize>> {
        let found = ["model_max_length", "max_len"].into_iter().find_map(|key| self.values.get(key));
        let Some(value) = found.filter(|value| !value.is_null()) else { return Ok(None) };
        match value.as_f64() {
            Some(limit) if limit >= NO_LIMIT => Ok(None),
            Some(limit) if limit >= 1.0 && limit.fract() == 0.0 => Ok(Some(limit as usize)),
            _ => Err(self.bad("model_max_length", "a number of tokens", value)),
        }
    }

    /// Whether the limit is the one that sentence-transformers is told, which it takes as it is.
    pub(crate) fn max_length_is_forced(layout: &Layout) -> bool {
        layout.reading.tokenizer.contains_key("model_max_length")
    }

    /// Which end of a text is cut: what the settings say, else what `tokenizer.json` says.
    pub(super) fn truncation(&self, read: &Tokenizer) -> Result<TruncationDirection> {
        match self.get::<String>("truncation_side", "right or left")?.as_deref() {
            Some("right") => Ok(TruncationDirection::Right),
            Some("left") => Ok(TruncationDirection::Left),
            Some(other) => Err(self.bad("truncation_side", "right or left", &other.into())),
            None => Ok(read.get_truncation().map_or(TruncationDirection::Right, |own| own.direction)),
        }
    }

    /// Whether special tokens in a text are read as any other text.
    pub(super) fn splits_special_tokens(&self) -> Result<bool> {
        Ok(self.get("split_special_tokens", "true or false")?.unwrap_or(false))
    }

    /// A setting by its key; none where it is not there or `null`.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &str, expected: &str) -> Result<Option<T>> {
        match self.values.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                serde_json::from_value(value.clone()).map(Some).map_err(|_| self.bad(key, expected, value))
            }
        }
    }

    /// The token with a role.
    pub(super) fn token(&self, role: &str) -> Result<&AddedToken> {
        let found = self.named.iter().find(|named| named.role == role).map(|named| &named.token);
        found.ok_or_else(|| {
            Error::file(
                &self.path,
                format!(
                    "expected a {role}, which {} needs, found null; name one of its vocabulary",
                    self.class.name()
                ),
            )
        })
    }

    /// The class, and the token of what is not in its vocabulary.
    pub(super) fn class_and_unknown(&self) -> [&str; 2] {
        [self.class.name(), self.token("unk_token").map_or("", |token| token.content.as_str())]
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn bad(&self, key: &str, expected: &str, found: &Value) -> Error {
        Error::file(&self.path, format!("{key}: expected {expected}, found {found}"))
    }
}

/// The class of the tokenizer: the one of an architecture whose files are not asked; else the one that
/// `tokenizer_config.json` names, else `config.json`, else the architecture's own.
fn class(layout: &Layout, path: &Path, values: &Map<String, Value>, architecture: &str) -> Result<Class> {
    if let Some(class) = Class::whatever_is_named(architecture) {
        return Ok(class);
    }
    #[derive(serde::Deserialize)]
    struct Config {
        tokenizer_class: Option<String>,
    }
    let named = values.get("tokenizer_class").filter(|value| !value.is_null());
    let name = match named {
        Some(value) => Some(value.as_str().map_or(value.to_string(), str::to_string)),
        None if layout.config_path().is_file() => layout.config::<Config>()?.tokenizer_class,
        None => None,
    };
    match name {
        None => Ok(Class::of_architecture(architecture)),
        Some(name) => Class::of_name(&name).ok_or_else(|| Error::Unsupported {
            path: path.into(),
            what: "tokenizer_class",
            found: name,
            supported: format!(
                "{}; PreTrainedTokenizerFast reads tokenizer.json as it is: if that file alone is the tokenizer, write it \
                 in its place",
                Class::NAMES
            ),
        }),
    }
}

/// Refuses settings that would need code of others, or another file.
fn refuse(path: &Path, values: &Map<String, Value>) -> Result<()> {
    let own = |file: &Value| file == "tokenizer.json";
    for (key, value) in values {
        let fine = match key.as_str() {
            "auto_map" => match value.as_object() {
                Some(map) => map.get("AutoTokenizer").is_none_or(says_nothing),
                None => says_nothing(value),
            },
            "fast_tokenizer_files" => value.as_array().is_some_and(|files| files.iter().all(own)),
            "init_inputs" => says_nothing(value),
            _ => true,
        };
        if !fine {
            return Err(Error::Unsupported {
                path: path.into(),
                what: "setting",
                found: format!("{key}: {value}"),
                supported: "tokenizers that transformers builds without code of others; if tokenizer.json alone is the \
                            tokenizer, remove the key"
                    .into(),
            });
        }
    }
    Ok(())
}

/// Whether a key names a token by its role.
pub(super) fn is_role(key: &str) -> bool {
    NAMED.contains(&key) || key.ends_with("_token")
}
