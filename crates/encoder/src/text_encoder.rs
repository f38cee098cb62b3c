use crate::architecture::{self, Summary};
use crate::checkpoint::Checkpoint;
use crate::engine::{self, Engine, Loaded, Weights};
use crate::layout::Layout;
use crate::long_texts::LongTexts;
use crate::modules::Modules;
use crate::pooling_config::PoolingConfig;
use crate::prefix_cache::PrefixKvCache;
use crate::tokenizer::{Settings, TextTokenizer, TokenIds};
use crate::{Device, Error, Result, reading};
#[cfg(feature = "train")]
use crate::{Pooling, batch::Keep};
use manyview_core::{Fingerprint, Instruction};
use rayon::prelude::*;
use std::ops::Range;
use std::path::Path;

/// How texts are read and batched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderConfig {
    /// Tokens read of each text, prompt and special tokens included; the model's own maximum without it.
    pub max_length: Option<usize>,
    /// Tokens in one batch.
    pub batch_tokens: usize,
    /// Batches that run side by side, each on one thread: the fastest way to use a CPU. With 1, a batch has the whole
    /// device, as an accelerator wants it.
    pub streams: usize,
    /// What computes.
    pub engine: Engine,
    /// What becomes of longer texts.
    pub long: LongTexts,
    /// Values of a vector that are kept, the first ones: of models that were trained so (Matryoshka). All without it.
    pub truncate_dim: Option<usize>,
    /// What the model's matrices are held as. Vectors depend on it, so it is part of the fingerprint.
    pub weights: Weights,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            max_length: None,
            batch_tokens: 1024,
            streams: rayon::current_num_threads(),
            engine: Engine::default(),
            long: LongTexts::default(),
            truncate_dim: None,
            weights: Weights::default(),
        }
    }
}

/// A frozen text encoder: tokenizer, model and pooling of one directory.
pub struct TextEncoder {
    pub(crate) loaded: Loaded,
    pub(crate) summary: Summary,
    pub(crate) tokenizer: TextTokenizer,
    pub(crate) pooling: PoolingConfig,
    pub(crate) modules: Modules,
    pub(crate) layout: Layout,
    pub(crate) max_length: usize,
    pub(crate) config: EncoderConfig,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) dim: usize,
    pub(crate) prefixes: PrefixKvCache,
}

impl TextEncoder {
    /// Loads a directory in the Hugging Face or sentence-transformers layout: `config.json`, the tokenizer and its
    /// settings, and `model.safetensors` or shards; `modules.json`, pooling and prompts where there are any.
    ///
    /// # Errors
    /// A model, module, setting, tensor or number format this crate does not run, by name; a file that is missing,
    /// cut or damaged; a tokenizer of another model.
    pub fn load(dir: &Path, config: &EncoderConfig, device: &Device) -> Result<Self> {
        let layout = Layout::read(dir)?;
        let architecture = architecture::model_type(&layout)?;
        let summary = architecture::summary(&layout)?;
        let checkpoint = Checkpoint::open(&layout.transformer, &summary)?;
        architecture::check_tensors(&layout, &checkpoint)?;
        let settings = Settings::read(&layout, &architecture)?;
        let max_length = reading::max_length(config, &layout, &settings, &summary)?;
        let tokenizer = TextTokenizer::read(&layout, &settings, summary.vocabulary, max_length)?;
        if summary.token_types && tokenizer.marks_a_second_text() {
            let problem = "expected a tokenizer that marks all tokens of a text as those of a first text, found others; \
                           change type_id in its post_processor to 0";
            return Err(Error::file(&layout.transformer.join("tokenizer.json"), problem));
        }
        let pooling = match &layout.pooling {
            Some(pooling) => pooling.clone(),
            None => architecture::default_pooling(&layout)?.into(),
        };
        let modules = Modules::load(&layout.modules, pooling.modes.len() * summary.hidden)?;
        let dim = truncated_dim(config.truncate_dim, modules.dim())?;
        let loaded = engine::load(&layout, &checkpoint, (config.engine, config.weights), device)?;
        let identity = (&pooling, max_length, loaded.dtype);
        let fingerprint = reading::fingerprint(&checkpoint, &tokenizer, &layout, identity)?;
        Ok(Self {
            fingerprint: with_steps_behind(fingerprint, config, &modules),
            dim,
            modules,
            loaded,
            summary,
            tokenizer,
            pooling,
            layout,
            max_length,
            config: config.clone(),
            prefixes: PrefixKvCache::default(),
        })
    }

    /// Tokens read of each text, prompt and special tokens included.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// How token states become one vector: `mean`, `cls`, `cls+max` and so on.
    pub fn pooling(&self) -> String {
        self.pooling.describe()
    }

    /// How token states become one vector, and what becomes of it.
    pub(crate) fn pooling_config(&self) -> &PoolingConfig {
        &self.pooling
    }

    /// Whether vectors are cut to their first values.
    pub(crate) fn is_truncated(&self) -> bool {
        self.dim < self.modules.dim()
    }

    /// The length of token states.
    pub(crate) fn hidden(&self) -> usize {
        self.summary.hidden
    }

    /// The tokens of a text whose mean is its vector, where it is one: what fine-tuning computes.
    #[cfg(feature = "train")]
    pub(crate) fn tokens_of_mean(&self) -> Result<Keep> {
        let pooled =
            self.pooling.only().filter(|_| self.modules.identity().is_empty() && self.dim == self.hidden());
        match pooled {
            Some(Pooling::Mean) => Ok(Keep::All),
            Some(Pooling::Cls) => Ok(Keep::First),
            Some(Pooling::LastToken) => Ok(Keep::Last),
            _ => Err(Error::Setting {
                setting: "model",
                problem: format!(
                    "expected an encoder that pools by mean, cls or lasttoken alone to fine-tune, found {} with {} \
                     modules behind it and {} of {} dimensions",
                    self.pooling.describe(),
                    self.modules.identity().len(),
                    self.dim,
                    self.modules.dim()
                ),
            }),
        }
    }

    /// A prompt of `config_sentence_transformers.json`, by name.
    pub fn prompt(&self, name: &str) -> Option<&str> {
        self.layout.prompts.by_name.get(name).map(String::as_str)
    }

    /// The directory it was loaded from.
    pub fn path(&self) -> &Path {
        &self.layout.root
    }

    /// Number of tokens the model reads of each text, without an instruction.
    ///
    /// # Errors
    /// A text the tokenizer cannot read.
    pub fn token_counts(&self, texts: &[&str]) -> Result<Vec<usize>> {
        Ok(self.ids(texts, self.prefix(None).as_deref())?.iter().map(|i| i.ids.len()).collect())
    }

    /// The share of the tokens of `texts` that the encoder reads, prompt and special tokens apart: 1 where it reads them
    /// whole.
    ///
    /// # Errors
    /// A text the tokenizer cannot read.
    pub fn share_read(&self, texts: &[&str], instruction: Option<&Instruction>) -> Result<f64> {
        let most = match self.config.long {
            LongTexts::Cut => {
                self.max_length.saturating_sub(self.around(self.prefix(instruction).as_deref()))
            }
            LongTexts::Windows => usize::MAX,
        };
        let of_text = |(i, text): (usize, &&str)| Ok(self.tokenizer.offsets(i, text)?.len());
        let tokens: Vec<usize> = texts.par_iter().enumerate().map(of_text).collect::<Result<_>>()?;
        let read: usize = tokens.iter().map(|&tokens| tokens.min(most)).sum();
        Ok(read as f64 / tokens.iter().sum::<usize>().max(1) as f64)
    }

    /// The ids of each text, without an instruction.
    #[cfg(feature = "train")]
    pub(crate) fn plain_ids(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>> {
        Ok(self.ids(texts, self.prefix(None).as_deref())?.into_iter().map(|i| i.ids).collect())
    }

    /// The weights it was loaded from, and the directory that describes them.
    #[cfg(feature = "train")]
    pub(crate) fn source(&self) -> Result<(Checkpoint, &Layout)> {
        Ok((Checkpoint::open(&self.layout.transformer, &self.summary)?, &self.layout))
    }

    pub(crate) fn ids(&self, texts: &[&str], prefix: Option<&str>) -> Result<Vec<TokenIds>> {
        match prefix {
            None => self.tokenizer.ids(texts),
            Some(p) => self.tokenizer.ids(&texts.iter().map(|text| format!("{p}{text}")).collect::<Vec<_>>()),
        }
    }

    /// The ids of each text, and the bytes of it that each token stands for; none for what stands before it.
    pub(crate) fn ids_and_offsets(
        &self,
        texts: &[&str],
        instruction: Option<&Instruction>,
    ) -> Result<Vec<(TokenIds, Vec<Range<usize>>)>> {
        let prefix = self.prefix(instruction).unwrap_or_default();
        let whole: Vec<String> = texts.iter().map(|text| format!("{prefix}{text}")).collect();
        let mut found = self.tokenizer.ids_and_offsets(&whole)?;
        for range in found.iter_mut().flat_map(|(_, offsets)| offsets) {
            *range = range.start.saturating_sub(prefix.len())..range.end.saturating_sub(prefix.len());
        }
        Ok(found)
    }
}

/// How many values of a vector are kept.
fn truncated_dim(asked: Option<usize>, dim: usize) -> Result<usize> {
    match asked {
        None => Ok(dim),
        Some(n) if (1..=dim).contains(&n) => Ok(n),
        Some(n) => Err(Error::Setting {
            setting: "truncate_dim",
            problem: format!("expected 1 to {dim}, the length of the model's vectors, found {n}"),
        }),
    }
}

/// The identity of an encoder with the steps behind the pooling, where there are any.
fn with_steps_behind(encoder: Fingerprint, config: &EncoderConfig, modules: &Modules) -> Fingerprint {
    let mut found = encoder;
    if !modules.identity().is_empty() {
        let builder = Fingerprint::builder("modules/1").field("encoder", found.as_str().as_bytes());
        found = modules
            .identity()
            .iter()
            .fold(builder, |builder, module| builder.field("module", module))
            .finish();
    }
    let step = |found: Fingerprint, name: &str, value: &[u8]| {
        Fingerprint::builder(name).field("encoder", found.as_str().as_bytes()).field("value", value).finish()
    };
    if let Some(dim) = config.truncate_dim.filter(|&dim| dim < modules.dim()) {
        found = step(found, "truncate_dim/1", &(dim as u64).to_le_bytes());
    }
    match config.long {
        LongTexts::Cut => found,
        LongTexts::Windows => step(found, "long/1", config.long.as_str().as_bytes()),
    }
}
