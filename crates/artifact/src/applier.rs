use super::batch::{Batch, Rows};
use super::metadata::{Encoding, Seconds};
use super::open::{Artifact, Opened};
use crate::{Error, Result};
use manyview_adapter::TaskCard;
use manyview_core::{
    Embeddings, Encoder, Error as CoreError, Fingerprint, Instruction, Progress, Targets, Transform,
};
use manyview_encoder::TextEncoder;
use manyview_store::CachedEncoder;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Adapters and heads over the vectors of one encoder, which encodes texts where it is there.
///
/// It knows no files: a batch of rows comes in, what each model makes of them goes out. The same rows give the same scores in
/// one batch and in many, and the same views but for the rounding of a float where a batch has a single row.
pub struct Applier<E = TextEncoder> {
    models: Vec<Opened>,
    passages: bool,
    encoder: Option<CachedEncoder<E>>,
    prompt: Option<Instruction>,
    teacher: Option<Instruction>,
}

/// What models made of a batch.
#[derive(Debug)]
pub struct Applied {
    /// The vectors of the texts, `[n, dim]`; none where vectors were given, or no row has a text.
    pub base: Option<Embeddings>,
    /// Whether the end of each text was cut, `[n]`.
    pub truncated: Vec<bool>,
    /// What each model gives, in the order of the models; empty where no row has a text.
    pub outcomes: Vec<Outcome>,
    /// The vectors of the texts under the instruction, where they were asked for.
    pub teacher: Option<Embeddings>,
    /// What the base vectors took.
    pub encoding: Encoding,
    /// What the teacher's vectors took.
    pub teaching: Encoding,
    /// How long each part took.
    pub seconds: Seconds,
    /// Rows that progress was told of.
    pub(crate) shown: u64,
}

/// What one model gives: a row for each row with a text or a vector.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A view, `[n, dim_out]`, of an adapter.
    View(Embeddings),
    /// Scores, `[n, dim_out]`, of a head.
    Scores(Targets),
}

impl<E: Encoder> Applier<E> {
    /// Takes models of one encoder; of adapters that map queries and passages in different ways, rows are queries unless
    /// they are `passages`.
    ///
    /// # Errors
    /// Models of several encoders, an encoder among them, and one of queries alone where rows are passages.
    pub fn new(models: Vec<Opened>, passages: bool) -> Result<Self> {
        for model in &models {
            match &model.artifact {
                Artifact::Adapter(maps) if passages && maps.passage().is_none() => {
                    let problem = format!(
                        "expected an adapter that maps passages, found one of queries alone (query-only) in {}; its \
                         passages are base vectors",
                        model.dir.display()
                    );
                    return Err(Error::setting("--passages", problem));
                }
                Artifact::Encoder => return Err(model.is_encoder()),
                Artifact::Adapter(_) | Artifact::Head(_) => {}
            }
        }
        if let Some((first, others)) = models.split_first() {
            others.iter().try_for_each(|other| other.card.expects(&first.card.encoder_fingerprint))?;
        }
        let prompt = prompt(&models, passages)?;
        Ok(Self { models, passages, encoder: None, prompt, teacher: None })
    }

    /// The same models, over texts that `encoder` encodes.
    ///
    /// # Errors
    /// Another encoder than the models take vectors of.
    pub fn with_encoder(self, encoder: CachedEncoder<E>) -> Result<Self> {
        let fingerprint = encoder.fingerprint();
        self.models.iter().try_for_each(|model| model.card.expects(&fingerprint))?;
        Ok(Self { encoder: Some(encoder), ..self })
    }

    /// The same, and each text under the instruction of the only adapter: what the adapter saves.
    ///
    /// # Errors
    /// Several adapters, or one without an instruction.
    pub fn with_teacher(self) -> Result<Self> {
        let wrong = |problem: String| Error::setting("--with-teacher", problem);
        let [only] = self.models.as_slice() else {
            let n = self.models.len();
            let problem = format!("expected one adapter, whose instruction the teacher is given, found {n}");
            return Err(wrong(problem));
        };
        if only.card.instruction().trim().is_empty() {
            return Err(wrong("expected an adapter with an instruction, found one without".into()));
        }
        let teacher = Some(templated(only, only.card.instruction())?);
        Ok(Self { teacher, ..self })
    }

    /// The models, in the order of the outcomes.
    pub fn models(&self) -> &[Opened] {
        &self.models
    }

    /// What texts are prompted with: queries that an adapter learnt under an instruction.
    pub fn prompt(&self) -> Option<&Instruction> {
        self.prompt.as_ref()
    }

    /// What the teacher is told.
    pub fn teacher(&self) -> Option<&Instruction> {
        self.teacher.as_ref()
    }

    /// Whether rows are mapped as passages.
    pub fn passages(&self) -> bool {
        self.passages
    }

    /// The encoder of texts, and the length of its vectors.
    pub fn encoder(&self) -> Option<(Fingerprint, usize)> {
        self.encoder.as_ref().map(|encoder| (encoder.fingerprint(), encoder.dim()))
    }

    /// What the models make of the rows of `batch`.
    ///
    /// # Errors
    /// Texts where there is no encoder, vectors of another length, results that leave the finite range, by the row of the
    /// input; what the encoder or the store report; an interruption.
    pub fn apply(&self, batch: &Batch, progress: &dyn Progress) -> Result<Applied> {
        let mut applied = Applied {
            base: None,
            truncated: Vec::new(),
            outcomes: Vec::new(),
            teacher: None,
            encoding: Encoding::default(),
            teaching: Encoding::default(),
            seconds: Seconds::default(),
            shown: 0,
        };
        match &batch.rows {
            Rows::Vectors(x) => applied.outcomes = self.outcomes(x, batch, &mut applied.seconds)?,
            Rows::Texts(texts) => {
                let texts: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
                if !texts.is_empty() {
                    self.apply_texts(&texts, batch, progress, &mut applied)?;
                }
            }
        }
        Ok(applied)
    }

    fn apply_texts(
        &self,
        texts: &[&str],
        batch: &Batch,
        progress: &dyn Progress,
        applied: &mut Applied,
    ) -> Result<()> {
        let encoder = self.encoder.as_ref().ok_or_else(|| {
            Error::setting("--encoder", "expected an encoder for texts, found none; give base vectors")
        })?;
        let within = |rows| Within { whole: progress, rows, done: AtomicU64::new(0) };
        let (start, shown) = (Instant::now(), within(self.teacher.is_none()));
        let (base, reuse) = encoder.encode_all(texts, self.prompt.as_ref(), &shown)?;
        applied.seconds.encode = start.elapsed().as_secs_f64();
        applied.encoding = Encoding { encoded: reuse.encoded, reused: reuse.reused };
        applied.shown = shown.done.into_inner();
        applied.outcomes = self.outcomes(&base.vectors, batch, &mut applied.seconds)?;
        if let Some(teacher) = &self.teacher {
            let start = Instant::now();
            let (taught, reuse) = encoder.encode_all(texts, Some(teacher), &within(false))?;
            applied.seconds.teacher = start.elapsed().as_secs_f64();
            applied.teaching = Encoding { encoded: reuse.encoded, reused: reuse.reused };
            applied.teacher = Some(taught.vectors);
        }
        applied.truncated = base.truncated;
        applied.base = Some(base.vectors);
        Ok(())
    }

    fn outcomes(&self, base: &Embeddings, batch: &Batch, seconds: &mut Seconds) -> Result<Vec<Outcome>> {
        let start = Instant::now();
        let outcomes = self.models.iter().map(|model| {
            let found = match &model.artifact {
                Artifact::Adapter(maps) if self.passages => maps.passages(base).map(Outcome::View),
                Artifact::Adapter(maps) => maps.queries(base).map(Outcome::View),
                Artifact::Head(head) => head.transform(base).map(Outcome::Scores),
                Artifact::Encoder => return Err(model.is_encoder()),
            };
            found.map_err(|e| told(e, model, batch).into())
        });
        let outcomes = outcomes.collect::<Result<_>>();
        seconds.transform = start.elapsed().as_secs_f64();
        outcomes
    }
}

/// The error with the row of the input in place of that of the batch.
fn told(e: CoreError, model: &Opened, batch: &Batch) -> CoreError {
    let what = format!("what {} makes of the input", model.dir.display());
    let of = |row: usize| {
        let row = match &batch.rows {
            Rows::Texts(texts) => {
                let with_text = texts.iter().zip(&batch.numbers).filter(|(text, _)| text.is_some());
                with_text.map(|(_, number)| *number).nth(row)
            }
            Rows::Vectors(_) => batch.numbers.get(row).copied(),
        };
        row.and_then(|row| usize::try_from(row).ok()).unwrap_or_default()
    };
    match e {
        CoreError::NonFinite { row, .. } => CoreError::NonFinite { what, row: of(row) },
        CoreError::ZeroRow { row, .. } => CoreError::ZeroRow { what, row: of(row) },
        e => e,
    }
}

/// What all models expect texts to be prompted with.
fn prompt(models: &[Opened], passages: bool) -> Result<Option<Instruction>> {
    let prompt_of = |model: &Opened| match &model.card.task {
        TaskCard::Retrieval { instruction } if !passages && !instruction.trim().is_empty() => {
            templated(model, instruction.trim()).map(Some)
        }
        _ => Ok(None),
    };
    let mut prompts = models.iter().map(prompt_of);
    let first = prompts.next().transpose()?.flatten();
    for other in prompts {
        if other? != first {
            let problem =
                "expected adapters whose texts are prompted alike, found several prompts; name one at a time";
            return Err(Error::setting("--adapter", problem));
        }
    }
    Ok(first)
}

/// An instruction in the template that the model was fitted with.
fn templated(model: &Opened, instruction: &str) -> Result<Instruction> {
    let template = model.card.settings.get("template").and_then(|template| template.as_str());
    Ok(Instruction::new(instruction).with_template(template.unwrap_or(Instruction::DEFAULT_TEMPLATE))?)
}

/// Progress within a batch: its steps are counted where they are rows, its stages are not shown, which would flicker.
struct Within<'a> {
    whole: &'a dyn Progress,
    rows: bool,
    done: AtomicU64,
}

impl Progress for Within<'_> {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, by: u64) {
        if self.rows {
            self.done.fetch_add(by, Ordering::Relaxed);
            self.whole.advance(by);
        }
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.whole.stopped()
    }
}
