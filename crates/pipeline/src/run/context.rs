use crate::config::Encoder;
use crate::{Environment, Result, encoder};
use manyview_core::{Embeddings, Encoder as _, Fingerprint, Instruction, Latency, Progress};
use manyview_encoder::TextEncoder;
use manyview_store::CachedEncoder;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// What the variants of a run share: each encoder is loaded once, and keeps its vectors in the store.
pub struct Context<'a> {
    /// Where embedded data, the hub's cache and the credentials of servers are.
    pub environment: &'a Environment,
    /// Told how far the work is, and asked whether to stop.
    pub progress: &'a dyn Progress,
    encoders: Vec<(Encoder, Arc<TextEncoder>)>,
    stored: Vec<(Encoder, PathBuf, CachedEncoder<Arc<TextEncoder>>)>,
    passes: Vec<(PassKey, Pass)>,
    tally: Tally,
}

/// Which timed pass: of which encoder, under which instruction, over which texts, for how long.
#[derive(Clone, PartialEq)]
pub(crate) struct PassKey {
    pub(crate) encoder: Encoder,
    pub(crate) instruction: Option<Instruction>,
    pub(crate) texts: Vec<String>,
    pub(crate) seconds: f64,
}

/// Times of one pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    /// Over one text.
    pub(crate) one: Latency,
    /// Over a batch.
    pub(crate) batch: Latency,
}

/// Texts that are encoded alike.
pub struct TextSet<'a> {
    /// The texts.
    pub texts: Vec<&'a str>,
    /// What they are prompted with.
    pub instruction: Option<Instruction>,
}

/// The vectors of the texts of a task.
pub struct Encoded {
    /// For each [`TextSet`], in their order, a row for each text: `[n, dim]`.
    pub vectors: Vec<Embeddings>,
    /// The encoder's fingerprint.
    pub fingerprint: Fingerprint,
    /// Texts whose end was cut.
    pub truncated: usize,
}

/// What encoding took.
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
    /// Adds what another piece of work took.
    pub fn add(&mut self, other: Self) {
        self.encoded += other.encoded;
        self.reused += other.reused;
        self.seconds += other.seconds;
    }
}

impl Encoded {
    /// The vectors of exactly `N` sets of texts.
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
    /// A model that is not there or cannot be used.
    pub fn encoder(&mut self, config: &Encoder) -> Result<Arc<TextEncoder>> {
        if let Some((_, encoder)) = self.encoders.iter().find(|(c, _)| c == config) {
            return Ok(encoder.clone());
        }
        let encoder = Arc::new(encoder::load(config, self.environment, self.progress)?);
        self.encoders.push((config.clone(), encoder.clone()));
        Ok(encoder)
    }

    /// The vectors of `sets`, encoded where the store does not have them.
    ///
    /// # Errors
    /// An encoder or a store that cannot be used, or an interruption; what was encoded by then is kept.
    pub fn encode(&mut self, config: &Encoder, store: &Path, sets: &[TextSet<'_>]) -> Result<Encoded> {
        let at = match self.stored.iter().position(|(c, path, _)| c == config && path == store) {
            Some(at) => at,
            None => {
                let stored = encoder::cached(config, self.encoder(config)?, store)?;
                self.stored.push((config.clone(), store.into(), stored));
                self.stored.len() - 1
            }
        };
        let stored = &self.stored[at].2;
        let (mut vectors, mut truncated) = (Vec::new(), 0);
        for set in sets {
            let start = Instant::now();
            let (encoded, reuse) = stored.encode_all(&set.texts, set.instruction.as_ref(), self.progress)?;
            let seconds = start.elapsed().as_secs_f64();
            self.tally.add(Tally { encoded: reuse.encoded, reused: reuse.reused, seconds });
            truncated += encoded.truncated.iter().filter(|cut| **cut).count();
            vectors.push(encoded.vectors);
        }
        Ok(Encoded { vectors, fingerprint: stored.fingerprint(), truncated })
    }

    /// What encoding for this variant took so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The times of a pass that another variant took.
    pub(crate) fn timed(&self, key: &PassKey) -> Option<Pass> {
        self.passes.iter().find(|(known, _)| known == key).map(|(_, pass)| *pass)
    }

    /// Keeps the times of a pass for other variants.
    pub(crate) fn keep_timed(&mut self, key: PassKey, pass: Pass) {
        self.passes.push((key, pass));
    }

    /// Begins another variant; gives what encoding for the one before took.
    pub(crate) fn next_variant(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}
