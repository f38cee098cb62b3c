use crate::json_file::json;
use crate::modules::{Kind, Named};
use crate::pooling_config::PoolingConfig;
use crate::prompts::Prompts;
use crate::sentence_bert::SentenceBert;
use crate::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// What a directory in the sentence-transformers layout says beside its weights.
pub(crate) struct Layout {
    /// The directory itself.
    pub(crate) root: PathBuf,
    /// Where config.json, the tokenizer and the weights are.
    pub(crate) transformer: PathBuf,
    /// The pooling it names; none in a plain Hugging Face directory.
    pub(crate) pooling: Option<PoolingConfig>,
    /// What stands behind it.
    pub(crate) modules: Vec<Named>,
    /// How sentence-transformers reads texts.
    pub(crate) reading: SentenceBert,
    /// Its prompts.
    pub(crate) prompts: Prompts,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Layout {
    /// Reads `modules.json` and what it names; without it, a plain Hugging Face directory, of which
    /// sentence-transformers reads no file of its own either.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        if !root.is_dir() {
            return Err(Error::file(
                root,
                "expected a directory with config.json, tokenizer.json and weights",
            ));
        }
        let layout = Self::of_modules(root)?;
        let adapter = layout.transformer.join("adapter_config.json");
        match adapter.exists() {
            true => Err(Error::file(
                &adapter,
                "expected an encoder with weights of its own, found an adapter of peft; merge it into them with \
                 `merge_and_unload()`, save the result, and take that directory",
            )),
            false => Ok(layout),
        }
    }

    fn of_modules(root: &Path) -> Result<Self> {
        let modules = root.join("modules.json");
        let Some(parts) = json::<Vec<Module>>(&modules)? else { return Self::plain(root) };
        let (mut transformer, mut pooling, mut behind) = (None, None, Vec::new());
        for part in parts {
            let dir = below(root, &part.path, &modules)?;
            let name = part.kind.strip_prefix("sentence_transformers.").and_then(|of| of.rsplit('.').next());
            match name.unwrap_or(&part.kind) {
                "Transformer" if transformer.is_none() && pooling.is_none() => transformer = Some(dir),
                "Pooling" if transformer.is_some() && pooling.is_none() => {
                    pooling = Some(PoolingConfig::read(&dir.join("config.json"))?);
                }
                other => match name.and_then(Kind::of_name).filter(|_| pooling.is_some()) {
                    Some(kind) => behind.push(Named { kind, dir }),
                    None => {
                        return Err(Error::Unsupported {
                            path: modules,
                            what: "module",
                            found: other.into(),
                            supported:
                                "sentence-transformers' own Transformer and Pooling, and behind them Dense, \
                                        LayerNorm, Dropout and Normalize"
                                    .into(),
                        });
                    }
                },
            }
        }
        let (Some(transformer), Some(pooling)) = (transformer, pooling) else {
            return Err(Error::file(&modules, "expected a Transformer and a Pooling, found no Pooling"));
        };
        let reading = SentenceBert::read(&transformer)?;
        Ok(Self {
            root: root.into(),
            reading,
            transformer,
            pooling: Some(pooling),
            modules: behind,
            prompts: Prompts::read(root)?,
        })
    }

    fn plain(root: &Path) -> Result<Self> {
        let own = crate::sentence_bert::NAMES.into_iter().chain([crate::prompts::NAME]);
        for unread in own.map(|name| root.join(name)).filter(|path| path.exists()) {
            tracing::warn!(
                "{}: not read, because there is no modules.json beside it; sentence-transformers does the same",
                unread.display()
            );
        }
        Ok(Self {
            root: root.into(),
            transformer: root.into(),
            pooling: None,
            modules: Vec::new(),
            reading: SentenceBert::default(),
            prompts: Prompts::default(),
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

fn below(root: &Path, relative: &str, named_in: &Path) -> Result<PathBuf> {
    let inside = Path::new(relative).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    match inside {
        true => Ok(root.join(relative)),
        false => {
            Err(Error::file(named_in, format!("expected a path below its directory, found {relative:?}")))
        }
    }
}
