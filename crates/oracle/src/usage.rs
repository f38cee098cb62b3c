//! Tokens as servers state them.

use crate::Usage;
use serde_json::Value;

/// What an answer took, where both counts can be known from what the server says.
///
/// Names are those of OpenAI, of Anthropic, of Google and of Ollama; counts may be whole floats or in quotes. Where the
/// total is more than the two together, what is missing was written while reasoning, and is paid for as such.
pub(crate) fn stated(response: &Value) -> Option<Usage> {
    let tables = ["usage", "usageMetadata", "usage_metadata"];
    let table = tables.iter().find_map(|name| response.get(name).filter(|table| table.is_object()));
    let table = table.unwrap_or(response);
    let of = |names: &[&str]| names.iter().find_map(|name| count(table.get(name)?));
    let prompt = of(&["prompt_tokens", "input_tokens", "promptTokenCount", "prompt_eval_count"]);
    let answer = of(&["completion_tokens", "output_tokens", "candidatesTokenCount", "eval_count"]);
    let total = of(&["total_tokens", "totalTokenCount"]);
    let (prompt_tokens, completion_tokens) = match (prompt, answer, total) {
        (Some(prompt), Some(answer), total) => {
            (prompt, answer.max(total.unwrap_or(0).saturating_sub(prompt)))
        }
        (Some(prompt), None, Some(total)) => (prompt, total.checked_sub(prompt)?),
        (None, Some(answer), Some(total)) => (total.checked_sub(answer)?, answer),
        _ => return None,
    };
    Some(Usage { prompt_tokens, completion_tokens })
}

fn count(value: &Value) -> Option<u64> {
    const MOST: f64 = 1e15;
    let float =
        |number: f64| (number.fract() == 0.0 && (0.0..MOST).contains(&number)).then_some(number as u64);
    match value {
        Value::Number(number) => number.as_u64().or_else(|| float(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_are_counted_in_every_form_they_are_stated_in() {
        let usage = Some(Usage { prompt_tokens: 10, completion_tokens: 5 });
        for (response, expected) in [
            (json!({"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}), usage),
            (json!({"usage": {"prompt_tokens": 10.0, "completion_tokens": "5"}}), usage),
            (json!({"usage": {"input_tokens": 10, "output_tokens": 5}}), usage),
            (json!({"usage": {"prompt_tokens": 10, "total_tokens": 15}}), usage),
            (json!({"usage": {"completion_tokens": 5, "prompt_tokens": null, "total_tokens": 15}}), usage),
            (json!({"usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 15}}), usage),
            (json!({"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5}}), usage),
            (json!({"prompt_eval_count": 10, "eval_count": 5}), usage),
            (json!({"usage": {"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.1, "x": [1]}}), usage),
            (json!({"usage": null}), None),
            (json!({"usage": {}}), None),
            (json!({"usage": "15 tokens"}), None),
            (json!({"usage": {"total_tokens": 15}}), None),
            (json!({"usage": {"prompt_tokens": 10}}), None),
            (json!({"usage": {"prompt_tokens": -1, "completion_tokens": 5}}), None),
            (json!({"usage": {"prompt_tokens": 10, "completion_tokens": 1e300}}), None),
            (json!({"usage": {"prompt_tokens": 20, "total_tokens": 15}}), None),
            (json!({}), None),
        ] {
            assert_eq!(stated(&response), expected, "{response}");
        }
    }
}
