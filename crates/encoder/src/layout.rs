use crate::{Error, Pooling, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a directory in the sentence-transformers layout says beside its weights.
pub(crate) struct Layout {
    /// The directory itself.
    pub(crate) root: PathBuf,
    /// Where config.json, tokenizer.json and the weights are.
    pub(crate) transformer: PathBuf,
    /// The pooling it names; none when it names none.
    pub(crate) pooling: Option<Pooling>,
    /// Tokens it reads of a text, specials included; none when it does not say.
    pub(crate) max_length: Option<usize>,
    /// Prompts by name.
    pub(crate) prompts: BTreeMap<String, String>,
    /// The prompt that texts without an instruction get.
    pub(crate) default_prompt: Option<String>,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct SentenceBert {
    max_seq_length: Option<usize>,
}

#[derive(Deserialize)]
struct SentenceTransformers {
    #[serde(default)]
    prompts: BTreeMap<String, String>,
    #[serde(default)]
    default_prompt_name: Option<String>,
}

impl Layout {
    /// Reads `modules.json` and what it names; without it, a plain Hugging Face directory.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        if !root.is_dir() {
            return Err(Error::file(
                root,
                "expected a directory with config.json, tokenizer.json and weights",
            ));
        }
        let (mut transformer, mut pooling) = (root.to_path_buf(), None);
        let modules = root.join("modules.json");
        for module in json::<Vec<Module>>(&modules)?.unwrap_or_default() {
            let dir = below(root, &module.path, &modules)?;
            match module.kind.rsplit('.').next().unwrap_or_default() {
                "Transformer" => transformer = dir,
                "Pooling" => pooling = Some(Pooling::read(&dir.join("config.json"))?),
                "Normalize" => {} // vectors are normalised in any case
                other => {
                    return Err(Error::Unsupported {
                        path: modules,
                        what: "module",
                        found: other.into(),
                        supported: "Transformer, Pooling, Normalize".into(),
                    });
                }
            }
        }
        let prompts = json::<SentenceTransformers>(&root.join("config_sentence_transformers.json"))?;
        let (prompts, default) =
            prompts.map_or_else(Default::default, |p| (p.prompts, p.default_prompt_name));
        let default_prompt = default.and_then(|name| prompts.get(&name).cloned()).filter(|p| !p.is_empty());
        let sentence_bert = json::<SentenceBert>(&transformer.join("sentence_bert_config.json"))?;
        Ok(Self {
            root: root.into(),
            max_length: sentence_bert.and_then(|s| s.max_seq_length),
            transformer,
            pooling,
            prompts,
            default_prompt,
        })
    }

    /// `config.json` of the transformer.
    pub(crate) fn config<T: DeserializeOwned>(&self) -> Result<T> {
        let path = self.config_path();
        json(&path)?
            .ok_or_else(|| Error::file(&path, "expected the model's configuration, found no such file"))
    }

    /// Where it is.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.transformer.join("config.json")
    }
}

/// A JSON file as `T`; none when there is no such file.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path)(e)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|e| Error::file(path, e.to_string()))
}

fn below(root: &Path, relative: &str, named_in: &Path) -> Result<PathBuf> {
    let inside = Path::new(relative).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    match inside {
        true => Ok(root.join(relative)),
        false => {
            Err(Error::file(named_in, format!("expected a path below its directory, found {relative:?}")))
        }
    }
}
