//! What a status other than a good one means, and what may help.

use crate::request::TokenLimit;
use crate::rubric::start;
use serde_json::Value;

/// What was sent, as far as servers refuse it.
pub(crate) struct Sent {
    pub(crate) limit: TokenLimit,
    pub(crate) temperature: bool,
    pub(crate) json: bool,
}

/// What to do about a refusal, and whether it holds for every text.
pub(crate) fn cure(status: u16, body: &str, sent: &Sent) -> (String, bool) {
    let (cure, every) = match status {
        400 | 404 | 413 | 422 => match of_parameter(body, sent) {
            Some(cure) => (cure, true),
            None if status == 404 => ("check base_url and model", true),
            None => ("shorten the text, or correct the model's settings", false),
        },
        401 | 403 => {
            ("check the key and what it may do; Azure takes it under key_header = \"api-key\"", true)
        }
        402 => ("add credit", true),
        _ => ("check base_url, which must be the server itself", true),
    };
    (cure.into(), every)
}

/// The setting that a server names because it does not take it.
fn of_parameter(body: &str, sent: &Sent) -> Option<&'static str> {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let parameter = answer.pointer("/error/param").and_then(Value::as_str).unwrap_or_default().to_string();
    let said = format!("{parameter} {}", words(body)).to_lowercase();
    let names = |word: &str| said.contains(word);
    // A text that is too long is that text's own matter.
    if ["context length", "context window", "context size", "too long", "too large", "exceed"]
        .iter()
        .any(|w| names(w))
    {
        return None;
    }
    let limits = names("max_tokens") || names("max_completion_tokens");
    Some(match sent.limit {
        TokenLimit::MaxTokens(_) if limits => {
            "set max_completion_tokens in place of max_tokens, or max_tokens = \"default\" to send none"
        }
        TokenLimit::MaxCompletionTokens(_) if limits => {
            "set max_tokens in place of max_completion_tokens, or max_tokens = \"default\" to send none"
        }
        _ if sent.json && (names("response_format") || names("json_object") || names("json mode")) => {
            "set json = false"
        }
        _ if sent.temperature && names("temperature") => {
            "set temperature to what the model takes, or to \"default\" to send none"
        }
        _ => return None,
    })
}

/// What a refusal says: the message of an error in any form servers give it, or the first words of whatever page it is.
pub(crate) fn words(body: &str) -> String {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let places =
        ["/error/message", "/error", "/message", "/detail/0/msg", "/detail", "/choices/0/error/message"];
    match places.iter().find_map(|place| answer.pointer(place)?.as_str()) {
        Some(message) => start(message),
        None => start(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Sent = Sent { limit: TokenLimit::MaxTokens(64), temperature: true, json: true };

    #[test]
    fn a_parameter_that_is_refused_is_named_with_the_key_to_set() {
        for (body, cure_of) in [
            (
                r#"{"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "param": "max_tokens"}}"#,
                "max_completion_tokens in place",
            ),
            (
                r#"{"error": {"message": "Unsupported value: 'temperature' does not support 0 with this model.", "param": "temperature"}}"#,
                "temperature to what",
            ),
            (r#"{"error": "'response_format.type' must be 'json_schema' or 'text'"}"#, "json = false"),
            (
                r#"{"detail": [{"loc": ["body", "response_format"], "msg": "extra fields: response_format"}]}"#,
                "json = false",
            ),
            (r#"{"message": "This model does not support JSON mode"}"#, "json = false"),
        ] {
            let (cure, every) = cure(400, body, &SENT);
            assert!(cure.contains(cure_of) && every, "{body}: {cure}");
        }
        let newer = Sent { limit: TokenLimit::MaxCompletionTokens(64), ..SENT };
        let (cure, every) =
            cure(422, r#"{"detail": "max_completion_tokens: extra inputs are not permitted"}"#, &newer);
        assert!(cure.contains("set max_tokens in place") && every, "{cure}");
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_alone() {
        for body in [
            r#"{"error": {"message": "This model's maximum context length is 512 tokens; your messages and max_tokens exceed it"}}"#,
            r#"{"error": {"message": "'max_tokens' is too large: 64", "param": "max_tokens"}}"#,
            "<html>bad</html>",
        ] {
            assert!(!cure(400, body, &SENT).1, "{body}");
        }
    }

    #[test]
    fn what_was_not_sent_is_not_to_blame() {
        let sent = Sent { limit: TokenLimit::Unset, temperature: false, json: false };
        for body in
            [r#"{"error": "temperature"}"#, r#"{"error": "response_format"}"#, r#"{"error": "max_tokens"}"#]
        {
            assert!(!cure(400, body, &sent).1, "{body}");
        }
    }
}
