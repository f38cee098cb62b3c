use crate::config::Experiment;
use crate::corpus::SplitCorpus;
use crate::{Error, Result};
use manyview_adapter::Linear;
use manyview_core::{Embeddings, Encoder, Instruction, Latency, Transform};
use manyview_eval::latency;
use manyview_report::{Batch, Latencies};
use std::time::Duration;

/// Calls before the clock starts.
const WARM_UP: usize = 3;

/// Times of the passes over one text and over a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timings {
    /// One text.
    pub one: Latencies,
    /// A batch.
    pub batch: Batch,
}

/// Times of one pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    /// Over one text.
    pub one: Latency,
    /// Over a batch.
    pub batch: Latency,
}

impl Timings {
    /// Puts the passes side by side.
    pub(crate) fn new(batch: usize, teacher: Option<Pass>, base: Option<Pass>, adapter: Pass) -> Self {
        let passes = |pick: fn(Pass) -> Latency| Latencies {
            teacher: teacher.map(pick),
            base: base.map(pick),
            adapter: pick(adapter),
        };
        Self { one: passes(|p| p.one), batch: Batch { n: batch, passes: passes(|p| p.batch) } }
    }
}

/// The texts whose passes are timed: as many as a batch has, from everywhere in the corpus, whatever its labels.
pub(crate) fn timed_rows(experiment: &Experiment, corpus: &SplitCorpus) -> Vec<usize> {
    let (n, batch) = (corpus.corpus.texts.len(), experiment.evaluate.batch.max(1));
    (0..n).step_by((n / batch).max(1)).take(batch).collect()
}

/// Times the encoder over `texts`, one by one and together.
///
/// # Errors
/// Whatever the encoder reports.
pub(crate) fn encoder<E: Encoder>(
    experiment: &Experiment,
    texts: &[&str],
    encoder: &E,
    instruction: Option<&Instruction>,
) -> Result<Pass> {
    let one = |i: usize| texts.get(i % texts.len()..).and_then(|t| t.get(..1)).unwrap_or(texts);
    Ok(Pass {
        one: timed(experiment, |i| Ok(encoder.encode(one(i), instruction).map(drop)?))?,
        batch: timed(experiment, |_| Ok(encoder.encode(texts, instruction).map(drop)?))?,
    })
}

/// Times the adapter over stored vectors, `[n, dim]`, one by one and together.
///
/// # Errors
/// Vectors it does not take.
pub(crate) fn adapter(experiment: &Experiment, vectors: &Embeddings, linear: &Linear) -> Result<Pass> {
    let singles = vectors.rows().map(|row| Embeddings::from_rows([row])).collect::<Result<Vec<_>, _>>()?;
    let one = |i: usize| singles.get(i % singles.len()).unwrap_or(vectors);
    Ok(Pass {
        one: timed(experiment, |i| Ok(linear.transform(one(i)).map(drop)?))?,
        batch: timed(experiment, |_| Ok(linear.transform(vectors).map(drop)?))?,
    })
}

fn timed(experiment: &Experiment, call: impl FnMut(usize) -> Result<()>) -> Result<Latency> {
    let seconds = experiment.evaluate.latency_seconds;
    let budget = Duration::try_from_secs_f64(seconds).map_err(|_| {
        Error::setting(
            "evaluate.latency_seconds",
            format!("expected a number of seconds from 0, found {seconds}"),
        )
    })?;
    latency(budget, WARM_UP, call)
}
