use crate::json_file::json;
use crate::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The file of prompts.
pub(crate) const NAME: &str = "config_sentence_transformers.json";
/// Prompts that sentence-transformers knows in any model; they are empty where the file has none.
const BUILT_IN: [&str; 2] = ["query", "document"];

/// What may stand before texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prompts {
    /// By name.
    pub(crate) by_name: BTreeMap<String, String>,
    /// The one that texts without an instruction get; none where it is empty.
    pub(crate) default: Option<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    prompts: BTreeMap<String, Option<String>>,
    default_prompt_name: Option<String>,
    /// How many values of a vector are kept.
    truncate_dim: Option<usize>,
    /// Which of its kinds of models sentence-transformers saved.
    model_type: Option<String>,
}

impl Prompts {
    /// Reads `config_sentence_transformers.json`.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let path = root.join(NAME);
        let Some(file) = json::<File>(&path)? else { return Ok(Self::default()) };
        let refused = |what, found: String, supported: &str| {
            Err(Error::Unsupported { path: path.clone(), what, found, supported: supported.into() })
        };
        if let Some(kind) = file.model_type.filter(|kind| kind != "SentenceTransformer") {
            return refused("model_type", kind, "SentenceTransformer");
        }
        if let Some(dim) = file.truncate_dim {
            return refused("truncate_dim", dim.to_string(), "vectors with all their values; remove the key");
        }
        let given: BTreeMap<String, String> =
            file.prompts.into_iter().map(|(name, prompt)| (name, prompt.unwrap_or_default())).collect();
        let built_in = BUILT_IN.map(|name| (name.to_string(), String::new()));
        let all: BTreeMap<String, String> = built_in.into_iter().chain(given.clone()).collect();
        let default = match &file.default_prompt_name {
            None => None,
            Some(name) => match all.get(name) {
                Some(prompt) => Some(prompt.clone()).filter(|prompt| !prompt.is_empty()),
                None => {
                    let names = all.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                    return refused("default_prompt_name", name.clone(), &names);
                }
            },
        };
        Ok(Self { by_name: given, default })
    }
}
