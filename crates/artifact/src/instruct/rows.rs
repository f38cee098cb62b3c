//! Answers to the instructions in the rows of a file.

use super::{Answer, Answers, Ask, InstructionEngine};
use crate::growing::{Chunk, FileSpec, Form};
use crate::input::Input;
use crate::ledger::Ledger;
use crate::metadata::Encoding;
use crate::output::{Begun, Output, Place};
use crate::steps::in_steps;
use crate::{Error, Result};
use manyview_answer::Document;
use manyview_core::{Fingerprint, Kind, Progress, Quiet};
use manyview_data::{Beside, InputFile, Rows, Table};
use serde::Serialize;
use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows answered at once.
const ROWS: usize = 64;
/// Bytes of documents that are kept for rows further down.
const KEPT: usize = 64 << 20;

/// Rows of texts and instructions to answer.
#[derive(Clone, Debug)]
pub struct InstructionRows {
    /// A file of rows, as [`Rows::open`] takes it, or `-` for standard input.
    pub input: PathBuf,
    /// The `.jsonl` file to make.
    pub output: PathBuf,
    /// Column of texts.
    pub text_column: String,
    /// Column of instructions.
    pub instruction_column: String,
    /// One instruction for all rows, in place of the column.
    pub instruction: Option<String>,
    /// Column of identifiers; rows have numbers without it.
    pub id_column: Option<String>,
    /// Answers a row at most, where the template says nothing else.
    pub top_k: usize,
}

/// What was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnsweredRows {
    /// Rows written.
    pub rows: usize,
    /// Rows among them that could not be answered; their lines say why.
    pub failed: usize,
    /// Documents encoded, and rows whose document was already.
    pub encoding: Encoding,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    template: Option<&'a str>,
    answers: Option<&'a [Answer]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Lines of a batch of rows.
struct Lines {
    bytes: Vec<u8>,
    rows: Vec<u64>,
    failed: usize,
    encoding: Encoding,
    end: usize,
}

/// Answers every row, in order: a line of JSON each. A row that cannot be answered keeps its line, with the reason. The
/// text of several rows is encoded once where they are near each other. The output appears whole or not at all.
///
/// When it is stopped or killed, what is done is kept in a hidden directory beside the output, and the same call goes
/// on there, to the same bytes. A call with another input, encoder or setting starts over.
///
/// # Errors
/// A file or column that cannot be read, an output that cannot be written, [`manyview_core::Error::Interrupted`].
pub fn answer_rows(
    rows: &InstructionRows,
    engine: &InstructionEngine,
    progress: &dyn Progress,
) -> Result<AnsweredRows> {
    if rows.top_k == 0 {
        return Err(Error::setting("top_k", "expected at least 1, found 0"));
    }
    let file = InputFile::open(&rows.input)?;
    let input = Input::open(file.path())?;
    let total = rows.look(file.path())?;
    let spec = FileSpec { name: name(&rows.output), form: Form::Lines };
    let key = rows.key(&input, engine);
    let (mut output, mut ledger) = match Output::open(place(&rows.output)?, key.as_str(), &[spec])? {
        Begun::Done(ledger) => return Ok(summary(&ledger)),
        Begun::Open(output, ledger) => (*output, *ledger),
    };
    progress.begin("answer", total.saturating_sub(ledger.read) as u64);
    let mut answering = Answering { rows, engine, kept: Kept::default() };
    let (done, mut end) = (ledger.read, 0);
    let tables = Rows::open(file.path(), &rows.columns(), ROWS)?.map(move |table| {
        let table = table?;
        end += table.n();
        Ok((end - table.n(), table))
    });
    let left = tables.filter(|table| table.as_ref().map_or(true, |(start, table)| start + table.n() > done));
    let answer = |(start, table): (usize, Table)| answering.lines(start, &table);
    let append = |lines: Lines| {
        let mut after = ledger.clone();
        let beside = Beside { rows: &lines.rows, ..Beside::default() };
        output.append(&Chunk { beside, lines: &lines.bytes, ..Chunk::default() }, &mut after)?;
        progress.advance(lines.rows.len() as u64);
        after.read = lines.end;
        after.blank += lines.failed;
        after.base.encoded += lines.encoding.encoded;
        after.base.reused += lines.encoding.reused;
        ledger = after;
        output.acknowledge_when_due(&mut ledger)
    };
    let written = in_steps(left, answer, append, progress);
    progress.end();
    if written.is_err()
        && let Err(e) = output.acknowledge(&ledger)
    {
        tracing::warn!(error = %e, "what was done since the last batch on the disk is lost");
    }
    written?;
    ledger.some_rows(&rows.input)?;
    input.unchanged()?;
    output.finish(&mut ledger, |_| Ok(None))?;
    Ok(summary(&ledger))
}

impl InstructionRows {
    fn columns(&self) -> Vec<&str> {
        let instruction = self.instruction.is_none().then_some(&self.instruction_column);
        let mut columns = vec![self.text_column.as_str()];
        for column in [instruction, self.id_column.as_ref()].into_iter().flatten() {
            if !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        columns
    }

    /// Goes through the file once, so that what is wrong with it is told before anything is encoded.
    fn look(&self, file: &Path) -> Result<usize> {
        Rows::open(file, &self.columns(), 8192)?.try_fold(0, |total, table| Ok(total + table?.n()))
    }

    fn key(&self, input: &Input, engine: &InstructionEngine) -> Fingerprint {
        let mut key = Fingerprint::builder("answer-rows/1")
            .field("input", input.blake3.as_bytes())
            .field("engine", engine.fingerprint().as_str().as_bytes())
            .field("instruction", self.instruction.as_deref().unwrap_or_default().as_bytes())
            .field("ids", &[u8::from(self.id_column.is_some())])
            .field("top_k", self.top_k.to_string().as_bytes());
        for column in self.columns() {
            key = key.field("column", column.as_bytes());
        }
        key.finish()
    }
}

/// What answers rows, with the documents of rows before.
struct Answering<'a> {
    rows: &'a InstructionRows,
    engine: &'a InstructionEngine,
    kept: Kept,
}

impl Answering<'_> {
    fn lines(&mut self, start: usize, table: &Table) -> Result<Lines> {
        let cells = |name: Option<&String>| name.map(|name| table.column(name)).transpose();
        let (texts, ids) = (table.column(&self.rows.text_column)?, cells(self.rows.id_column.as_ref())?);
        let column = self.rows.instruction.is_none().then_some(&self.rows.instruction_column);
        let instructions = cells(column)?;
        let encoding = self.encode(texts)?;
        let ask = |i: usize| {
            let own = instructions.and_then(|column| column.get(i)?.as_deref());
            let instruction = self.rows.instruction.as_deref().or(own).unwrap_or_default();
            Ask::new(instruction).top_k(self.rows.top_k)
        };
        let asks: Vec<Ask> = (0..texts.len()).map(ask).collect();
        let mut answers = self.answers(texts, &asks)?.into_iter();
        let n = table.n();
        let rows = (start..start + n).map(|row| row as u64).collect();
        let mut lines = Lines { bytes: Vec::new(), rows, failed: 0, encoding, end: start + n };
        for i in 0..n {
            let number = (start + i).to_string();
            let id = ids.and_then(|ids| ids.get(i)?.as_deref()).unwrap_or(&number);
            let answers = answers.next().unwrap_or_else(|| Err("no answer".into()));
            let line = match &answers {
                Ok(found) => {
                    Line { id, template: Some(&found.template), answers: Some(&found.answers), error: None }
                }
                Err(why) => Line { id, template: None, answers: None, error: Some(why) },
            };
            lines.failed += usize::from(answers.is_err());
            let written = serde_json::to_writer(&mut lines.bytes, &line);
            written.map_err(|e| Error::setting("output", e.to_string()))?;
            lines.bytes.push(b'\n');
        }
        self.kept.forget();
        Ok(lines)
    }

    /// Encodes the texts that are not kept, each once.
    fn encode(&mut self, texts: &[Option<String>]) -> Result<Encoding> {
        let mut seen = HashSet::new();
        let given: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
        let unknown = given.iter().copied().filter(|text| !self.kept.documents.contains_key(*text));
        let fresh: Vec<&str> = unknown.filter(|text| seen.insert(*text)).collect();
        let mut encoded = 0;
        for (text, document) in fresh.iter().zip(self.engine.documents(&fresh, &Quiet)?) {
            encoded += usize::from(document.is_ok());
            self.kept.insert(text, own_fault(document)?);
        }
        let known =
            given.iter().filter(|text| matches!(self.kept.documents.get(**text), Some(Ok(_)))).count();
        Ok(Encoding { encoded, reused: known - encoded })
    }

    /// The answers of each row, or what is wrong with it.
    fn answers(&self, texts: &[Option<String>], asks: &[Ask]) -> Result<Vec<Result<Answers, String>>> {
        let document = |text: &Option<String>| match text.as_deref().map(|text| self.kept.documents.get(text))
        {
            Some(Some(Ok(document))) => Ok(document),
            Some(Some(Err(why))) => Err(why.clone()),
            _ => Err("text: expected words, found none".to_string()),
        };
        let documents: Vec<_> = texts.iter().map(document).collect();
        let asked =
            documents.iter().zip(asks).filter_map(|(document, ask)| Some((*document.as_ref().ok()?, ask)));
        let mut found = self.engine.answer_batch(&asked.collect::<Vec<_>>())?.into_iter();
        let answers = documents.into_iter().map(|document| match document {
            Ok(_) => found.next().map_or(Ok(Err("no answer".into())), own_fault),
            Err(why) => Ok(Err(why)),
        });
        answers.collect()
    }
}

/// What is wrong with a row is its own; all else ends the work.
fn own_fault<T>(result: Result<T>) -> Result<Result<T, String>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(e) if e.kind() == Kind::Input => Ok(Err(e.to_string())),
        Err(e) => Err(e),
    }
}

/// Documents of earlier rows, the latest of them within a number of bytes.
#[derive(Default)]
struct Kept {
    documents: HashMap<Arc<str>, Result<Document, String>>,
    order: VecDeque<Arc<str>>,
    bytes: usize,
}

impl Kept {
    fn insert(&mut self, text: &str, document: Result<Document, String>) {
        let text: Arc<str> = text.into();
        self.bytes += size(&text, &document);
        self.documents.insert(text.clone(), document);
        self.order.push_back(text);
    }

    /// Drops the earliest until the rest is small.
    fn forget(&mut self) {
        while self.bytes > KEPT
            && let Some(first) = self.order.pop_front()
        {
            if let Some(document) = self.documents.remove(&first) {
                self.bytes -= size(&first, &document);
            }
        }
    }
}

fn size(text: &str, document: &Result<Document, String>) -> usize {
    text.len() + document.as_ref().map_or(0, Document::bytes)
}

fn name(output: &Path) -> String {
    output.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn place(output: &Path) -> Result<Place> {
    let dir = output.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::metadata(dir).map_err(Error::io(dir))?;
    let partial = dir.join(format!(".{}.part", name(output)));
    Ok(Place { dir: dir.into(), partial, is_ours: false, record: None })
}

fn summary(ledger: &Ledger) -> AnsweredRows {
    AnsweredRows { rows: ledger.rows, failed: ledger.blank, encoding: ledger.base }
}
