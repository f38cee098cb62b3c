//! From texts to vectors: tokens in batches through the model, pooled, and through the modules behind the pooling.

use crate::batch::{Batch, Keep};
use crate::batches::{batches, windows};
use crate::kv_cache::KvCache;
use crate::long_texts::{self, LongTexts};
use crate::prefix_cache::{common, shared};
use crate::states::States;
use crate::tokenizer::TokenIds;
use crate::{Error, Pooling, Result, TextEncoder, lookahead, streams};
use manyview_core::{Embeddings, Encoded, Encoder, Fingerprint, Instruction};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Batches whose texts are read together, while those before are computed.
const WINDOW: usize = 4;

impl TextEncoder {
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
        if room == 0 {
            let problem = format!(
                "expected room for a text beside the instruction and special tokens, found {around} of them and a limit of \
                 {}",
                self.max_length
            );
            return Err(Error::Setting { setting: "max_length", problem });
        }
        let of_text = |(i, text): (usize, &&str)| {
            let windows = long_texts::windows(&self.tokenizer.offsets(i, text)?, room);
            let whole = 0..text.len(); // with what is around its tokens
            Ok(if windows.len() > 1 { windows } else { vec![whole] })
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
    pub(crate) fn around(&self, prefix: Option<&str>) -> usize {
        self.tokenizer.ids(&[prefix.unwrap_or_default()]).map_or(0, |ids| ids[0].ids.len())
    }

    /// Pooled states, `[texts, dim]`, in the order of the texts.
    fn compute(&self, ids: &[TokenIds], prefix: Option<&str>) -> Result<Vec<f32>> {
        let skip = match prefix.filter(|_| !self.pooling.include_prompt) {
            Some(prompt) => self.tokenizer.prompt_length(prompt)?,
            None => 0,
        };
        let prefix = self.shared_prefix(prefix, ids)?;
        let only = self.pooling.only();
        let pool = |states: States, lengths: &[usize]| {
            let pooled = match only {
                Some(only) => states.pooled(only, lengths)?,
                None => self.pooling.pool(&states.into_vec()?, self.hidden(), lengths, skip),
            };
            let rows = self.modules.apply(pooled, self.pooling.modes.len() * self.hidden())?;
            Ok(match self.dim == self.modules.dim() {
                true => rows,
                false => {
                    rows.chunks_exact(self.modules.dim()).flat_map(|row| &row[..self.dim]).copied().collect()
                }
            })
        };
        let batches = self.run(ids, prefix.as_ref(), only.map_or(Keep::All, Keep::of), pool)?;
        let dim = self.dim;
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
    pub(crate) fn prefix(&self, instruction: Option<&Instruction>) -> Option<String> {
        instruction.map(Instruction::prefix).or_else(|| self.layout.prompts.default.clone())
    }

    /// What stands before most of the texts, where the model can compute it once.
    fn shared_prefix(&self, prefix: Option<&str>, texts: &[TokenIds]) -> Result<Option<Prefix>> {
        let shareable = self.summary.causal && self.pooling.only() == Some(Pooling::LastToken);
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
    use crate::engine::{Loaded, Model};
    use crate::{Device, EncoderConfig, Engine};
    use std::path::Path;
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
