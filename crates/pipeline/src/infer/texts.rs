use super::chunks::{Chunk, Chunks};
use super::ledger::Ledger;
use super::metadata::{Encoding, Holds, Inferred, Origin, Written};
use super::output::{Opened, Output};
use super::views::{View, encoder_of};
use super::{Inference, Input, keep, transform};
use crate::config::{self, TeacherKind};
use crate::{Environment, Error, Result, encoder};
use manyview_adapter::Saved;
use manyview_core::{Embeddings, Encoded, Encoder, Fingerprint, Instruction, Progress};
use manyview_data::Beside;
use manyview_encoder::TextEncoder;
use manyview_store::CachedEncoder;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A file of texts, and how to encode them.
#[derive(Clone, Debug)]
pub struct Texts {
    /// `.csv`, `.tsv`, `.jsonl`, `.ndjson` or `.parquet`.
    pub input: PathBuf,
    /// Its column of texts.
    pub text_column: String,
    /// A column to write beside the vectors.
    pub id_column: Option<String>,
    /// Whether a row with the text of an earlier one is left out.
    pub dedup: bool,
    /// Whether a row without a text or an identifier is left out rather than refused.
    pub drop_missing: bool,
    /// Whether to encode the texts under the instruction of the adapter as well.
    pub with_teacher: bool,
    /// Encoder in place of the one the adapters name.
    pub encoder: Option<String>,
    /// Device to encode on.
    pub device: String,
    /// The vector store.
    pub store: PathBuf,
}

pub(super) fn infer(
    inference: &Inference,
    from: &Texts,
    views: &[View],
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<Inferred> {
    let instruction = from.with_teacher.then(|| instruction(views)).transpose()?;
    let prompt = prompt(views)?;
    let input = Input::open(&from.input)?;
    let start = Instant::now();
    let total = from.look(inference.limit)?;
    let looked = start.elapsed().as_secs_f64();
    let config = from.encoder(views)?;
    let encoder = encoder::load(&config, environment, progress)?;
    let (fingerprint, dim) = (encoder.fingerprint(), encoder.dim());
    views.iter().try_for_each(|view| view.expects(&fingerprint))?;
    let stored = encoder::cached(&config, encoder, &from.store)?;

    let files = files(inference, views, dim, prompt.as_ref(), instruction.as_ref());
    let names: Vec<(String, usize)> = files.iter().map(|file| (file.file.clone(), file.dim)).collect();
    let chunk = inference.chunk(dim);
    let key = key(inference, from, views, &input, chunk, &fingerprint, [&prompt, &instruction]);
    let columns: &[&str] =
        if from.id_column.is_some() { &["row", "id", "truncated"] } else { &["row", "truncated"] };
    let csv = (inference.format == super::FileFormat::Npy).then_some(columns);
    let (mut output, mut ledger) =
        match Output::open(&inference.output, key.as_str(), inference.format, &names, csv)? {
            Opened::Done(inferred) => return Ok(*inferred),
            Opened::Open(output, ledger) => (output, ledger),
        };
    ledger.seconds.hash += input.seconds;
    ledger.seconds.read += looked;

    progress.begin("infer", (total - ledger.read.min(total)) as u64);
    let pass = Pass { from, views, stored: &stored, prompt, instruction: instruction.as_ref(), progress };
    let done = from
        .chunks(chunk, inference.limit, from.dedup)
        .and_then(|chunks| pass.run(chunks, &mut output, &mut ledger));
    progress.end();
    keep(done, &mut output, &ledger)?;
    ledger.some_rows(&from.input)?;
    input.unchanged()?;
    let known = format!("the encoder `{}` made them", config.model);
    output.finish(ledger, |ledger| Inferred {
        schema: Inferred::SCHEMA.into(),
        input: from.input.clone(),
        input_blake3: input.blake3,
        rows_read: ledger.read,
        rows: ledger.rows,
        dropped: ledger.dropped,
        truncated: Some(ledger.truncated),
        normalized: None,
        encoder: Origin { name: config.model, fingerprint: Some(fingerprint), known },
        files,
        base: Some(ledger.base),
        teacher: instruction.map(|_| ledger.teacher),
        seconds: ledger.seconds,
    })
}

/// What the teacher is told: the instruction of the only adapter, in the template it was fitted with.
fn instruction(views: &[View]) -> Result<Instruction> {
    let wrong = |problem: String| Error::setting("--with-teacher", problem);
    let [View { saved: Saved { card, .. }, .. }] = views else {
        let n = views.len();
        return Err(wrong(format!(
            "expected one adapter, whose instruction the teacher is given, found {n}"
        )));
    };
    if card.instruction().trim().is_empty() {
        return Err(wrong("expected an adapter with an instruction, found one without".into()));
    }
    let template = card.settings.get("template").and_then(|t| t.as_str());
    Ok(Instruction::new(card.instruction())
        .with_template(template.unwrap_or(Instruction::DEFAULT_TEMPLATE))?)
}

/// What all adapters expect texts to be prompted with.
fn prompt(views: &[View]) -> Result<Option<Instruction>> {
    let mut prompts = views.iter().map(View::prompt);
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

/// The matrices, in the order they are written.
fn files(
    inference: &Inference,
    views: &[View],
    dim: usize,
    prompt: Option<&Instruction>,
    instruction: Option<&Instruction>,
) -> Vec<Written> {
    let holds = Holds::Base { instruction: prompt.cloned() };
    let base = Written { file: inference.format.file("base"), holds, dim };
    let taught = |instruction: &Instruction| Written {
        file: inference.format.file("teacher"),
        holds: Holds::Teacher {
            instruction: instruction.clone(),
            fitted: views.iter().all(|view| view.saved.card.teacher() == TeacherKind::Instructed.as_str()),
        },
        dim,
    };
    let views = views.iter().map(|view| view.written(inference.format));
    [base].into_iter().chain(views).chain(instruction.map(taught)).collect()
}

/// Stands for all that the files depend on.
fn key(
    inference: &Inference,
    from: &Texts,
    views: &[View],
    input: &Input,
    chunk: usize,
    encoder: &Fingerprint,
    [prompt, instruction]: [&Option<Instruction>; 2],
) -> Fingerprint {
    let flags = [from.dedup, from.drop_missing].map(u8::from);
    let limit = inference.limit.map_or(String::new(), |n| n.to_string());
    let of = |instruction: &Option<Instruction>| {
        instruction.as_ref().map(|instruction| instruction.prompt("")).unwrap_or_default()
    };
    let key = Fingerprint::builder("infer-texts/1")
        .field("input", input.blake3.as_bytes())
        .field("text", from.text_column.as_bytes())
        .field("id", from.id_column.as_deref().unwrap_or_default().as_bytes())
        .field("flags", &flags)
        .field("limit", limit.as_bytes())
        .field("format", inference.format.file("").as_bytes())
        .field("chunk", &chunk.to_le_bytes())
        .field("encoder", encoder.as_str().as_bytes())
        .field("prompt", of(instruction).as_bytes());
    let key = match prompt {
        None => key,
        prompt => key.field("base prompt", of(prompt).as_bytes()),
    };
    views.iter().fold(key, |key, view| view.identity(key)).finish()
}

/// The pass over the texts.
struct Pass<'a> {
    from: &'a Texts,
    views: &'a [View],
    stored: &'a CachedEncoder<TextEncoder>,
    /// What texts are prompted with.
    prompt: Option<Instruction>,
    /// What the teacher is told.
    instruction: Option<&'a Instruction>,
    progress: &'a dyn Progress,
}

impl Pass<'_> {
    fn run(&self, mut chunks: Chunks<'_>, output: &mut Output, ledger: &mut Ledger) -> Result<()> {
        loop {
            let start = Instant::now();
            let chunk = chunks.next().transpose()?;
            ledger.seconds.read += start.elapsed().as_secs_f64();
            let Some(chunk) = chunk else { return Ok(()) };
            if chunk.end <= ledger.read {
                continue; // an earlier run did it
            }
            if self.progress.stopped() {
                return Err(manyview_core::Error::Interrupted.into());
            }
            let mut after = ledger.clone();
            let mut shown = 0;
            if !chunk.texts.is_empty() {
                shown = self.write(&chunk, output, &mut after)?;
            }
            after.dropped.missing += chunk.dropped.missing;
            after.dropped.duplicates += chunk.dropped.duplicates;
            self.progress.advance(((chunk.end - after.read) as u64).saturating_sub(shown));
            after.read = chunk.end;
            *ledger = after;
            output.acknowledge_when_due(ledger)?;
        }
    }

    /// Encodes, transforms and writes a chunk; gives the number of rows that progress was told of.
    fn write(&self, chunk: &Chunk, output: &mut Output, ledger: &mut Ledger) -> Result<u64> {
        let within = |rows| Within { whole: self.progress, rows, done: AtomicU64::new(0) };
        let (start, shown) = (Instant::now(), within(self.instruction.is_none()));
        let base = self.encode(chunk, self.prompt.as_ref(), &mut ledger.base, &shown)?;
        ledger.seconds.encode += start.elapsed().as_secs_f64();
        ledger.truncated += base.truncated.iter().filter(|cut| **cut).count();
        let views = transform(self.views, &base.vectors, &chunk.rows, ledger)?;
        let start = Instant::now();
        let taught = |i| self.encode(chunk, Some(i), &mut ledger.teacher, &within(false));
        let teacher = self.instruction.map(taught).transpose()?;
        if teacher.is_some() {
            ledger.seconds.teacher += start.elapsed().as_secs_f64();
        }
        let matrices: Vec<&Embeddings> =
            [&base.vectors].into_iter().chain(&views).chain(teacher.as_ref().map(|t| &t.vectors)).collect();
        let ids = self.from.id_column.as_ref().map(|_| chunk.ids.as_slice());
        let beside = Beside { rows: &chunk.rows, ids, truncated: Some(&base.truncated) };
        output.append(&matrices, beside, ledger)?;
        Ok(shown.done.into_inner())
    }

    fn encode(
        &self,
        chunk: &Chunk,
        instruction: Option<&Instruction>,
        tally: &mut Encoding,
        progress: &dyn Progress,
    ) -> Result<Encoded> {
        let texts: Vec<&str> = chunk.texts.iter().map(String::as_str).collect();
        let (encoded, reuse) = self.stored.encode_all(&texts, instruction, progress)?;
        tally.encoded += reuse.encoded;
        tally.reused += reuse.reused;
        Ok(encoded)
    }
}

/// Progress within a chunk: its steps are counted where they are rows, its stages are not shown, which would flicker.
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

impl Texts {
    /// The same texts, encoded by the encoder in `dir`, which learnt itself.
    pub(super) fn with_encoder(&self, dir: &Path) -> Result<Self> {
        match &self.encoder {
            None => Ok(Self { encoder: Some(dir.display().to_string()), ..self.clone() }),
            Some(other) => {
                let found = format!(
                    "expected none beside the encoder that learnt in {}, found `{other}`",
                    dir.display()
                );
                Err(Error::setting("--encoder", found))
            }
        }
    }

    /// The encoder of the adapters, or the one asked for.
    fn encoder(&self, views: &[View]) -> Result<config::Encoder> {
        match (views.first(), &self.encoder) {
            (Some(View { saved: Saved { card, .. }, .. }), other) => {
                encoder_of(&card.encoder, &card.settings, other.as_deref(), &self.device)
            }
            (None, Some(model)) => Ok(config::Encoder {
                model: model.clone(),
                device: self.device.clone(),
                ..config::Encoder::default()
            }),
            (None, None) => Err(Error::setting("--adapter", "expected one, or --encoder, found neither")),
        }
    }
}
