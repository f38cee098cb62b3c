use crate::config::Encoder;
use crate::{Environment, Result};
use manyview_artifact::{cached_encoder, load_encoder};
use manyview_core::{Embeddings, Encoder as _, Fingerprint, Instruction, Latency, Progress};
use manyview_encoder::TextEncoder;
use manyview_store::CachedEncoder;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// State shared by the variants of a run: each encoder is loaded once, and its embeddings are in the store.
pub struct Context<'a> {
    /// Paths of the embedded data and the hub cache, and credentials of servers.
    pub environment: &'a Environment,
    /// Receives progress, and is asked whether to stop.
    pub progress: &'a dyn Progress,
    encoders: Vec<(Encoder, Arc<TextEncoder>)>,
    stored: Vec<(Encoder, PathBuf, CachedEncoder<Arc<TextEncoder>>)>,
    passes: Vec<(PassKey, Pass)>,
    tally: Tally,
}

/// Key of a latency measurement: encoder, instruction, texts, duration.
#[derive(Clone, PartialEq)]
pub(crate) struct PassKey {
    pub(crate) encoder: Encoder,
    pub(crate) instruction: Option<Instruction>,
    pub(crate) texts: Vec<String>,
    pub(crate) seconds: f64,
}

/// Latencies of one measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    /// Of one text.
    pub(crate) one: Latency,
    /// Of a batch.
    pub(crate) batch: Latency,
}

/// Texts that are encoded with the same prompt.
pub struct TextSet<'a> {
    /// The texts.
    pub texts: Vec<&'a str>,
    /// The prompt, if any.
    pub instruction: Option<Instruction>,
}

/// The embeddings of the texts of a task.
pub struct Encoded {
    /// For each [`TextSet`], in their order, a row for each text: `[n, dim]`.
    pub vectors: Vec<Embeddings>,
    /// The encoder's fingerprint.
    pub fingerprint: Fingerprint,
    /// Number of truncated texts.
    pub truncated: usize,
    /// The share of the tokens that the encoder read, of up to 1,000 texts; none where no text was truncated.
    pub share_read: Option<f64>,
}

/// The cost of encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Vectors computed.
    pub encoded: usize,
    /// Vectors found in the store.
    pub reused: usize,
    /// Wall time, seconds.
    pub seconds: f64,
}

impl Tally {
    /// Adds the cost of other work.
    pub fn add(&mut self, other: Self) {
        self.encoded += other.encoded;
        self.reused += other.reused;
        self.seconds += other.seconds;
    }
}

impl Encoded {
    /// The embeddings of exactly `N` sets of texts.
    ///
    /// # Errors
    /// Another number of sets.
    pub fn sets<const N: usize>(&self) -> Result<&[Embeddings; N]> {
        self.vectors.as_slice().try_into().map_err(|_| {
            let (expected, found) = (format!("{N} sets of texts"), self.vectors.len().to_string());
            manyview_core::Error::Shape { what: "encoded texts".into(), expected, found }.into()
        })
    }
}

impl<'a> Context<'a> {
    /// Nothing loaded yet.
    pub fn new(environment: &'a Environment, progress: &'a dyn Progress) -> Self {
        Self {
            environment,
            progress,
            encoders: Vec::new(),
            stored: Vec::new(),
            passes: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// The encoder of a configuration.
    ///
    /// # Errors
    /// A model that is missing or cannot be loaded.
    pub fn encoder(&mut self, config: &Encoder) -> Result<Arc<TextEncoder>> {
        if let Some((_, encoder)) = self.encoders.iter().find(|(c, _)| c == config) {
            return Ok(encoder.clone());
        }
        let encoder = Arc::new(load_encoder(config, &self.environment.sources, self.progress)?);
        self.encoders.push((config.clone(), encoder.clone()));
        Ok(encoder)
    }

    /// The embeddings of `sets`; those not in the store are encoded.
    ///
    /// # Errors
    /// An encoder or a store that cannot be used, or an interruption; embeddings computed by then are kept.
    pub fn encode(&mut self, config: &Encoder, store: &Path, sets: &[TextSet<'_>]) -> Result<Encoded> {
        let at = match self.stored.iter().position(|(c, path, _)| c == config && path == store) {
            Some(at) => at,
            None => {
                let stored = cached_encoder(config, self.encoder(config)?, store)?;
                self.stored.push((config.clone(), store.into(), stored));
                self.stored.len() - 1
            }
        };
        let stored = &self.stored[at].2;
        let (mut vectors, mut truncated, mut longest) = (Vec::new(), 0, None);
        for set in sets {
            let start = Instant::now();
            let (encoded, reuse) = stored.encode_all(&set.texts, set.instruction.as_ref(), self.progress)?;
            let seconds = start.elapsed().as_secs_f64();
            self.tally.add(Tally { encoded: reuse.encoded, reused: reuse.reused, seconds });
            let cut = encoded.truncated.iter().filter(|cut| **cut).count();
            truncated += cut;
            longest = longest.filter(|&(most, _)| most >= cut).or((cut > 0).then_some((cut, set)));
            vectors.push(encoded.vectors);
        }
        let fingerprint = stored.fingerprint();
        let share_read = longest.map(|(_, set)| self.share_read(config, set)).transpose()?;
        Ok(Encoded { vectors, fingerprint, truncated, share_read })
    }

    /// The share of the tokens of a set of texts that the encoder reads, from texts at even distances.
    fn share_read(&mut self, config: &Encoder, set: &TextSet<'_>) -> Result<f64> {
        const TEXTS: usize = 1000;
        let step = set.texts.len().div_ceil(TEXTS).max(1);
        let texts: Vec<&str> = set.texts.iter().step_by(step).copied().collect();
        Ok(self.encoder(config)?.share_read(&texts, set.instruction.as_ref())?)
    }

    /// The cost of encoding for this variant so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The latencies that another variant measured.
    pub(crate) fn timed(&self, key: &PassKey) -> Option<Pass> {
        self.passes.iter().find(|(known, _)| known == key).map(|(_, pass)| *pass)
    }

    /// Keeps latencies for other variants.
    pub(crate) fn keep_timed(&mut self, key: PassKey, pass: Pass) {
        self.passes.push((key, pass));
    }

    /// Begins the next variant; returns the cost of encoding for the previous one.
    pub(crate) fn next_variant(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}
