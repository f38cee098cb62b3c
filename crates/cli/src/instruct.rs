use crate::environment::environment;
use crate::progress::Bars;
use crate::stdout::print_line;
use clap::Args;
use manyview_artifact::instruct::{
    Answer, Answers, Ask, InstructionEngine, InstructionRows, Templates, answer_rows,
};
use manyview_artifact::{Encoder, Error, Result};
use manyview_core::Error as CoreError;
use serde::Serialize;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, Args)]
#[command(after_help = "\
An instruction is a question, or one of the wordings of --templates; those inside the program are \"Summarise in 3
sentences\", \"Summarise TOPIC\", \"What is it about?\", \"List the dates\" (numbers, names), \"List the names of
TOPIC\", \"Find the section on TOPIC\". Answers are parts of the text, with offsets in characters. Scores compare
answers to one instruction, not instructions or texts. Nothing is trained and nothing is written by a model.

With --input, one line for each row: {\"id\": …, \"template\": …, \"answers\": [{\"answer\", \"score\", \"start\",
\"end\", \"kind\"}]}. A row that cannot be answered keeps its line, with an error. Memory does not grow with the
file, and a text of neighbouring rows is encoded once. After a stop or a kill the same command resumes.")]
pub(crate) struct Instruct {
    /// File of one text in UTF-8, or - for standard input.
    #[arg(long, value_name = "FILE", required_unless_present = "input", conflicts_with = "input")]
    text: Option<PathBuf>,
    /// What to answer; may be given several times: the text is encoded once. With --input, one for all rows.
    #[arg(long, value_name = "TEXT", required_unless_present = "input")]
    instruction: Vec<String>,
    /// Answers at most to a question.
    #[arg(long, value_name = "N", default_value_t = 1)]
    top_k: usize,
    /// Prints a line of JSON for each instruction.
    #[arg(long, conflicts_with = "input")]
    json: bool,
    /// File of wordings (TOML) in place of those inside the program.
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    /// File of rows with texts and instructions: .jsonl, .csv, .tsv, .json, .parquet or .arrow, also packed; - for
    /// standard input.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// File to write, with --input; it is written completely or not at all.
    #[arg(long, value_name = "FILE", default_value = "answers.jsonl")]
    output: PathBuf,
    /// Column of texts.
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    text_column: String,
    /// Column of instructions.
    #[arg(long, value_name = "COLUMN", default_value = "instruction")]
    instruction_column: String,
    /// Column of identifiers; default: row numbers from 0.
    #[arg(long, value_name = "COLUMN")]
    id_column: Option<String>,
    /// Encoder: minilm, a directory or hub:ORG/NAME. Mean-pooled encoders suit best.
    #[arg(long, default_value = "minilm")]
    encoder: String,
    /// Device to encode on.
    #[arg(long, default_value = "flex")]
    device: String,
}

/// One line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    instruction: &'a str,
    #[serde(flatten)]
    answers: &'a Answers,
    timings_ms: Timings,
}

#[derive(Serialize)]
struct Timings {
    /// The text, once for all instructions.
    encode: f64,
    /// The instruction's own encoding and the choice of answers.
    answer: f64,
}

/// Answers, and prints what was found or how many rows were written.
pub(crate) fn run(instruct: Instruct, bars: &Bars) -> anyhow::Result<()> {
    let text = instruct.text.as_deref().map(read).transpose()?;
    let config =
        Encoder { model: instruct.encoder.clone(), device: instruct.device.clone(), ..Encoder::default() };
    let mut engine = InstructionEngine::open(&config, &environment().sources, bars)?;
    if let Some(path) = &instruct.templates {
        let templates = Templates::parse(&read(path)?, &path.display().to_string());
        engine = engine.with_templates(templates.map_err(Error::from)?);
    }
    match text {
        Some(text) => ask(&instruct, &engine, &text, bars),
        None => rows(instruct, &engine, bars),
    }
}

fn ask(instruct: &Instruct, engine: &InstructionEngine, text: &str, bars: &Bars) -> anyhow::Result<()> {
    let asks = instruct.instruction.iter().map(|instruction| Ask::new(instruction).top_k(instruct.top_k));
    let asks: Vec<Ask> = asks.collect();
    asks.iter().try_for_each(|ask| engine.check(ask))?;
    let start = Instant::now();
    let document = engine.document(text, bars)?;
    let encode = milliseconds(start);
    for (i, ask) in asks.iter().enumerate() {
        let start = Instant::now();
        let answers = engine.answer(&document, ask)?;
        let timings_ms = Timings { encode, answer: milliseconds(start) };
        match instruct.json {
            true => {
                let line = Line { instruction: &ask.instruction, answers: &answers, timings_ms };
                print_line(serde_json::to_string(&line)?)?;
            }
            false => {
                if asks.len() > 1 {
                    print_line(format_args!("{}{}", if i > 0 { "\n" } else { "" }, ask.instruction))?;
                }
                print(&answers)?;
            }
        }
    }
    Ok(())
}

fn milliseconds(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1e4).round() / 10.0
}

/// A line for each answer: its score where it has one, its characters, and the answer on one line.
fn print(answers: &Answers) -> anyhow::Result<()> {
    if answers.answers.is_empty() {
        return print_line("nothing was found");
    }
    for Answer { answer, score, start, end, .. } in &answers.answers {
        let score = score.map_or("     ".to_string(), |score| format!("{score:>5.2}"));
        let answer = answer.split_whitespace().collect::<Vec<_>>().join(" ");
        print_line(format_args!("{score}  {:<11}  {answer}", format!("{start}–{end}")))?;
    }
    Ok(())
}

fn rows(instruct: Instruct, engine: &InstructionEngine, bars: &Bars) -> anyhow::Result<()> {
    let [instruction, more @ ..] = &instruct.instruction[..] else {
        return answer(instruct, None, engine, bars);
    };
    if !more.is_empty() {
        let problem = "expected one for all rows of --input, found several; give a column of instructions";
        return Err(Error::Setting { key: "--instruction".into(), problem: problem.into() }.into());
    }
    let instruction = Some(instruction.clone());
    answer(instruct, instruction, engine, bars)
}

fn answer(
    instruct: Instruct,
    instruction: Option<String>,
    engine: &InstructionEngine,
    bars: &Bars,
) -> anyhow::Result<()> {
    let rows = InstructionRows {
        input: instruct.input.unwrap_or_default(),
        output: instruct.output,
        text_column: instruct.text_column,
        instruction_column: instruct.instruction_column,
        instruction,
        id_column: instruct.id_column,
        top_k: instruct.top_k,
    };
    let done = answer_rows(&rows, engine, bars)?;
    let encoding = done.encoding;
    print_line(format_args!(
        "encoded {} documents; {} rows asked about one that was encoded already",
        encoding.encoded, encoding.reused
    ))?;
    if done.failed > 0 {
        print_line(format_args!("{} rows could not be answered; their lines say why", done.failed))?;
    }
    print_line(format_args!("{}: {} rows", rows.output.display(), done.rows))
}

/// A text file, or standard input for `-`.
fn read(path: &Path) -> Result<String> {
    let io = |source| Error::Core(CoreError::Io { path: path.into(), source });
    let mut bytes = Vec::new();
    match path == Path::new("-") {
        true => std::io::stdin().lock().read_to_end(&mut bytes).map_err(io)?,
        false => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(io)?,
    };
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let problem =
            format!("expected text in UTF-8, found other bytes at byte {at}; convert the file first");
        Error::Setting { key: path.display().to_string(), problem }
    })
}
