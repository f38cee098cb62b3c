//! What a server answers with status 200.

use crate::Usage;
use crate::rubric::start;
use crate::usage::stated;
use serde_json::Value;

/// What an answer comes to.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    /// Words of a model; whether they were cut at the most tokens.
    Words { words: String, cut: bool, usage: Option<Usage> },
    /// None, and the same question would have none again; what was found instead, and whether it was cut.
    Declined { found: String, cut: bool, usage: Option<Usage> },
    /// None, for this once.
    Nothing { found: String, usage: Option<Usage> },
    /// An error in place of an answer, with the status it stands for.
    Error { status: u16 },
}

/// Reads the body of an answer.
pub(crate) fn read(body: &str) -> Reply {
    let response: Value = match serde_json::from_str(body) {
        Ok(response) => response,
        Err(_) if body.trim_start().starts_with("data:") => {
            let found = "a stream of events, which was not asked for".into();
            return Reply::Nothing { found, usage: None };
        }
        Err(e) => return Reply::Nothing { found: format!("{:?} ({e})", start(body)), usage: None },
    };
    let usage = stated(&response);
    let choice = response.pointer("/choices/0").unwrap_or(&Value::Null);
    let error =
        [&response, choice].into_iter().find_map(|at| at.get("error").filter(|error| !error.is_null()));
    if let Some(error) = error {
        return match status(error) {
            Some(status) => Reply::Error { status },
            None => Reply::Nothing { found: format!("an error, {:?}", start(&error.to_string())), usage },
        };
    }
    let Some(message) = choice.get("message").filter(|message| message.is_object()) else {
        return Reply::Nothing { found: format!("no choice in {:?}", start(body)), usage };
    };
    let why = choice.get("finish_reason").and_then(Value::as_str).unwrap_or_default();
    let cut = matches!(why, "length" | "max_tokens" | "MAX_TOKENS");
    if let Some(refusal) = refusal(message) {
        return Reply::Declined {
            found: format!("a refusal of the model, {:?}", start(&refusal)),
            cut: false,
            usage,
        };
    }
    if matches!(why, "content_filter" | "SAFETY" | "safety" | "refusal" | "PROHIBITED_CONTENT" | "RECITATION")
    {
        let found = format!("an answer that the server's content filter held back (finish_reason `{why}`)");
        return Reply::Declined { found, cut: false, usage };
    }
    match words(message.get("content").unwrap_or(&Value::Null)) {
        Err(found) => Reply::Nothing { found, usage },
        Ok(words) if !words.trim().is_empty() => Reply::Words { words, cut, usage },
        Ok(_) => Reply::Declined { found: empty(message, cut, why), cut, usage },
    }
}

/// Why there are no words.
fn empty(message: &Value, cut: bool, why: &str) -> String {
    const REASONING: [&str; 4] = ["reasoning_content", "reasoning", "thinking", "reasoning_details"];
    let there = |name: &str| {
        message.get(name).is_some_and(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            Value::Array(parts) => !parts.is_empty(),
            _ => true,
        })
    };
    let parts = message.get("content").and_then(Value::as_array).is_some_and(|parts| !parts.is_empty());
    let found = if let Some(name) = REASONING.iter().find(|name| there(name)) {
        format!("\"\": reasoning alone, in `{name}`, and no answer behind it")
    } else if there("tool_calls") || there("function_call") {
        "\"\": a call of a tool, and none was offered".into()
    } else if parts {
        "\"\": parts of other kinds than text".into()
    } else {
        "\"\", an empty answer".into()
    };
    match (cut, why) {
        (true, _) => format!("{found}, cut at the most tokens"),
        (false, "" | "stop") => found,
        (false, why) => format!("{found} (finish_reason `{why}`)"),
    }
}

/// What the model says in place of an answer.
fn refusal(message: &Value) -> Option<String> {
    let of_parts = || {
        let parts = message.get("content")?.as_array()?;
        parts.iter().find_map(|part| part.get("refusal")?.as_str())
    };
    let said = message.get("refusal").and_then(Value::as_str).or_else(of_parts);
    said.filter(|said| !said.trim().is_empty()).map(String::from)
}

/// The text of a message: a string, an object that the server has read already, or the parts that are text.
fn words(content: &Value) -> Result<String, String> {
    match content {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Object(_) => Ok(content.to_string()),
        Value::Array(parts) => Ok(parts.iter().filter_map(of_part).collect()),
        other => Err(format!("{other} as the content")),
    }
}

fn of_part(part: &Value) -> Option<&str> {
    let text = match part.get("type").and_then(Value::as_str) {
        None | Some("text" | "output_text") => part.get("text").unwrap_or(part),
        Some(_) => return None,
    };
    text.as_str().or_else(|| text.get("value")?.as_str())
}

/// The status that an error stands for, where it says.
fn status(error: &Value) -> Option<u16> {
    let code = |name: &str| error.get(name).filter(|code| !code.is_null());
    let codes = ["code", "status", "status_code", "type"].iter().filter_map(|name| code(name));
    let known = |code: &Value| match code {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok(),
        Value::String(word) => word.trim().parse().ok().or_else(|| named(word)),
        _ => None,
    };
    let mut statuses = codes.filter_map(known).chain(error.as_str().and_then(named));
    statuses.find(|status| (400..600).contains(status))
}

/// The status of errors that servers call by a name.
fn named(word: &str) -> Option<u16> {
    let word = word.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    Some(match () {
        () if has(&["insufficient_quota"]) => 402,
        () if has(&["rate_limit", "rate limit", "too_many_requests", "resource_exhausted"]) => 429,
        () if has(&["overloaded", "unavailable", "server_error", "timeout", "timed out", "internal"]) => 503,
        () if has(&["authentication", "invalid_api_key", "permission"]) => 401,
        () => return None,
    })
}
