use crate::architecture::Architecture;
use crate::batches::{batches, windows};
use crate::checkpoint::Checkpoint;
use crate::engine::{Engine, Runner, Weights};
use crate::layout::Layout;
use crate::native::Past;
use crate::prompt::{Prompt, common, shared};
use crate::tokens::{Ids, Tokens};
use crate::{Device, Error, Pooling, Result, lookahead, streams};
use manyview_core::{Embeddings, Encoded, Encoder, Fingerprint, Instruction};
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
    prompt: Prompt,
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
        let model = Runner::load(&architecture, &checkpoint, (config.engine, config.weights), device)?;
        let numbers = model.numbers(config.weights);
        Ok(Self {
            model,
            dim: architecture.dim(),
            fingerprint: fingerprint(&checkpoint, &tokens, &layout, (pooling, max_length, numbers))?,
            tokens,
            pooling,
            layout,
            max_length,
            config: config.clone(),
            prompt: Prompt::default(),
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
        Ok(self.ids(texts, self.prefix(None).as_deref())?.iter().map(|i| i.ids.len()).collect())
    }

    /// The ids of each text, without an instruction.
    pub(crate) fn plain_ids(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>> {
        Ok(self.ids(texts, self.prefix(None).as_deref())?.into_iter().map(|i| i.ids).collect())
    }

    /// The weights it was loaded from, and what they are of.
    pub(crate) fn source(&self) -> Result<(Checkpoint, Architecture)> {
        let architecture = Architecture::read(&self.layout)?;
        Ok((Checkpoint::open(&self.layout.transformer, architecture.anchor())?, architecture))
    }

    fn ids(&self, texts: &[&str], prefix: Option<&str>) -> Result<Vec<Ids>> {
        match prefix {
            None => self.tokens.ids(texts),
            Some(p) => self.tokens.ids(&texts.iter().map(|text| format!("{p}{text}")).collect::<Vec<_>>()),
        }
    }

    /// Which texts are read together: all, or some batches of them on a device that computes meanwhile.
    fn windows(&self, texts: &[&str]) -> Vec<Vec<usize>> {
        match self.model.reads_ahead() {
            false => vec![(0..texts.len()).collect()],
            true => {
                let tokens = self.config.batch_tokens.saturating_mul(WINDOW * self.config.streams.max(1));
                windows(texts, self.max_length, tokens)
            }
        }
    }

    /// The ids of the texts of a window.
    fn read(&self, texts: &[&str], window: &[usize], prefix: Option<&str>) -> Result<Vec<Ids>> {
        let own: Vec<&str> = window.iter().map(|&i| texts[i]).collect();
        self.ids(&own, prefix).map_err(|e| match e {
            Error::Text { index, problem } => Error::Text { index: window[index], problem },
            other => other,
        })
    }

    /// Pooled states, `[texts, dim]`, in the order of the texts.
    fn compute(&self, ids: &[Ids], prefix: Option<&str>) -> Result<Vec<f32>> {
        let (past, known) = self.past(prefix, ids)?;
        let own: Vec<&[u32]> = ids.iter().zip(&known).map(|(text, &known)| &text.ids[known..]).collect();
        let lengths: Vec<usize> = own.iter().map(|ids| ids.len()).collect();
        let streams = self.config.streams;
        let share = lengths.iter().sum::<usize>().div_ceil(streams.max(1)); // few texts: some for every stream
        let batches = batches(&lengths, &known, self.config.batch_tokens.min(share), streams);
        let found = streams::run(batches.len(), streams, |i| {
            let batch = &batches[i];
            let lengths: Vec<usize> = batch.iter().map(|&i| lengths[i]).collect();
            let packed: Vec<u32> = batch.iter().flat_map(|&i| own[i]).copied().collect();
            let past = past.as_deref().filter(|_| known[batch[0]] > 0);
            self.model.encode(&packed, &lengths, past, self.pooling)
        })?;
        let dim = self.dim;
        let mut rows = vec![0f32; ids.len() * dim];
        for (batch, found) in batches.iter().zip(found) {
            for (&i, row) in batch.iter().zip(found.chunks_exact(dim)) {
                rows[i * dim..(i + 1) * dim].copy_from_slice(row);
            }
        }
        Ok(rows)
    }

    /// What stands before a text.
    fn prefix(&self, instruction: Option<&Instruction>) -> Option<String> {
        instruction.map(Instruction::prefix).or_else(|| self.layout.default_prompt.clone())
    }

    /// The states of the prompt's tokens and, for each text, how many of its tokens they are.
    fn past(&self, prefix: Option<&str>, ids: &[Ids]) -> Result<(Option<Arc<Past>>, Vec<usize>)> {
        let none = (None, vec![0; ids.len()]);
        let Some(prefix) = prefix.filter(|_| self.pooling == Pooling::LastToken) else { return Ok(none) };
        let prompt: Vec<u32> = self.tokens.ids(&[prefix])?.into_iter().flat_map(|i| i.ids).collect();
        let prompt = &prompt[..shared(&prompt, ids)];
        if prompt.is_empty() {
            return Ok(none);
        }
        let Some(past) = self.prompt.past(prompt, |ids| self.model.past(ids))? else { return Ok(none) };
        let begins = |text: &Ids| if common(prompt, &text.ids) == prompt.len() { prompt.len() } else { 0 };
        Ok((Some(past), ids.iter().map(begins).collect()))
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
        let prefix = self.prefix(instruction);
        let (n, dim) = (texts.len(), self.dim());
        let (mut vectors, mut truncated) = (vec![0f32; n * dim], vec![false; n]);
        let windows = self.windows(texts);
        let read = |w: usize| self.read(texts, &windows[w], prefix.as_deref());
        lookahead::run(windows.len(), read, |w, ids| {
            let rows = self.compute(&ids, prefix.as_deref())?;
            for ((&i, row), text) in windows[w].iter().zip(rows.chunks_exact(dim)).zip(&ids) {
                vectors[i * dim..(i + 1) * dim].copy_from_slice(row);
                truncated[i] = text.truncated;
            }
            Ok(())
        })?;
        let vectors = Embeddings::new(vectors, dim)?;
        let norms = vectors.rows().map(|row| row.iter().map(|v| v * v).sum::<f32>().sqrt()).collect();
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
    (pooling, max_length, numbers): (Pooling, usize, &str),
) -> Result<Fingerprint> {
    let config = layout.config_path();
    let config = std::fs::read(&config).map_err(Error::io(&config))?;
    let mut builder = Fingerprint::builder("encoder/1")
        .field("config", &config)
        .field("tokenizer", tokens.bytes())
        .field("pooling", pooling.as_str().as_bytes())
        .field("prompt", layout.default_prompt.as_deref().unwrap_or_default().as_bytes())
        .field("max_length", &(max_length as u64).to_le_bytes())
        .field("numbers", numbers.as_bytes());
    for path in checkpoint.paths() {
        let mut hasher = blake3::Hasher::new();
        let file = std::fs::File::open(path).map_err(Error::io(path))?;
        hasher.update_reader(file).map_err(Error::io(path))?;
        builder = builder.field("weights", hasher.finalize().as_bytes());
    }
    Ok(builder.finish())
}
