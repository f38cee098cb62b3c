use super::{column_names, split_column};
use crate::{Error, Fractions, Result};
use manyview_core::publish::write_whole_with;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// What a file to convert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairOrigin {
    /// SQuAD and what is written like it: one JSON object, `data[].paragraphs[].qas[]`.
    Squad,
    /// Documents with their summaries: objects, one a line or in a list.
    Summaries,
    /// Questions with their answers: objects, one a line or in a list, each a pair or a document with a list of them.
    Qa,
}

/// What each line of the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairForm {
    /// `{query, passage, document, answer}`: what belongs together.
    Pairs,
    /// `{text, instruction, answer, document}`: what a text says under an instruction.
    Instructed,
}

/// How a file becomes pairs.
#[derive(Clone, Copy, Debug)]
pub struct Conversion<'a> {
    /// What the file is.
    pub origin: PairOrigin,
    /// What each line of the output is.
    pub form: PairForm,
    /// What a summary answers, in the form [`PairForm::Instructed`].
    pub instruction: &'a str,
    /// The parts of a split by document and its seed, which add a column `split`: the split that
    /// [`TextPairs::split`](super::TextPairs::split) draws. For [`PairForm::Pairs`].
    pub split: Option<(Fractions, u64)>,
}

/// What a conversion did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Converted {
    /// Lines written.
    pub written: usize,
    /// Questions, or objects, without the texts that a line needs: questions without an answer among them.
    pub skipped: usize,
    /// Lines of training, validation and test, where a split was drawn.
    pub parts: Option<[usize; 3]>,
}

/// One question, in whatever file it stood.
#[derive(Default)]
struct Item {
    question: Option<String>,
    text: Option<String>,
    answer: Option<String>,
    document: Option<String>,
}

/// Writes what `input` holds as JSON lines to `output`, which appears whole or not at all. A summary has no question:
/// it is the query of its document, and `instruction` what it answers.
///
/// # Errors
/// [`Error::File`] or [`Error::Line`] for a file that is not of that kind or holds no pair, [`Error::Split`] for fewer
/// documents than parts; files that cannot be read or written.
pub fn convert_pairs(input: &Path, output: &Path, conversion: &Conversion<'_>) -> Result<Converted> {
    write_whole_with(output, |hidden| write(input, hidden, conversion))
}

fn write(input: &Path, part: &Path, conversion: &Conversion<'_>) -> Result<Converted> {
    let Conversion { origin, form, instruction, split } = *conversion;
    let mut done = Converted::default();
    let mut out = BufWriter::new(File::create(part).map_err(Error::io(part))?);
    let mut take = |item: Item| -> Result<()> {
        match line(item, form) {
            None => done.skipped += 1,
            Some(line) => {
                writeln!(out, "{line}").map_err(Error::io(part))?;
                done.written += 1;
            }
        }
        Ok(())
    };
    match origin {
        PairOrigin::Squad => squad(input, &mut take)?,
        PairOrigin::Qa => objects(input, |object| questions(&object, &mut take))?,
        PairOrigin::Summaries => objects(input, |object| take(summary(&object, form, instruction)))?,
    }
    if done.written == 0 {
        let skipped = done.skipped;
        return Err(Error::file(
            input,
            format!("expected pairs, found none; {skipped} lack a text they need"),
        ));
    }
    out.into_inner().map_err(|e| Error::io(part)(e.into_error()))?;
    done.parts = split.map(|(fractions, seed)| split_column::add(part, fractions, seed)).transpose()?;
    Ok(done)
}

/// The line of an item; none where it lacks a text.
fn line(item: Item, form: PairForm) -> Option<Value> {
    let mut line = Map::new();
    match form {
        PairForm::Pairs => {
            let passage = item.text.or_else(|| item.answer.clone())?;
            line.insert("query".into(), item.question?.into());
            line.insert("passage".into(), passage.into());
            line.extend(item.answer.map(|answer| ("answer".into(), answer.into())));
        }
        PairForm::Instructed => {
            line.insert("text".into(), item.text?.into());
            line.insert("instruction".into(), item.question?.into());
            line.insert("answer".into(), item.answer?.into());
        }
    }
    line.extend(item.document.map(|document| ("document".into(), document.into())));
    Some(Value::Object(line))
}

fn squad(path: &Path, take: &mut impl FnMut(Item) -> Result<()>) -> Result<()> {
    let wrong = |problem: String| Error::file(path, format!("{problem}; expected data[].paragraphs[].qas[]"));
    let file = File::open(path).map_err(Error::io(path))?;
    let whole: Value = serde_json::from_reader(BufReader::new(file)).map_err(|e| wrong(e.to_string()))?;
    let list = |of: &Value, key: &str| -> Result<Vec<Value>> {
        of.get(key).and_then(Value::as_array).cloned().ok_or_else(|| wrong(format!("no list `{key}`")))
    };
    for article in list(&whole, "data")? {
        let title = article.get("title").and_then(words);
        for paragraph in list(&article, "paragraphs")? {
            let context = paragraph.get("context").and_then(words);
            for question in list(&paragraph, "qas")? {
                let answers = question.get("answers").or_else(|| question.get("answer"));
                take(Item {
                    question: question.get("question").and_then(words),
                    text: context.clone().filter(|_| answers.and_then(words).is_some()),
                    answer: answers.and_then(words),
                    document: title.clone(),
                })?;
            }
        }
    }
    Ok(())
}

fn summary(object: &Map<String, Value>, form: PairForm, instruction: &str) -> Item {
    let summary = first(object, column_names::SUMMARY);
    let (question, answer) = match form {
        PairForm::Pairs => (summary, None),
        PairForm::Instructed => (Some(instruction.into()), summary),
    };
    Item { question, text: first(object, column_names::ARTICLE), answer, document: None }
}

/// The pairs of an object: those of a list in it, or itself.
fn questions(object: &Map<String, Value>, take: &mut impl FnMut(Item) -> Result<()>) -> Result<()> {
    let document = first(object, column_names::DOCUMENT);
    let text = |object: &Map<String, Value>| first(object, column_names::TEXT);
    let item = |object: &Map<String, Value>| Item {
        question: first(object, column_names::QUERY),
        text: text(object),
        answer: first(object, column_names::ANSWER),
        document: first(object, column_names::DOCUMENT).or_else(|| document.clone()),
    };
    match column_names::LISTS.iter().find_map(|key| object.get(*key)?.as_array()) {
        None => take(item(object)),
        Some(list) => list.iter().filter_map(Value::as_object).try_for_each(|inner| {
            let item = item(inner);
            take(Item { text: item.text.or_else(|| text(object)), ..item })
        }),
    }
}

/// The first of `names` that has words.
fn first(object: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| object.get(*name).and_then(words))
}

/// The words of a string, a number, the first of a list, or the `text` of an object.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim()).filter(|t| !t.is_empty()).map(String::from),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => list.iter().find_map(words),
        Value::Object(object) => object.get("text").and_then(words),
        Value::Null | Value::Bool(_) => None,
    }
}

/// The objects of a file: one a line, or a list of them, as its first character says.
fn objects(path: &Path, mut take: impl FnMut(Map<String, Value>) -> Result<()>) -> Result<()> {
    let mut reader = BufReader::new(File::open(path).map_err(Error::io(path))?);
    let start = reader.fill_buf().map_err(Error::io(path))?;
    if start.trim_ascii_start().first() == Some(&b'[') {
        let list: Vec<Map<String, Value>> = serde_json::from_reader(reader)
            .map_err(|e| Error::file(path, format!("expected a list of JSON objects: {e}")))?;
        return list.into_iter().try_for_each(take);
    }
    for (text, number) in reader.lines().zip(1..) {
        let text = text.map_err(Error::io(path))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.is_empty() {
            let object = serde_json::from_str(text)
                .map_err(|e| Error::line(path, number, format!("expected one JSON object a line: {e}")))?;
            take(object)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUAD: &str = r#"{"version": "2.0", "data": [{"title": "Rain", "paragraphs": [
        {"context": "Rain falls.", "qas": [
            {"id": "1", "question": "What falls?", "answers": [{"text": "Rain", "answer_start": 0}]},
            {"id": "2", "question": "Who sings?", "is_impossible": true, "answers": []}]},
        {"context": "Fog lifts.", "qas": [{"question": "What lifts?", "answers": [{"text": "Fog"}]}]}]}]}"#;

    fn converted(text: &str, origin: PairOrigin, form: PairForm) -> Result<(Converted, Vec<Value>)> {
        let dir = tempfile::tempdir().unwrap();
        let (input, output) = (dir.path().join("in.json"), dir.path().join("out.jsonl"));
        std::fs::write(&input, text).unwrap();
        let conversion = Conversion { origin, form, instruction: "Summarise the text", split: None };
        let done = convert_pairs(&input, &output, &conversion);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1 + usize::from(done.is_ok()));
        let lines = std::fs::read_to_string(output).unwrap_or_default();
        Ok((done?, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()))
    }

    fn of(line: &Value, keys: [&str; 4]) -> [String; 4] {
        keys.map(|key| line.get(key).and_then(Value::as_str).unwrap_or("–").into())
    }

    const PAIR: [&str; 4] = ["query", "passage", "answer", "document"];
    const INSTRUCTED: [&str; 4] = ["instruction", "text", "answer", "document"];

    #[test]
    fn squad_gives_a_line_for_each_question_that_has_an_answer() {
        let (done, lines) = converted(SQUAD, PairOrigin::Squad, PairForm::Pairs).unwrap();
        assert_eq!(done, Converted { written: 2, skipped: 1, parts: None });
        assert_eq!(of(&lines[0], PAIR), ["What falls?", "Rain falls.", "Rain", "Rain"]);
        let (_, lines) = converted(SQUAD, PairOrigin::Squad, PairForm::Instructed).unwrap();
        assert_eq!(of(&lines[1], INSTRUCTED), ["What lifts?", "Fog lifts.", "Fog", "Rain"]);
    }

    #[test]
    fn a_summary_is_the_query_of_its_document_or_what_an_instruction_gives() {
        let text =
            "{\"document\": \"Long.\", \"summary\": \"Short.\", \"id\": 3}\n{\"document\": \"Alone.\"}\n";
        let (done, lines) = converted(text, PairOrigin::Summaries, PairForm::Pairs).unwrap();
        assert_eq!(done, Converted { written: 1, skipped: 1, parts: None });
        assert_eq!(lines[0]["query"], "Short.");
        assert_eq!(lines[0]["passage"], "Long.");
        let (_, lines) = converted(text, PairOrigin::Summaries, PairForm::Instructed).unwrap();
        assert_eq!(of(&lines[0], INSTRUCTED)[..3], ["Summarise the text", "Long.", "Short."]);
    }

    #[test]
    fn questions_and_answers_are_read_flat_nested_and_from_a_list() {
        let nested =
            "{\"doc_id\": 7, \"text\": \"T\", \"qa_pairs\": [{\"question\": \"q\", \"answer\": \"a\"}]}";
        let flat =
            "{\"question\": \"q\", \"answers\": {\"text\": [\"a\"]}, \"context\": \"T\", \"doc_id\": \"7\"}";
        for text in [nested.to_string(), flat.into(), format!("[{flat}]")] {
            let (_, lines) = converted(&text, PairOrigin::Qa, PairForm::Pairs).unwrap();
            assert_eq!(of(&lines[0], PAIR), ["q", "T", "a", "7"], "{text}");
        }
        let (_, lines) =
            converted("{\"query\": \"q\", \"response\": \"a\"}", PairOrigin::Qa, PairForm::Pairs).unwrap();
        assert_eq!(of(&lines[0], PAIR)[..2], ["q", "a"]); // without a text the answer is the passage
    }

    #[test]
    fn a_file_of_another_kind_is_refused_and_nothing_is_left() {
        for (text, origin, word) in [
            ("{\"data\": 3}", PairOrigin::Squad, "`data`"),
            ("{\"question\": \"q\"}", PairOrigin::Qa, "found none"),
            ("{\"question\": \"q\"}\nnonsense", PairOrigin::Qa, "line 2"),
        ] {
            let e = converted(text, origin, PairForm::Pairs).unwrap_err().to_string();
            assert!(e.contains(word), "{e}");
        }
    }
}
