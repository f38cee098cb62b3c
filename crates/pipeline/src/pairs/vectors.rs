use super::corpus::SplitPairs;
use crate::bench::Bench;
use crate::config::Experiment;
use crate::encode::{Tally, Vectors};
use crate::{Result, encoder};
use manyview_core::{Embeddings, Fingerprint, Instruction};

/// The vectors of all queries and passages, and what they took.
pub(crate) struct PairVectors {
    /// `[n, dim]`, a row for each pair.
    pub queries: Embeddings,
    /// `[m, dim]`, a row for each different passage.
    pub passages: Embeddings,
    /// The encoder's fingerprint.
    pub fingerprint: Fingerprint,
    /// What encoding took.
    pub tally: Tally,
    /// Texts whose end was cut.
    pub truncated: usize,
}

impl PairVectors {
    /// Encodes what the store does not have.
    ///
    /// # Errors
    /// An encoder or a store that cannot be used, or an interruption; what was encoded is kept.
    pub(crate) fn encode(
        bench: &mut Bench<'_>,
        experiment: &Experiment,
        corpus: &SplitPairs,
    ) -> Result<Self> {
        let encoder = bench.encoder(&experiment.encoder)?;
        let store = &experiment.output.store;
        let mut vectors = Vectors::new(encoder::remembered(&experiment.encoder, encoder, store)?);
        let passages: Vec<&str> = corpus.pairs.passages.iter().map(String::as_str).collect();
        let queries: Vec<&str> = corpus.pairs.queries.iter().map(String::as_str).collect();
        let passages = vectors.encode(&passages, None, bench.progress)?;
        let cut = vectors.truncated.len();
        let task = experiment.pairs.as_ref().map(|pairs| pairs.instruction.trim()).unwrap_or_default();
        let template = &experiment.teacher.template;
        let instruction = match task {
            "" => None,
            task => Some(Instruction::new(task).with_template(template)?),
        };
        let queries = vectors.encode(&queries, instruction.as_ref(), bench.progress)?;
        Ok(Self {
            queries,
            passages,
            fingerprint: vectors.fingerprint(),
            tally: vectors.tally,
            truncated: cut + vectors.truncated.len(),
        })
    }
}
