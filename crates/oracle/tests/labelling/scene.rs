use manyview_core::{Progress, Quiet};
use manyview_oracle::{
    Endpoint, EndpointConfig, Key, Labelled, Labelling, Ledger, Prices, Prompt, Question, Rubric, TokenLimit,
};
use manyview_test_server::chat::{Mood, Server};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// What nothing may ever show.
pub(crate) const CANARY: &str = "sk-canary-4f1d";

/// A server, a ledger, and a way to label.
pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) dir: TempDir,
    pub(crate) labelling: Labelling,
}

impl Scene {
    /// A server that fails as `moods` say, and then scores a text by its last digit.
    pub(crate) fn new(moods: impl IntoIterator<Item = Mood>) -> Self {
        let labelling = Labelling {
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(1500),
            prices: Some(Prices { input: 1.0, output: 10.0 }),
            ..Labelling::default()
        };
        Self { server: Server::new(moods, digit), dir: tempfile::tempdir().unwrap(), labelling }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint_of("Score {title}: {content}")
    }

    pub(crate) fn endpoint_of(&self, prompt: &str) -> Endpoint {
        Endpoint::new(config(&self.server.url()), Prompt::new(prompt, "").unwrap(), rubric()).unwrap()
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.dir.path().join("ledger.jsonl")
    }

    pub(crate) fn label(&self, questions: &[Question]) -> Labelled {
        self.label_until(questions, &Quiet)
    }

    pub(crate) fn label_until(&self, questions: &[Question], progress: &dyn Progress) -> Labelled {
        let mut ledger = Ledger::open(&self.ledger()).unwrap();
        self.labelling.run(&self.endpoint(), questions, &mut ledger, progress).unwrap()
    }
}

pub(crate) fn config(url: &str) -> EndpointConfig {
    EndpointConfig {
        base_url: url.into(),
        model: "tiny".into(),
        key: Some(Key::new(CANARY)),
        key_header: None,
        plain_http: false,
        temperature: Some(0.0),
        max_tokens: TokenLimit::MaxTokens(64),
        timeout: Duration::from_millis(700),
        json: true,
    }
}

pub(crate) fn rubric() -> Rubric {
    Rubric { dimensions: vec!["scope".into(), "proof".into()], range: [0.0, 10.0] }
}

/// The texts `from..to`.
pub(crate) fn questions(from: usize, to: usize) -> Vec<Question> {
    let question = |i| Question { id: format!("r{i}"), title: "T".into(), content: format!("text {i}") };
    (from..to).map(question).collect()
}

/// What the model says of a text that ends in a digit.
fn digit(prompt: &str) -> String {
    let digit = prompt.chars().last().and_then(|c| c.to_digit(10)).unwrap_or(0);
    format!("{{\"scope\": {digit}, \"proof\": 1}}")
}

/// The scores of the texts `from..to`.
pub(crate) fn scores(from: usize, to: usize) -> Vec<Option<Vec<f64>>> {
    (from..to).map(|i| Some(vec![(i % 10) as f64, 1.0])).collect()
}
