use crate::config::Experiment;
use crate::corpus::SplitCorpus;
use crate::{Error, Result};
use manyview_adapter::Linear;
use manyview_core::{Embeddings, Encoder, Instruction, Latency, Transform};
use manyview_report::{Batch, Latencies};
use std::time::Instant;

/// Times of the passes over one text and over a batch.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// One text.
    pub one: Latencies,
    /// A batch.
    pub batch: Batch,
}

/// Times the teacher's pass (the encoder under the instruction), the base pass, and the adapter alone, after warm-up,
/// each on the same test texts.
///
/// # Errors
/// Whatever a pass reports.
pub fn measure<E: Encoder>(
    experiment: &Experiment,
    corpus: &SplitCorpus,
    encoder: &E,
    instruction: Option<&Instruction>,
    base: &Embeddings,
    linear: &Linear,
) -> Result<Timings> {
    let seconds = experiment.evaluate.latency_seconds;
    let rows: Vec<usize> = corpus.split.test.iter().copied().take(experiment.evaluate.batch.max(1)).collect();
    let texts = corpus.texts(&rows);
    let vectors = base.select(&rows)?;
    let singles: Vec<Embeddings> = vectors.rows().map(|row| Embeddings::from_rows([row])).collect::<Result<_, _>>()?;
    let one = Latencies {
        teacher: instruction
            .map(|i| cycle(seconds, &texts, |text| drop(encoder.encode(&[text], Some(i))?)))
            .transpose()?,
        base: Some(cycle(seconds, &texts, |text| Ok(drop(encoder.encode(&[text], None)?)))?),
        adapter: cycle(seconds, &singles, |x| Ok(drop(linear.transform(x)?)))?,
    };
    todo!()
}
