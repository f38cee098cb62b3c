use crate::architecture::Architecture;
use crate::batches::batches;
use crate::checkpoint::Checkpoint;
use crate::engine::{Engine, Runner, Weights};
use crate::layout::Layout;
use crate::tokens::{Ids, Tokens};
use crate::{Device, Error, Pooling, Result};
use manyview_core::{Embeddings, Encoded, Encoder, Fingerprint, Instruction};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

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
            weights: Weights::default(),
        }
    }
}

/// A frozen text encoder: tokenizer, model and pooling of one directory.
pub struct TextEncoder {
    model: Runner,
    dim: usize,
    tokens: Tokens,
    pooling: Pooling,
    layout: Layout,
    max_length: usize,
    config: EncoderConfig,
    fingerprint: Fingerprint,
}

impl TextEncoder {
    /// Loads a directory in the Hugging Face or sentence-transformers layout: `config.json`, `tokenizer.json`, and
    /// `model.safetensors` or shards; `modules.json`, pooling and prompts where there are any.
    ///
    /// # Errors
    /// A model, module or number format this crate does not run, by name; a file that is missing, cut or damaged; a
    /// tokenizer of another model.
    pub fn load(dir: &Path, config: &EncoderConfig, device: &Device) -> Result<Self> {
        let layout = Layout::read(dir)?;
        let architecture = Architecture::read(&layout)?;
        let checkpoint = Checkpoint::open(&layout.transformer, architecture.anchor())?;
        let max_length = max_length(config, &layout, &architecture)?;
        let tokens = Tokens::read(&layout.transformer, architecture.vocabulary(), max_length)?;
        let pooling = layout.pooling.unwrap_or_else(|| architecture.usual_pooling());
        Ok(Self {
            model: Runner::load(&architecture, &checkpoint, (config.engine, config.weights), device)?,
            dim: architecture.dim(),
            fingerprint: fingerprint(&checkpoint, &tokens, &layout, (pooling, max_length, config.weights))?,
            tokens,
            pooling,
            layout,
            max_length,
            config: config.clone(),
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
        self.layout.prompts.get(name).map(String::as_str)
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
        Ok(self.ids(texts, None)?.iter().map(|i| i.ids.len()).collect())
    }

    fn ids(&self, texts: &[&str], instruction: Option<&Instruction>) -> Result<Vec<Ids>> {
        let prefix = instruction.map(Instruction::prefix).or_else(|| self.layout.default_prompt.clone());
        let prompted = |text: &&str| prefix.as_ref().map_or(text.to_string(), |p| format!("{p}{text}"));
        match prefix {
            None => self.tokens.ids(texts),
            Some(_) => self.tokens.ids(&texts.iter().map(prompted).collect::<Vec<_>>()),
        }
    }

    /// Pooled states before normalisation, `[texts, dim]`, of one batch.
    fn forward(&self, ids: &[Ids], batch: &[usize]) -> Result<Vec<f32>> {
        let lengths: Vec<usize> = batch.iter().map(|&i| ids[i].ids.len()).collect();
        let packed: Cow<'_, [u32]> = match batch {
            [one] => Cow::Borrowed(&ids[*one].ids),
            many => Cow::Owned(many.iter().flat_map(|&i| ids[i].ids.iter().copied()).collect()),
        };
        self.model.encode(&packed, &lengths, self.pooling)
    }

    /// Runs the batches, several side by side where configured; gives each batch its vectors.
    fn run(&self, ids: &[Ids], batches: &[Vec<usize>]) -> Result<Vec<Vec<f32>>> {
        let streams = self.config.streams.min(batches.len());
        if streams < 2 {
            return batches.iter().map(|batch| self.forward(ids, batch)).collect();
        }
        let next = AtomicUsize::new(0);
        let done: Vec<Mutex<Option<Result<Vec<f32>>>>> = batches.iter().map(|_| Mutex::new(None)).collect();
        let stream = || {
            while let Some(i) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&i| i < batches.len()) {
                let vectors = self.forward(ids, &batches[i]);
                if let Ok(mut slot) = done[i].lock() {
                    *slot = Some(vectors);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..streams {
                scope.spawn(|| match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(stream),
                    Err(_) => stream(), // no thread to be had: share those there are
                });
            }
        });
        let missing =
            || Error::Core(manyview_core::Error::other(manyview_core::Kind::Internal, "a batch was lost"));
        done.into_iter().map(|slot| slot.into_inner().ok().flatten().ok_or_else(missing)?).collect()
    }
}

impl Encoder for TextEncoder {
    fn dim(&self) -> usize {
        self.dim
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint.clone()
    }

    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> manyview_core::Result<Encoded> {
        if texts.is_empty() {
            return Err(manyview_core::Error::Empty { what: "texts to encode".into() });
        }
        let ids = self.ids(texts, instruction)?;
        let lengths: Vec<usize> = ids.iter().map(|i| i.ids.len()).collect();
        let share = lengths.iter().sum::<usize>().div_ceil(self.config.streams.max(1)); // few texts: some for every stream
        let batches = batches(&lengths, self.config.batch_tokens.min(share));
        let dim = self.dim();
        let mut vectors = vec![0f32; texts.len() * dim];
        for (batch, found) in batches.iter().zip(self.run(&ids, &batches)?) {
            for (&i, row) in batch.iter().zip(found.chunks_exact(dim)) {
                vectors[i * dim..(i + 1) * dim].copy_from_slice(row);
            }
        }
        let vectors = Embeddings::new(vectors, dim)?;
        let norms = vectors.rows().map(|row| row.iter().map(|v| v * v).sum::<f32>().sqrt()).collect();
        let truncated = ids.iter().map(|i| i.truncated).collect();
        Ok(Encoded { vectors: vectors.normalized()?, norms, truncated })
    }
}

fn max_length(config: &EncoderConfig, layout: &Layout, architecture: &Architecture) -> Result<usize> {
    let most = architecture.positions();
    match config.max_length {
        None => Ok(layout.max_length.unwrap_or(most).min(most)),
        Some(n) if (4..=most).contains(&n) => Ok(n),
        Some(n) => Err(Error::Setting {
            setting: "max_length",
            problem: format!("expected 4 to {most} tokens, which is what this model can read, found {n}"),
        }),
    }
}

/// Everything a vector depends on but the text and the instruction.
fn fingerprint(
    checkpoint: &Checkpoint,
    tokens: &Tokens,
    layout: &Layout,
    (pooling, max_length, weights): (Pooling, usize, Weights),
) -> Result<Fingerprint> {
    let config = layout.config_path();
    let config = std::fs::read(&config).map_err(Error::io(&config))?;
    let mut builder = Fingerprint::builder("encoder/1")
        .field("config", &config)
        .field("tokenizer", tokens.bytes())
        .field("pooling", pooling.as_str().as_bytes())
        .field("prompt", layout.default_prompt.as_deref().unwrap_or_default().as_bytes())
        .field("max_length", &(max_length as u64).to_le_bytes())
        .field("numbers", weights.as_str().as_bytes());
    for path in checkpoint.paths() {
        let mut hasher = blake3::Hasher::new();
        let file = std::fs::File::open(path).map_err(Error::io(path))?;
        hasher.update_reader(file).map_err(Error::io(path))?;
        builder = builder.field("weights", hasher.finalize().as_bytes());
    }
    Ok(builder.finish())
}
