//! The parts of OpenAI's chat completions that are sent.

use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) model: &'a str,
    pub(crate) messages: [Message<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_format: Option<Format>,
}

#[derive(Serialize)]
pub(crate) struct Message<'a> {
    pub(crate) role: &'static str,
    pub(crate) content: &'a str,
}

#[derive(Serialize)]
pub(crate) struct Format {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// The most tokens an answer may have, and what the server calls that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenLimit {
    /// `max_tokens`, which most servers know.
    MaxTokens(u32),
    /// `max_completion_tokens`, as OpenAI's models from o1 on ask for; what is written while reasoning counts.
    MaxCompletionTokens(u32),
    /// None is sent: the server's own.
    Unset,
}

impl TokenLimit {
    /// The number, where one is sent.
    pub fn tokens(self) -> Option<u32> {
        match self {
            Self::MaxTokens(tokens) | Self::MaxCompletionTokens(tokens) => Some(tokens),
            Self::Unset => None,
        }
    }

    /// The key that raises it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::MaxTokens(_) | Self::Unset => "max_tokens",
            Self::MaxCompletionTokens(_) => "max_completion_tokens",
        }
    }
}
