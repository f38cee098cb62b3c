//! Tokens that are matched in a text before it is normalised and split, and those with a role.
use super::class::Class;
use super::settings::is_role;
use crate::json_file::json;
use crate::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use tokenizers::AddedToken;

/// The roles that every tokenizer of transformers knows, in the order in which it adds their tokens.
pub(super) const NAMED: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// A token with a role.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) role: String,
    pub(super) token: AddedToken,
}

/// A token as the files hold it.
#[derive(Deserialize)]
struct Token {
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    normalized: Option<bool>,
    #[serde(default)]
    special: bool,
}

impl Token {
    fn special(self, special: bool) -> AddedToken {
        AddedToken {
            normalized: self.normalized.unwrap_or(!special),
            content: self.content,
            single_word: self.single_word,
            lstrip: self.lstrip,
            rstrip: self.rstrip,
            special,
        }
    }
}

/// The list `added_tokens_decoder` of `tokenizer_config.json`: tokens by id.
pub(super) fn decoder(path: &Path, value: &Value) -> Result<Vec<AddedToken>> {
    let tokens: BTreeMap<u32, Token> = Deserialize::deserialize(value)
        .map_err(|e| Error::file(path, format!("added_tokens_decoder: expected tokens by id: {e}")))?;
    Ok(tokens
        .into_values()
        .map(|token| {
            let special = token.special;
            token.special(special)
        })
        .collect())
}

/// What older directories have in its place: `added_tokens.json`, ids by token, and the tokens of `tokenizer.json`.
pub(super) fn legacy(dir: &Path, values: &Map<String, Value>) -> Result<Vec<AddedToken>> {
    #[derive(Deserialize)]
    struct WithId {
        id: u32,
        #[serde(flatten)]
        token: Token,
    }
    #[derive(Deserialize)]
    struct Tokenizer {
        #[serde(default)]
        added_tokens: Vec<WithId>,
    }
    let roles = values.iter().filter(|(key, _)| is_role(key)).filter_map(|(_, value)| content(value));
    let lists =
        ["extra_special_tokens", "additional_special_tokens"].into_iter().filter_map(|key| values.get(key));
    let special: Vec<&str> =
        roles.chain(lists.filter_map(Value::as_array).flatten().filter_map(content)).collect();
    let mut found = BTreeMap::new();
    for (content, id) in json::<BTreeMap<String, u32>>(&dir.join("added_tokens.json"))?.unwrap_or_default() {
        let special = special.contains(&content.as_str());
        found.insert(id, AddedToken::from(content, special));
    }
    let tokenizer = json::<Tokenizer>(&dir.join("tokenizer.json"))?;
    for WithId { id, token } in tokenizer.into_iter().flat_map(|tokenizer| tokenizer.added_tokens) {
        let special = token.special;
        found.insert(id, token.special(special));
    }
    Ok(found.into_values().collect())
}

/// The tokens with a role: those of the settings, else those the class has by default. `known` is how a token is
/// among the added ones.
pub(super) fn named(
    path: &Path,
    values: &Map<String, Value>,
    class: Class,
    known: impl Fn(&str) -> Option<AddedToken>,
) -> Result<Vec<Named>> {
    let models_own = values.iter().filter(|(key, value)| {
        is_role(key) && !NAMED.contains(&key.as_str()) && (value.is_string() || value.is_object())
    });
    let by_name = ["extra_special_tokens", "model_specific_special_tokens"].into_iter();
    let tables = by_name.filter_map(|key| values.get(key)?.as_object()).flatten();
    let mut found = Vec::new();
    let roles = NAMED
        .map(|role| (role, values.get(role).cloned().or_else(|| class.default_token(role).map(Value::from))));
    let others = models_own.chain(tables).map(|(role, value)| (role.as_str(), Some(value.clone())));
    for (role, value) in roles.into_iter().chain(others) {
        let Some(value) = value.filter(|value| !value.is_null()) else { continue };
        let token = match content(&value).and_then(&known) {
            Some(token) => token,
            None => one(path, role, &value, class.strips_before(role))?,
        };
        found.push(Named { role: role.into(), token: AddedToken { special: true, ..token } });
    }
    Ok(found)
}

/// Special tokens without a role: those of the settings, else those the class has by default.
pub(super) fn extra(path: &Path, values: &Map<String, Value>, class: Class) -> Result<Vec<AddedToken>> {
    let key = "extra_special_tokens";
    let list = |key: &str| values.get(key).and_then(Value::as_array).filter(|list| !list.is_empty());
    let told = |key: &str| values.get(key).is_some_and(|value| !value.is_object());
    if !told(key) && !told("additional_special_tokens") {
        let default = class.default_extra().iter();
        return Ok(default.map(|&content| AddedToken::from(content, true)).collect());
    }
    let list = list(key).or_else(|| list("additional_special_tokens"));
    let each = list.into_iter().flatten().map(|value| {
        let special = value.get("special").and_then(Value::as_bool).unwrap_or(true);
        Ok(AddedToken { special, ..one(path, key, value, false)? })
    });
    each.collect()
}

fn one(path: &Path, key: &str, value: &Value, lstrip: bool) -> Result<AddedToken> {
    match value {
        Value::String(content) => Ok(AddedToken::from(content.clone(), true).lstrip(lstrip)),
        table => Token::deserialize(table)
            .map(|token| token.special(true))
            .map_err(|e| Error::file(path, format!("{key}: expected a token, found {table}: {e}"))),
    }
}

/// What a token is, whether it stands there as text or as a table.
fn content(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}
