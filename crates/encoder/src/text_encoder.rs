use crate::architecture::{self, Summary};
use crate::batch::{Batch, Keep};
use crate::batches::{batches, windows};
use crate::checkpoint::Checkpoint;
use crate::engine::{self, Engine, Loaded, Weights};
use crate::kv_cache::KvCache;
use crate::layout::Layout;
use crate::long_texts::{self, LongTexts};
use crate::prefix_cache::{PrefixKvCache, common, shared};
use crate::states::States;
use crate::tokenizer::{Settings, TextTokenizer, TokenIds};
use crate::{Device, Error, Pooling, Result, lookahead, reading, streams};
use manyview_core::{Embeddings, Encoded, Encoder, Fingerprint, Instruction};
use rayon::prelude::*;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Batches whose texts are read together, while those before are computed.
const WINDOW: usize = 4;

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
            weights: Weights::default(),
        }
    }
}

/// A frozen text encoder: tokenizer, model and pooling of one directory.
pub struct TextEncoder {
    loaded: Loaded,
    summary: Summary,
    tokenizer: TextTokenizer,
    pooling: Pooling,
    layout: Layout,
    max_length: usize,
    config: EncoderConfig,
    fingerprint: Fingerprint,
    prefixes: PrefixKvCache,
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
        let pooling = match layout.pooling {
            Some(pooling) => pooling,
            None => architecture::default_pooling(&layout)?,
        };
        let loaded = engine::load(&layout, &checkpoint, (config.engine, config.weights), device)?;
        let identity = (pooling, max_length, loaded.dtype);
        let fingerprint = reading::fingerprint(&checkpoint, &tokenizer, &layout, identity)?;
        Ok(Self {
            fingerprint: match config.long {
                LongTexts::Cut => fingerprint,
                LongTexts::Windows => Fingerprint::builder("windows/1")
                    .field("encoder", fingerprint.as_str().as_bytes())
                    .finish(),
            },
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

    /// How token states become one vector.
    pub fn pooling(&self) -> Pooling {
        self.pooling
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

    fn ids(&self, texts: &[&str], prefix: Option<&str>) -> Result<Vec<TokenIds>> {
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

    /// Which texts are read together: all, or some batches of them on a device that computes meanwhile.
    fn windows(&self, texts: &[&str]) -> Vec<Vec<usize>> {
        match self.loaded.reads_ahead {
            false => vec![(0..texts.len()).collect()],
            true => {
                let tokens = self.config.batch_tokens.saturating_mul(WINDOW * self.config.streams.max(1));
                windows(texts, self.max_length, tokens)
            }
        }
    }

    /// The ids of the texts of a window.
    fn read(&self, texts: &[&str], window: &[usize], prefix: Option<&str>) -> Result<Vec<TokenIds>> {
        let own: Vec<&str> = window.iter().map(|&i| texts[i]).collect();
        self.ids(&own, prefix).map_err(|e| match e {
            Error::Text { index, problem } => Error::Text { index: window[index], problem },
            other => other,
        })
    }

    /// Pooled states, `[texts, dim]`, and what was read of each text.
    fn pooled(&self, texts: &[&str], prefix: Option<&str>) -> Result<(Vec<f32>, Vec<Read>)> {
        let (n, dim) = (texts.len(), self.dim());
        let (mut vectors, mut seen) = (vec![0f32; n * dim], vec![Read::default(); n]);
        let windows = self.windows(texts);
        let read = |w: usize| self.read(texts, &windows[w], prefix);
        lookahead::run(windows.len(), read, |w, ids| {
            let rows = self.compute(&ids, prefix)?;
            for ((&i, row), text) in windows[w].iter().zip(rows.chunks_exact(dim)).zip(&ids) {
                vectors[i * dim..(i + 1) * dim].copy_from_slice(row);
                seen[i] = Read { tokens: text.ids.len(), truncated: text.truncated };
            }
            Ok(())
        })?;
        Ok((vectors, seen))
    }

    /// Pooled states, `[texts, dim]`, of whole texts: those of their windows, weighted by tokens.
    fn pooled_windows(&self, texts: &[&str], prefix: Option<&str>) -> Result<Vec<f32>> {
        let around = self.around(prefix);
        let room = self.max_length.saturating_sub(around);
        let of_text = |(i, text): (usize, &&str)| {
            let windows = long_texts::windows(&self.tokenizer.offsets(i, text)?, room);
            Ok(match windows.len() {
                0 | 1 => vec![0..text.len()],
                _ => windows,
            })
        };
        let windows: Vec<Vec<Range<usize>>> =
            texts.par_iter().enumerate().map(of_text).collect::<Result<_>>()?;
        let owned = windows.iter().enumerate().flat_map(|(i, all)| all.iter().map(move |range| (i, range)));
        let (owners, parts): (Vec<usize>, Vec<&str>) =
            owned.map(|(i, range)| (i, long_texts::part(texts[i], range))).unzip();
        let (rows, read) = self.pooled(&parts, prefix).map_err(|e| match e {
            Error::Text { index, problem } => Error::Text { index: owners[index], problem },
            other => other,
        })?;
        let tokens: Vec<usize> = read.iter().map(|part| part.tokens.saturating_sub(around).max(1)).collect();
        Ok(long_texts::weighted_means(&rows, self.dim(), &owners, &tokens, texts.len()))
    }

    /// How many tokens stand around each text: special ones, and those of a prompt.
    fn around(&self, prefix: Option<&str>) -> usize {
        self.tokenizer.ids(&[prefix.unwrap_or_default()]).map_or(0, |ids| ids[0].ids.len())
    }

    /// Pooled states, `[texts, dim]`, in the order of the texts.
    fn compute(&self, ids: &[TokenIds], prefix: Option<&str>) -> Result<Vec<f32>> {
        let prefix = self.shared_prefix(prefix, ids)?;
        let pool = |states: States, lengths: &[usize]| states.pooled(self.pooling, lengths);
        let batches = self.run(ids, prefix.as_ref(), Keep::of(self.pooling), pool)?;
        let dim = self.dim();
        let mut rows = vec![0f32; ids.len() * dim];
        for (batch, found) in batches {
            for (&i, row) in batch.iter().zip(found.chunks_exact(dim)) {
                rows[i * dim..(i + 1) * dim].copy_from_slice(row);
            }
        }
        Ok(rows)
    }

    /// Runs texts through the model in batches, and what it gives for each through `finish`, with the tokens of each
    /// text.
    pub(crate) fn run(
        &self,
        ids: &[TokenIds],
        prefix: Option<&Prefix>,
        keep: Keep,
        finish: impl Fn(States, &[usize]) -> Result<Vec<f32>> + Sync,
    ) -> Result<Vec<(Vec<usize>, Vec<f32>)>> {
        let known = |text: &TokenIds| prefix.map_or(0, |prefix| prefix.begins(text));
        let known: Vec<usize> = ids.iter().map(known).collect();
        let own: Vec<&[u32]> = ids.iter().zip(&known).map(|(text, &known)| &text.ids[known..]).collect();
        let lengths: Vec<usize> = own.iter().map(|ids| ids.len()).collect();
        let streams = self.config.streams;
        let share = lengths.iter().sum::<usize>().div_ceil(streams.max(1)); // few texts: some for every stream
        let batches = batches(&lengths, &known, self.config.batch_tokens.min(share), streams);
        let found = streams::run(batches.len(), streams, |i| {
            let batch = &batches[i];
            let lengths: Vec<usize> = batch.iter().map(|&i| lengths[i]).collect();
            let packed: Vec<u32> = batch.iter().flat_map(|&i| own[i]).copied().collect();
            let prefix = prefix.filter(|_| known[batch[0]] > 0).map(|prefix| &*prefix.cache);
            let packed = Batch { ids: &packed, lengths: &lengths, prefix, keep };
            finish(self.loaded.model.states(&packed, None)?, &lengths)
        })?;
        Ok(batches.into_iter().zip(found).collect())
    }

    /// What stands before a text.
    fn prefix(&self, instruction: Option<&Instruction>) -> Option<String> {
        instruction.map(Instruction::prefix).or_else(|| self.layout.prompts.default.clone())
    }

    /// What stands before most of the texts, where the model can compute it once.
    fn shared_prefix(&self, prefix: Option<&str>, texts: &[TokenIds]) -> Result<Option<Prefix>> {
        let shareable = self.summary.causal && self.pooling == Pooling::LastToken;
        let Some(prefix) = prefix.filter(|_| shareable) else { return Ok(None) };
        let mut ids: Vec<u32> = self.tokenizer.ids(&[prefix])?.into_iter().flat_map(|i| i.ids).collect();
        ids.truncate(shared(&ids, texts));
        if ids.is_empty() {
            return Ok(None);
        }
        let cache = self.prefixes.get(&ids, |ids| {
            let mut cache = KvCache::default();
            let batch = Batch { ids, lengths: &[ids.len()], prefix: None, keep: Keep::Last };
            self.loaded.model.states(&batch, Some(&mut cache))?;
            Ok(cache)
        })?;
        Ok(Some(Prefix { ids, cache }))
    }
}

/// What was read of a text.
#[derive(Clone, Copy, Default)]
struct Read {
    tokens: usize,
    truncated: bool,
}

/// Tokens that stand before texts, and what the model computed of them.
pub(crate) struct Prefix {
    ids: Vec<u32>,
    cache: Arc<KvCache>,
}

impl Prefix {
    /// How many tokens of a text are those of the prefix: all of them, or none.
    fn begins(&self, text: &TokenIds) -> usize {
        if common(&self.ids, &text.ids) == self.ids.len() { self.ids.len() } else { 0 }
    }
}

impl Encoder for TextEncoder {
    fn dim(&self) -> usize {
        self.summary.hidden
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint.clone()
    }

    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> manyview_core::Result<Encoded> {
        if texts.is_empty() {
            return Err(manyview_core::Error::Empty { what: "texts to encode".into() });
        }
        let prefix = self.prefix(instruction);
        let (vectors, truncated) = match self.config.long {
            LongTexts::Cut => {
                let (vectors, read) = self.pooled(texts, prefix.as_deref())?;
                (vectors, read.iter().map(|text| text.truncated).collect())
            }
            LongTexts::Windows => (self.pooled_windows(texts, prefix.as_deref())?, vec![false; texts.len()]),
        };
        let vectors = Embeddings::new(vectors, self.dim())?;
        let norms = vectors.rows().map(|row| row.iter().map(|v| v * v).sum::<f32>().sqrt()).collect();
        Ok(Encoded { vectors: vectors.normalized()?, norms, truncated })
    }
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;
    use crate::engine::Model;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A model that counts the prefixes it computes.
    struct Counting {
        model: Box<dyn Model>,
        prefixes: Arc<AtomicUsize>,
    }

    impl Model for Counting {
        fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States> {
            self.prefixes.fetch_add(usize::from(cache.is_some()), Ordering::SeqCst);
            self.model.states(batch, cache)
        }
    }

    #[test]
    fn several_instructions_in_turn_are_each_computed_once() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models/qwen3-grouped");
        for engine in [Engine::Own, Engine::Burn] {
            let config = EncoderConfig { engine, ..EncoderConfig::default() };
            let mut encoder = TextEncoder::load(&golden, &config, &Device::flex()).unwrap();
            let prefixes = Arc::new(AtomicUsize::new(0));
            let Loaded { model, dtype, reads_ahead } = encoder.loaded;
            let model = Box::new(Counting { model, prefixes: prefixes.clone() });
            encoder.loaded = Loaded { model, dtype, reads_ahead };
            let tasks = ["topic", "place", "mood"].map(|task| Instruction::new(format!("Find the {task}")));
            let texts = ["rain fell over old Kent", "nobody came to ask", "a warm stone"];
            let encode = |task| encoder.encode(&texts, Some(task)).unwrap().vectors.into_vec();
            let first: Vec<Vec<f32>> = tasks.iter().map(encode).collect();
            for _ in 0..3 {
                assert!(tasks.iter().map(encode).eq(first.iter().cloned()), "{engine:?}: other vectors");
            }
            assert_eq!(prefixes.load(Ordering::SeqCst), tasks.len(), "{engine:?}");
        }
    }
}
