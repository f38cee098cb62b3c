use crate::Result;
use manyview_core::{Embeddings, Encoder, Fingerprint, Instruction, Progress};
use manyview_store::Stored;
use std::time::Instant;

/// The vectors of one run: an encoder that remembers, and a tally of what it had to do.
pub struct Vectors<E> {
    stored: Stored<E>,
    /// What was done so far.
    pub tally: Tally,
    /// Texts of the last call whose end was cut, by index.
    pub truncated: Vec<usize>,
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

impl<E: Encoder> Vectors<E> {
    /// Vectors from `stored`, nothing done yet.
    pub fn new(stored: Stored<E>) -> Self {
        Self { stored, tally: Tally::default(), truncated: Vec::new() }
    }

    /// The encoder behind it, without the store.
    pub fn encoder(&self) -> &E {
        self.stored.inner()
    }

    /// The encoder's identity.
    pub fn fingerprint(&self) -> Fingerprint {
        self.stored.fingerprint()
    }

    /// One vector a text, `[n, dim]`, from the store where it has them.
    ///
    /// # Errors
    /// Whatever the encoder or the store reports; what was encoded before it is kept.
    pub fn encode(
        &mut self,
        texts: &[&str],
        instruction: Option<&Instruction>,
        progress: &dyn Progress,
    ) -> Result<Embeddings> {
        let start = Instant::now();
        let (encoded, reuse) = self.stored.encode_all(texts, instruction, progress)?;
        self.tally.encoded += reuse.encoded;
        self.tally.reused += reuse.reused;
        self.truncated = (0..texts.len()).filter(|&i| encoded.truncated.get(i) == Some(&true)).collect();
        self.tally.seconds += start.elapsed().as_secs_f64();
        Ok(encoded.vectors)
    }
}
