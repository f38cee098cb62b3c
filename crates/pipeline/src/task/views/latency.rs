use super::corpus::SplitCorpus;
use super::data::ViewsData;
use super::spec::Spec;
use super::teacher;
use crate::config::{Encoder, TeacherKind};
use crate::run::{Context, Pass, PassKey};
use crate::task::fitted::{self, Fitted};
use crate::{Error, Result};
use manyview_adapter::Maps;
use manyview_core::{Embeddings, Encoder as _, Instruction, Latency};
use manyview_eval::latency;
use manyview_report::{Batch, Latencies};
use std::time::Duration;

/// Calls before the clock starts.
const WARM_UP: usize = 3;

/// Times of the passes over one text and over a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timings {
    /// One text.
    pub one: Latencies,
    /// A batch.
    pub batch: Batch,
}

impl Timings {
    /// Puts the passes side by side.
    fn new(batch: usize, teacher: Option<Pass>, base: Option<Pass>, adapter: Pass) -> Self {
        let passes = |pick: fn(Pass) -> Latency| Latencies {
            teacher: teacher.map(pick),
            base: base.map(pick),
            adapter: pick(adapter),
        };
        Self { one: passes(|p| p.one), batch: Batch { n: batch, passes: passes(|p| p.batch) } }
    }
}

/// Times every pass over the same texts: as many as a batch has, from everywhere in the corpus, whatever their labels. A
/// view of a fine-tuned encoder takes a pass of that encoder.
///
/// # Errors
/// Whatever an encoder reports, vectors the adapter does not take, an interruption.
pub(super) fn measure(
    spec: &Spec,
    corpus: &SplitCorpus,
    data: &ViewsData,
    model: &Fitted,
    cx: &mut Context<'_>,
) -> Result<Timings> {
    let (n, batch) = (corpus.corpus.texts.len(), spec.evaluate.batch.max(1));
    let rows: Vec<usize> = (0..n).step_by((n / batch).max(1)).take(batch).collect();
    let texts = corpus.texts(&rows);
    let prompted = spec.teacher.kind == TeacherKind::Instructed || !spec.teacher.instruction.is_empty();
    let instruction = prompted.then(|| teacher::instruction(&spec.teacher)).transpose()?;
    let seconds = spec.evaluate.latency_seconds;
    cx.progress.begin("time", 3);
    let (mut base, mut teacher) = (None, None);
    if corpus.vectors.is_none() {
        base = Some(encoder((&spec.encoder, None), &texts, seconds, cx)?);
        cx.progress.advance(1);
        teacher = instruction.map(|i| encoder((&spec.encoder, Some(i)), &texts, seconds, cx)).transpose()?;
    }
    cx.progress.advance(1);
    let view = match model {
        Fitted::Adapter(maps) => adapter(seconds, &data.base.select(&rows)?, maps)?,
        Fitted::Encoder => {
            encoder((&fitted::tuned(data.tuned.as_ref())?.encoder, None), &texts, seconds, cx)?
        }
    };
    cx.progress.end();
    if cx.progress.stopped() {
        return Err(manyview_core::Error::Interrupted.into());
    }
    Ok(Timings::new(rows.len(), teacher, base, view))
}

/// Times an encoder over `texts`, one by one and together, under an instruction or none; once for all variants.
fn encoder(
    (config, instruction): (&Encoder, Option<Instruction>),
    texts: &[&str],
    seconds: f64,
    cx: &mut Context<'_>,
) -> Result<Pass> {
    let encoder = cx.encoder(config)?;
    let key = PassKey {
        encoder: config.clone(),
        instruction: instruction.clone(),
        texts: texts.iter().map(ToString::to_string).collect(),
        seconds,
    };
    if let Some(pass) = cx.timed(&key) {
        return Ok(pass);
    }
    let one = |i: usize| texts.get(i % texts.len()..).and_then(|t| t.get(..1)).unwrap_or(texts);
    let pass = Pass {
        one: timed(seconds, |i| Ok(encoder.encode(one(i), instruction.as_ref()).map(drop)?))?,
        batch: timed(seconds, |_| Ok(encoder.encode(texts, instruction.as_ref()).map(drop)?))?,
    };
    cx.keep_timed(key, pass);
    Ok(pass)
}

/// Times the adapter over stored vectors, `[n, dim]`, one by one and together.
fn adapter(seconds: f64, vectors: &Embeddings, maps: &Maps) -> Result<Pass> {
    let singles = vectors.rows().map(|row| Embeddings::from_rows([row])).collect::<Result<Vec<_>, _>>()?;
    let one = |i: usize| singles.get(i % singles.len()).unwrap_or(vectors);
    Ok(Pass {
        one: timed(seconds, |i| Ok(maps.queries(one(i)).map(drop)?))?,
        batch: timed(seconds, |_| Ok(maps.queries(vectors).map(drop)?))?,
    })
}

fn timed(seconds: f64, call: impl FnMut(usize) -> Result<()>) -> Result<Latency> {
    let budget = Duration::try_from_secs_f64(seconds).map_err(|_| {
        Error::setting(
            "evaluate.latency_seconds",
            format!("expected a number of seconds from 0, found {seconds}"),
        )
    })?;
    latency(budget, WARM_UP, call)
}
