//! Prints the tables of docs/results/instructions.md from a Parquet file of columns `question`, `passage` and `answer`,
//! whose passages come five to an article:
//! `cargo run --release --features train --example sentence_accuracy -- xquad_en.parquet`
#![allow(clippy::print_stdout)]

use anyhow::Context;
use manyview::answer::{MAX_TOKENS, Question, Span, States, best, late_interaction, mean, sentences, spans};
use manyview::artifact::{Encoder as EncoderSettings, Sources, load_encoder};
use manyview::data::Table;
use manyview::encoder::{TextEncoder, TokenStates};
use manyview::eval::{Bootstrap, roc_auc};
use manyview::{Embeddings, Encoder, Estimate, Quiet};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::time::Instant;

/// Passages of an article.
const PASSAGES: usize = 5;

/// A score for each sentence of the passage of each question.
type Scored = Vec<Vec<f32>>;

struct Asked {
    question: String,
    answer: String,
    passage: usize,
}

/// A passage with the bytes of its tokens.
struct Passage {
    text: String,
    offsets: Vec<Range<usize>>,
    states: Embeddings,
}

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).context("give the path of a Parquet file of questions")?;
    let (texts, asked) = read(&path)?;
    let config = EncoderSettings { max_length: Some(512), ..EncoderSettings::default() };
    let encoder = load_encoder(&config, &Sources::new(std::env::temp_dir()), &Quiet)?;
    let passages = passages(&encoder, texts)?;
    let questions: Vec<&str> = asked.iter().map(|asked| asked.question.as_str()).collect();
    let start = Instant::now();
    let questions: Vec<Embeddings> = encoder
        .token_states(&questions, None)?
        .iter()
        .map(|q| Ok(real(q)?.1))
        .collect::<anyhow::Result<_>>()?;
    let milliseconds = start.elapsed().as_secs_f64() * 1e3 / asked.len() as f64;
    let centre = mean(passages.iter().map(|passage| &passage.states))?.context("no states")?;
    let cut = |limit| -> Vec<Vec<Span>> {
        passages.iter().map(|p| spans(&p.text, &sentences(&p.text), &p.offsets, limit)).collect()
    };
    let whole = cut(MAX_TOKENS);
    let (count, tokens): (usize, usize) =
        (whole.iter().map(Vec::len).sum(), passages.iter().map(|passage| passage.offsets.len()).sum());
    println!("{} questions, {} passages, {count} sentences, {tokens} tokens;", asked.len(), passages.len());
    println!("a question takes {milliseconds:.1} ms to encode in one large batch\n");
    println!(
        "| scorer | bytes a token | µs a question | top 1 | top 2 | top 3 |\n|---|---:|---:|---|---|---|"
    );
    let table = Scores { passages: &passages, asked: &asked };
    let all = |score: &dyn Fn(usize, &Asked) -> Vec<f32>| -> Scored {
        asked.iter().enumerate().map(|(i, asked)| score(i, asked)).collect()
    };
    let first = all(&|_, asked| (0..whole[asked.passage].len()).map(|at| -(at as f32)).collect());
    let first = table.print("first sentence", ["", ""], &whole, &first)?;
    let alone = alone(&encoder, &passages, &whole, &asked)?;
    let cosine = table.print("cosine, sentences encoded alone", ["", ""], &whole, &alone)?;
    let overlap = Overlap::of(&passages);
    let overlap = all(&|_, asked| {
        overlap.scores(&passages[asked.passage].text, &whole[asked.passage], &asked.question)
    });
    let overlap = table.print("word overlap, weighted by idf", ["", ""], &whole, &overlap)?;
    let mut late = Vec::new();
    for (name, limit) in [("f32", MAX_TOKENS), ("int8", MAX_TOKENS), ("bits", MAX_TOKENS), ("bits", 60)] {
        let states: Vec<States> =
            passages.iter().map(|p| held(&p.states, name, &centre)).collect::<anyhow::Result<_>>()?;
        let spans = cut(limit);
        let start = Instant::now();
        let scores: Scored = (0..asked.len())
            .map(|i| score(&questions[i], &states[asked[i].passage], &spans[asked[i].passage], &centre))
            .collect::<anyhow::Result<_>>()?;
        let time = format!("{:.0}", start.elapsed().as_secs_f64() * 1e6 / asked.len() as f64);
        let bytes = format!("{}", states[0].bytes() / states[0].tokens());
        let name = format!("**late interaction**, {name}, sentences cut at {limit} tokens");
        late.push(table.print(&name, [&bytes, &time], &spans, &scores)?);
    }
    println!("\ntop 1, late interaction on bits less another scorer:");
    for (name, other) in [("first sentence", &first), ("cosine", &cosine), ("word overlap", &overlap)] {
        let gain: Vec<f64> = late[2].iter().zip(other).map(|(a, b)| a - b).collect();
        println!("- {name}: {}", shown(Bootstrap::default().mean_over_documents(&gain, &table.articles())?));
    }
    println!("\nits own passage or another of the article without the answer, by the best sentence (AUC):");
    for name in ["f32", "bits"] {
        let states: Vec<States> =
            passages.iter().map(|p| held(&p.states, name, &centre)).collect::<anyhow::Result<_>>()?;
        let best = |i: usize, passage: usize| -> anyhow::Result<f64> {
            let scores = score(&questions[i], &states[passage], &whole[passage], &centre)?;
            Ok(f64::from(scores.into_iter().fold(f32::MIN, f32::max)))
        };
        println!("- late interaction, {name}: {}", shown(table.no_answer(best)?));
    }
    Ok(())
}

/// The passages in the order of the file, and the questions about them.
fn read(path: &str) -> anyhow::Result<(Vec<String>, Vec<Asked>)> {
    let table = Table::read_all(&[path.into()], &["question", "passage", "answer"])?;
    let (mut places, mut passages, mut asked) = (HashMap::new(), Vec::new(), Vec::new());
    for row in 0..table.n() {
        let cell = |name| {
            anyhow::Ok(table.column(name)?[row].clone().with_context(|| format!("row {row}: no {name}"))?)
        };
        let (question, text, answer) = (cell("question")?, cell("passage")?, cell("answer")?);
        let passage = *places.entry(text.clone()).or_insert_with(|| {
            passages.push(text);
            passages.len() - 1
        });
        asked.push(Asked { question, answer, passage });
    }
    Ok((passages, asked))
}

fn passages(encoder: &TextEncoder, texts: Vec<String>) -> anyhow::Result<Vec<Passage>> {
    let states = encoder.token_states(&texts.iter().map(String::as_str).collect::<Vec<_>>(), None)?;
    let cut = states.iter().filter(|text| text.truncated).count();
    println!("{cut} passages are longer than 512 tokens; their ends are cut");
    let passage = |(text, states): (String, &TokenStates)| {
        let (offsets, states) = real(states)?;
        Ok(Passage { text, offsets, states })
    };
    texts.into_iter().zip(&states).map(passage).collect()
}

/// Offsets and states without special tokens.
fn real(text: &TokenStates) -> anyhow::Result<(Vec<Range<usize>>, Embeddings)> {
    let kept: Vec<usize> = (0..text.ids.len()).filter(|&i| !text.offsets[i].is_empty()).collect();
    Ok((kept.iter().map(|&i| text.offsets[i].clone()).collect(), text.states.select(&kept)?))
}

fn held(states: &Embeddings, form: &str, centre: &[f32]) -> anyhow::Result<States> {
    Ok(match form {
        "f32" => States::f32(states),
        "int8" => States::int8(states),
        _ => States::bits(states, centre)?,
    })
}

fn score(question: &Embeddings, states: &States, spans: &[Span], centre: &[f32]) -> anyhow::Result<Vec<f32>> {
    let question = match states.form() {
        manyview::answer::StateForm::Bits => Question::centred(question, centre)?,
        _ => Question::new(question),
    };
    let tokens: Vec<_> = spans.iter().map(|span| span.tokens.clone()).collect();
    Ok(late_interaction(&question, states, &tokens)?)
}

/// The cosine of each question with each sentence of its passage, both encoded alone.
fn alone(
    encoder: &TextEncoder,
    passages: &[Passage],
    spans: &[Vec<Span>],
    asked: &[Asked],
) -> anyhow::Result<Scored> {
    let sentences = |(passage, spans): (&Passage, &Vec<Span>)| -> anyhow::Result<Embeddings> {
        let own: Vec<&str> = spans.iter().map(|span| &passage.text[span.bytes.clone()]).collect();
        Ok(encoder.encode(&own, None)?.vectors)
    };
    let sentences: Vec<Embeddings> =
        passages.iter().zip(spans).map(sentences).collect::<anyhow::Result<_>>()?;
    let questions: Vec<&str> = asked.iter().map(|asked| asked.question.as_str()).collect();
    let questions = encoder.encode(&questions, None)?.vectors;
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let scores = asked.iter().zip(questions.rows());
    Ok(scores.map(|(asked, q)| sentences[asked.passage].rows().map(|s| dot(q, s)).collect()).collect())
}

/// How rare each word is among the passages.
struct Overlap {
    idf: BTreeMap<String, f32>,
}

impl Overlap {
    fn of(passages: &[Passage]) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        passages.iter().flat_map(|p| words(&p.text)).for_each(|word| *counts.entry(word).or_default() += 1);
        let idf = |count: usize| (passages.len() as f32 / count as f32).ln() + 1.0;
        Self { idf: counts.into_iter().map(|(word, count)| (word, idf(count))).collect() }
    }

    /// The sum over the words of the question that stand in each sentence.
    fn scores(&self, text: &str, spans: &[Span], question: &str) -> Vec<f32> {
        let asked = words(question);
        let score = |own: &str| {
            let mut shared: Vec<f32> =
                words(own).intersection(&asked).filter_map(|w| self.idf.get(w)).copied().collect();
            shared.sort_by(f32::total_cmp); // sets have no order, and sums of floats have one
            shared.iter().sum()
        };
        spans.iter().map(|span| score(&text[span.bytes.clone()])).collect()
    }
}

fn words(text: &str) -> HashSet<String> {
    let runs = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    runs.map(str::to_lowercase).collect()
}

fn shown(e: Estimate) -> String {
    format!("{:.3} [{:.3}, {:.3}]", e.value, e.low, e.high)
}

/// What is scored: whether one of the best sentences holds the answer.
struct Scores<'a> {
    passages: &'a [Passage],
    asked: &'a [Asked],
}

impl Scores<'_> {
    fn articles(&self) -> Vec<usize> {
        self.asked.iter().map(|asked| asked.passage / PASSAGES).collect()
    }

    /// Prints a row; gives for each question whether the best sentence holds the answer.
    fn print(
        &self,
        name: &str,
        costs: [&str; 2],
        spans: &[Vec<Span>],
        scores: &Scored,
    ) -> anyhow::Result<Vec<f64>> {
        let mut right = [Vec::new(), Vec::new(), Vec::new()];
        for (asked, scores) in self.asked.iter().zip(scores) {
            let order = best(scores, 3);
            let own =
                |at: &usize| &self.passages[asked.passage].text[spans[asked.passage][*at].bytes.clone()];
            for (k, right) in right.iter_mut().enumerate() {
                let found = order.iter().take(k + 1).any(|at| own(at).contains(&asked.answer));
                right.push(f64::from(u8::from(found)));
            }
        }
        print!("| {name} | {} | {} |", costs[0], costs[1]);
        for figures in &right {
            print!(" {} |", shown(Bootstrap::default().mean_over_documents(figures, &self.articles())?));
        }
        println!();
        let [first, ..] = right;
        Ok(first)
    }

    /// How well the best sentence's score tells a question's passage from the next of its article that lacks the
    /// answer.
    fn no_answer(&self, best: impl Fn(usize, usize) -> anyhow::Result<f64>) -> anyhow::Result<Estimate> {
        let (mut own, mut others, mut articles) = (Vec::new(), Vec::new(), Vec::new());
        for (i, asked) in self.asked.iter().enumerate() {
            let article = asked.passage / PASSAGES;
            let next = (1..PASSAGES).map(|by| article * PASSAGES + (asked.passage + by) % PASSAGES);
            let lacks = |at: &usize| self.passages.get(*at).is_some_and(|p| !p.text.contains(&asked.answer));
            if let Some(other) = next.into_iter().find(lacks) {
                own.push(best(i, asked.passage)?);
                others.push(best(i, other)?);
                articles.push(article);
            }
        }
        let of = |values: &[f64], rows: &[usize]| rows.iter().map(|&row| values[row]).collect::<Vec<_>>();
        Ok(Bootstrap::default()
            .over_documents(&articles, |rows| roc_auc(&of(&own, rows), &of(&others, rows)))?)
    }
}
