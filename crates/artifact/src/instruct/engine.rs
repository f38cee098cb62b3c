use super::answer::{AnswerKind, Answers, Ask, Maker};
use super::window::{Window, windows};
use crate::{Error, Result, Sources, encoder};
use manyview_answer::{
    Document, Extract, Extractor, Method, Question, Request, States, Templates, best, in_order, section,
};
use manyview_core::{Embeddings, Encoder, Error as CoreError, Fingerprint, Progress, Quiet};
use manyview_encoder::{Error as EncoderError, TextEncoder, TokenStates};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Tokens of a window, where the model reads as many.
const WINDOW: usize = 512;
/// Windows encoded at once.
const WINDOWS: usize = 32;
/// Tokens of an instruction at most.
pub const INSTRUCTION_TOKENS: usize = 128;
/// Sentences on a topic that dates, numbers and names are listed of, at least.
const SENTENCES: usize = 3;
/// Tokens of a sentence of a summary, where there are enough of such: headings have fewer.
const SUMMARY_TOKENS: usize = 6;

/// Answers instructions about texts with an encoder's token states and templates.
pub struct InstructionEngine {
    encoder: TextEncoder,
    templates: Templates,
    rules: Extractor,
}

impl InstructionEngine {
    /// The engine over an encoder; its longest text is the window of longer ones. Templates are the embedded ones.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn new(encoder: TextEncoder) -> Result<Self> {
        Ok(Self { encoder, templates: Templates::embedded()?, rules: Extractor::new()? })
    }

    /// Loads the encoder that a configuration names, to read 512 tokens at once, or as many as it can where those are
    /// fewer, or `max_length` where that is given.
    ///
    /// # Errors
    /// A model that is not there or cannot be used.
    pub fn open(config: &crate::Encoder, sources: &Sources, progress: &dyn Progress) -> Result<Self> {
        let window = crate::Encoder { max_length: config.max_length.or(Some(WINDOW)), ..config.clone() };
        match encoder::load(&window, sources, progress) {
            Err(Error::Encoder(EncoderError::Setting { setting: "max_length", .. }))
                if config.max_length.is_none() =>
            {
                Self::new(encoder::load(config, sources, progress)?)
            }
            loaded => Self::new(loaded?),
        }
    }

    /// The same with other templates.
    pub fn with_templates(self, templates: Templates) -> Self {
        Self { templates, ..self }
    }

    /// Changes whenever an answer could.
    pub fn fingerprint(&self) -> Fingerprint {
        let templates: Vec<_> = self.templates.all().collect();
        Fingerprint::builder("instruct/1")
            .field("encoder", self.encoder.fingerprint().as_str().as_bytes())
            .field("templates", format!("{templates:?}").as_bytes())
            .finish()
    }

    /// Encodes a text, once for all instructions.
    ///
    /// # Errors
    /// A text that is empty or has no sentence; [`CoreError::Interrupted`].
    pub fn document(&self, text: &str, progress: &dyn Progress) -> Result<Document> {
        let mut documents = self.documents(&[text], progress)?;
        documents.pop().unwrap_or_else(|| Err(no_text()))
    }

    /// Encodes texts, each for itself: one that cannot be used is an error in its place.
    ///
    /// # Errors
    /// [`CoreError::Interrupted`], or an encoder that fails.
    pub fn documents(&self, texts: &[&str], progress: &dyn Progress) -> Result<Vec<Result<Document>>> {
        let mut parts: Vec<Result<Parts>> = Vec::with_capacity(texts.len());
        let mut work: Vec<(usize, Window)> = Vec::new();
        for (i, text) in texts.iter().enumerate() {
            let found = match text.trim().is_empty() {
                true => Err(no_text()),
                false => windows(&self.encoder, text),
            };
            work.extend(found.iter().flatten().map(|window| (i, window.clone())));
            parts.push(found.map(|_| Parts::default()));
        }
        progress.begin("encode", work.len() as u64);
        for batch in work.chunks(WINDOWS) {
            if progress.stopped() {
                progress.end();
                return Err(CoreError::Interrupted.into());
            }
            let own =
                |(i, window): &(usize, Window)| texts.get(*i).and_then(|text| text.get(window.bytes.clone()));
            let own: Vec<&str> = batch.iter().map(|work| own(work).unwrap_or_default()).collect();
            let states = self.encoder.token_states(&own, None)?;
            for ((i, window), states) in batch.iter().zip(&states) {
                if let Some(Ok(parts)) = parts.get_mut(*i) {
                    parts.take(window, states)?;
                }
            }
            progress.advance(batch.len() as u64);
        }
        progress.end();
        let document = |(text, parts): (&&str, Result<Parts>)| parts?.document(text);
        Ok(texts.iter().zip(parts).map(document).collect())
    }

    /// That an instruction can be answered about some document.
    ///
    /// # Errors
    /// An instruction that is empty or has more than [`INSTRUCTION_TOKENS`] tokens, a `top_k` of 0.
    pub fn check(&self, ask: &Ask) -> Result<()> {
        if ask.top_k == 0 {
            return Err(Error::setting("top_k", "expected at least 1, found 0"));
        }
        if ask.instruction.trim().is_empty() {
            return Err(Error::setting(
                "instruction",
                "expected a question or a task, found none; write one",
            ));
        }
        let offsets = self.encoder.token_offsets(&[&ask.instruction])?;
        let tokens: usize = offsets.iter().map(|(offsets, _)| offsets.len()).sum();
        if tokens > INSTRUCTION_TOKENS {
            let more = if offsets.iter().any(|(_, cut)| *cut) { "more than " } else { "" };
            let problem =
                format!("expected at most {INSTRUCTION_TOKENS} tokens, found {more}{tokens}; shorten it");
            return Err(Error::setting("instruction", problem));
        }
        Ok(())
    }

    /// Answers an instruction about a document.
    ///
    /// # Errors
    /// As [`InstructionEngine::check`]; a document of another encoder.
    pub fn answer(&self, document: &Document, ask: &Ask) -> Result<Answers> {
        let mut answers = self.answer_batch(&[(document, ask)])?;
        answers.pop().unwrap_or_else(|| Err(no_text()))
    }

    /// Answers several, in order, and encodes each instruction once: one that cannot be answered is an error in its
    /// place.
    ///
    /// # Errors
    /// An encoder that fails.
    pub fn answer_batch(&self, asked: &[(&Document, &Ask)]) -> Result<Vec<Result<Answers>>> {
        let request = |(_, ask): &(&Document, &Ask)| {
            self.check(ask)?;
            Ok(self.templates.request(&ask.instruction))
        };
        let requests: Vec<Result<Request>> = asked.iter().map(request).collect();
        let questions =
            self.questions(requests.iter().flatten().filter_map(|request| request.topic.as_deref()))?;
        let answer = |((document, ask), request): (&(&Document, &Ask), Result<Request>)| {
            let request = request?;
            let question =
                request.topic.as_deref().map(|topic| questions.get(topic).and_then(Option::as_ref));
            let scores = match question {
                Some(Some(question)) => document.scores(question)?,
                Some(None) => return Err(manyview_answer::Error::NoTokens { what: "the instruction" }.into()),
                None => document.centrality(),
            };
            let answers = self.choose(document, &request, &scores, ask.top_k);
            Ok(Answers { template: request.template, answers })
        };
        Ok(asked.iter().zip(requests).map(answer).collect())
    }

    /// As [`InstructionEngine::document`] and [`InstructionEngine::answer`] together, for a text that is asked once.
    ///
    /// # Errors
    /// As both.
    pub fn ask(&self, text: &str, ask: &Ask) -> Result<Answers> {
        self.answer(&self.document(text, &Quiet)?, ask)
    }

    /// The states of the tokens of instructions and topics, without special ones; `None` for one without other tokens.
    fn questions<'a>(
        &self,
        topics: impl Iterator<Item = &'a str>,
    ) -> Result<HashMap<String, Option<Question>>> {
        let distinct: Vec<&str> = topics.collect::<BTreeSet<_>>().into_iter().collect();
        let states = match distinct.is_empty() {
            true => Vec::new(),
            false => self.encoder.token_states(&distinct, None)?,
        };
        let question = |states: &TokenStates| -> Result<Option<Question>> {
            let rows: Vec<usize> = real(states).map(|(row, _)| row).collect();
            let rows = if rows.is_empty() { None } else { Some(states.states.select(&rows)?) };
            Ok(rows.map(|rows| Question::new(&rows)))
        };
        let questions = distinct.into_iter().zip(&states);
        questions.map(|(topic, states)| Ok((topic.to_string(), question(states)?))).collect()
    }

    fn choose(
        &self,
        document: &Document,
        request: &Request,
        scores: &[f32],
        top_k: usize,
    ) -> Vec<super::Answer> {
        let (maker, spans, text) = (Maker::of(document), document.spans(), document.text());
        let score = |i: usize| scores.get(i).copied();
        let bytes = |i: usize| spans.get(i).map(|span| span.bytes.clone()).unwrap_or_default();
        let sentence = |i: usize| maker.make(&bytes(i), score(i), AnswerKind::Sentence);
        match request.method {
            Method::Section => {
                let at = best(scores, 1).first().copied().unwrap_or_default();
                let range = section(text, spans, scores, at, request.words);
                let whole = bytes(range.start).start..bytes(range.end.saturating_sub(1)).end;
                vec![maker.make(&whole, score(at), AnswerKind::Section)]
            }
            Method::Summary => {
                let is_long =
                    |i: &usize| spans.get(*i).is_some_and(|span| span.tokens.len() >= SUMMARY_TOKENS);
                let (long, short): (Vec<_>, Vec<_>) =
                    best(scores, spans.len()).into_iter().partition(is_long);
                let chosen: Vec<usize> = long.into_iter().chain(short).take(request.sentences).collect();
                in_order(text, spans, &chosen, request.words).into_iter().map(sentence).collect()
            }
            Method::Dates => self.listed(document, request, scores, top_k, Extract::Dates),
            Method::Numbers => self.listed(document, request, scores, top_k, Extract::Numbers),
            Method::Names => self.listed(document, request, scores, top_k, Extract::Names),
            _ => best(scores, top_k).into_iter().map(sentence).collect(),
        }
    }

    /// What is found in the whole text, or in the best sentences on a topic.
    fn listed(
        &self,
        document: &Document,
        request: &Request,
        scores: &[f32],
        top_k: usize,
        what: Extract,
    ) -> Vec<super::Answer> {
        let maker = Maker::of(document);
        let chosen = request.topic.as_ref().map(|_| best(scores, top_k.max(SENTENCES)));
        let is_chosen = |bytes: &Range<usize>| {
            let holds = |i: &usize| {
                document
                    .spans()
                    .get(*i)
                    .is_some_and(|s| s.bytes.start <= bytes.start && bytes.end <= s.bytes.end)
            };
            chosen.as_ref().is_none_or(|chosen| chosen.iter().any(holds))
        };
        let found = self.rules.distinct(document.text(), what, |bytes| bytes).into_iter().filter(is_chosen);
        found.map(|bytes| maker.make(&bytes, None, AnswerKind::Extract)).collect()
    }
}

/// The tokens of a text as its windows come.
#[derive(Default)]
struct Parts {
    offsets: Vec<Range<usize>>,
    states: Option<States>,
    /// Rows of the window at hand, `[tokens, dim]`.
    rows: Vec<f32>,
}

impl Parts {
    /// Takes the tokens that the window keeps.
    fn take(&mut self, window: &Window, states: &TokenStates) -> Result<()> {
        self.rows.clear();
        for (row, offset) in real(states) {
            let start = window.bytes.start + offset.start;
            if window.kept.contains(&start) {
                self.offsets.push(start..window.bytes.start + offset.end);
                self.rows.extend_from_slice(states.states.row(row));
            }
        }
        if self.rows.is_empty() {
            return Ok(());
        }
        let own = States::int8(&Embeddings::new(std::mem::take(&mut self.rows), states.states.dim())?);
        match &mut self.states {
            Some(states) => states.append(&own)?,
            None => self.states = Some(own),
        }
        Ok(())
    }

    fn document(self, text: &str) -> Result<Document> {
        match self.states {
            Some(states) => Ok(Document::new(text, &self.offsets, states)?),
            None => Err(manyview_answer::Error::NoTokens { what: "the sentences of the text" }.into()),
        }
    }
}

/// The tokens that are not special, with their bytes.
fn real(states: &TokenStates) -> impl Iterator<Item = (usize, &Range<usize>)> {
    states.offsets.iter().enumerate().filter(|(_, offset)| !offset.is_empty())
}

fn no_text() -> Error {
    Error::setting("text", "expected words, found nothing but white space; give a text with a sentence")
}
