//! Scores of texts, asked of an oracle.

mod gate;
mod record;
mod settings;

pub use manyview_oracle::Key as OracleKey;
pub use record::LabelRecord;
pub use settings::key_variable;

use crate::file::publish_json;
use crate::{Error, Result};
use manyview_core::Progress;
use manyview_core::publish::write_whole;
use manyview_data::{Article, Filter, ScoredText};
use manyview_oracle::{Ended, Key, Labelled, Ledger, Question};
use std::path::{Path, PathBuf};

/// What to label, and whom to ask.
#[derive(Clone, Debug)]
pub struct LabelRequest {
    /// The filter: a file, or the directory of one version.
    pub filter: PathBuf,
    /// The texts: JSON objects with `id`, `title` and `content`, one a line.
    pub input: PathBuf,
    /// The labelled file to write; the ledger and the record stand beside it.
    pub output: PathBuf,
    /// The file that says which oracle.
    pub oracle: PathBuf,
    /// The oracle's key, from the variable that [`key_variable`] names.
    pub key: Option<Key>,
    /// Only the first texts.
    pub limit: Option<usize>,
    /// The most that all answers in the ledger may cost.
    pub budget: Option<f64>,
    /// Which time the texts are asked about; another round asks for every one again.
    pub round: u32,
    /// Whether to label a batch without a calibration that passed.
    pub uncalibrated: bool,
}

/// Asks for every text that the ledger has no answer to, and writes those that have one.
///
/// A labelling that is interrupted, out of budget or refused keeps what it has: the output holds every text with an
/// answer, and the same command goes on. The record says why it ended.
///
/// # Errors
/// Files, settings, a batch without calibration; an interruption, or an oracle that cannot be asked, once the output
/// is written.
pub fn run(request: &LabelRequest, progress: &dyn Progress) -> Result<LabelRecord> {
    let filter = Filter::load(&request.filter)?;
    let mut articles = Article::read_all(&request.input)?;
    articles.truncate(request.limit.unwrap_or(usize::MAX));
    let asked = settings::load(&request.oracle, request.key.clone(), &filter)?;
    if !request.uncalibrated {
        gate::check(&filter, &articles, &asked)?;
    }
    let questions: Vec<Question> = articles.iter().map(question).collect();
    let mut labelling = asked.labelling.clone();
    (labelling.budget, labelling.round) = (request.budget, request.round);
    let (ledger, record) = (beside(&request.output, "ledger.jsonl"), beside(&request.output, "record.json"));
    if let Some(dir) = request.output.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        std::fs::create_dir_all(dir).map_err(Error::io(dir))?;
    }
    let mut ledger = Ledger::open(&ledger)?;
    let labelled = labelling.run(asked.oracle.as_ref(), &questions, &mut ledger, progress)?;
    write_whole(&request.output, &lines(&filter, articles, &labelled)?)?;
    let made = record::of(&filter, &asked, &labelled, request.round);
    publish_json(&record, &made)?;
    for (place, error) in &labelled.failed {
        let id = questions.get(*place).map_or("", |question| question.id.as_str());
        tracing::warn!("`{id}` has no label: {error}");
    }
    match labelled.ended {
        Ended::Error(error) => Err(error.into()),
        _ => Ok(made),
    }
}

/// A file beside `output` that belongs to it: `labelled.jsonl` has `labelled.ledger.jsonl` and `labelled.record.json`.
pub(crate) fn beside(output: &Path, end: &str) -> PathBuf {
    output.with_extension(end)
}

fn question(article: &Article) -> Question {
    Question { id: article.id.clone(), title: article.title.clone(), content: article.content.clone() }
}

/// The objects of a labelled file: those with an answer, in the order of the input.
fn lines(filter: &Filter, articles: Vec<Article>, labelled: &Labelled) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for (article, scores) in articles.into_iter().zip(&labelled.scores) {
        let Some(scores) = scores.clone() else { continue };
        let row = ScoredText { article, scores };
        let line = serde_json::to_string(&row.labelled(filter));
        lines.extend(line.map_err(|e| Error::setting("--output", e.to_string()))?.into_bytes());
        lines.push(b'\n');
    }
    Ok(lines)
}
