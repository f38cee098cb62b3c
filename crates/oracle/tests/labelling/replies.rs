//! Answers of servers beside the words of a model, through the whole endpoint.

use crate::inputs::{Expected, Refused, Right, counted};
use crate::scene::{Scene, config, questions, rubric};
use manyview_core::Quiet;
use manyview_oracle::{Ended, Endpoint, EndpointConfig, Key, Ledger, Prompt, TokenLimit};
use manyview_test_server::chat::Mood;
use serde_json::{Value, json};

const SCORES: &str = "{\"scope\": 7, \"proof\": 5}";
const USAGE: &str = r#"{"prompt_tokens": 10, "completion_tokens": 5}"#;

fn reply(message: &Value, why: &str) -> String {
    let usage: Value = serde_json::from_str(USAGE).unwrap();
    json!({ "choices": [{ "index": 0, "message": message, "finish_reason": why }], "usage": usage })
        .to_string()
}

/// What a labelling of one text comes to when the server answers with `body`, and how often it was asked.
fn labelled(body: &str) -> (Result<String, String>, usize) {
    let mut scene = Scene::new((0..5).map(|_| Mood::Status(200, "", body.into())));
    scene.labelling.longest_wait = std::time::Duration::from_millis(5);
    let labelled = scene.label(&questions(0, 1));
    let asked = scene.server.asked().len();
    let answer = match (&labelled.scores[..], labelled.ended) {
        ([Some(scores)], _) => Ok(scores.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")),
        (_, Ended::Error(error)) => Err(format!("{error} (asked {asked})")),
        (_, ended) => Err(format!("{ended:?}")),
    };
    (answer, asked)
}

#[test]
fn answers_without_an_answer_are_named_and_not_asked_for_again() {
    let of = |message: Value, why: &str| reply(&message, why);
    let bodies: Vec<(String, Expected)> = vec![
        (
            of(json!({"content": null, "refusal": "I cannot help with that."}), "stop"),
            Refused("a refusal of the model, \"I cannot help with that.\", (asked 1)"),
        ),
        (
            of(json!({"content": [{"type": "refusal", "refusal": "No."}]}), "stop"),
            Refused("a refusal of the model, \"No.\""),
        ),
        (of(json!({"content": null}), "content_filter"), Refused("content filter held back")),
        (
            of(json!({"content": "{\"scope\": 7, \"pr"}), "content_filter"),
            Refused("content filter held back"),
        ),
        (
            of(json!({"content": null, "reasoning_content": "scope is 7."}), "stop"),
            Refused("reasoning alone, in `reasoning_content`"),
        ),
        (
            of(json!({"content": "", "reasoning": "scope is 7."}), "length"),
            Refused("cut at the most tokens; raise max_tokens"),
        ),
        (
            of(json!({"content": "<think>{\"scope\": 2, \"proof\": 3}"}), "length"),
            Refused("reasoning alone, and no answer behind it; raise max_tokens"),
        ),
        (of(json!({"content": ""}), "stop"), Refused("an empty answer")),
        (
            of(json!({"content": null, "tool_calls": [{"id": "x"}]}), "tool_calls"),
            Refused("a call of a tool"),
        ),
        (of(json!({"content": []}), "stop"), Refused("an empty answer")),
        (
            of(json!({"content": [{"type": "image_url", "image_url": {}}]}), "stop"),
            Refused("parts of other kinds than text"),
        ),
        (
            of(
                json!({"content": SCORES, "refusal": null, "reasoning_content": "hm {\"scope\": 1, \"proof\": 1}"}),
                "stop",
            ),
            Right("7 5"),
        ),
    ];
    for (body, expected) in &bodies {
        let (answer, asked) = labelled(body);
        let most = if body.contains("<think>") { 2 } else { 1 };
        assert!(asked <= most, "asked {asked} times: {body}: {answer:?}");
        if let Refused(words) = expected {
            assert!(
                answer.as_ref().unwrap_err().contains(words.split(", (asked").next().unwrap()),
                "{answer:?}"
            );
        }
    }
    let cases: Vec<(&str, Expected)> =
        bodies.iter().map(|(body, expected)| (body.as_str(), *expected)).collect();
    counted("answers without an answer", &cases, |body| {
        labelled(body).0.map_err(|e| e.replace("; check the prompt and the model (", ", ("))
    });
}

#[test]
fn what_is_refused_is_in_the_ledger_with_its_cost() {
    let body = reply(&json!({"content": null, "refusal": "No."}), "stop");
    let scene = Scene::new([Mood::Status(200, "", body)]);
    let labelled = scene.label(&questions(0, 2));
    assert_eq!((labelled.totals.unusable, labelled.totals.answers), (1, 1));
    assert_eq!(labelled.totals.prompt_tokens, 1010);
}

#[test]
fn words_are_read_from_every_form_of_content() {
    let of = |content: Value| reply(&json!({ "role": "assistant", "content": content }), "stop");
    let text = |text: &str| json!({"type": "text", "text": text});
    let bodies: Vec<(String, Expected)> = vec![
        (of(json!(SCORES)), Right("7 5")),
        (of(json!([text(SCORES)])), Right("7 5")),
        (
            of(
                json!([{"type": "thinking", "thinking": [text("{\"scope\": 1, \"proof\": 1}")]}, text(SCORES)]),
            ),
            Right("7 5"),
        ),
        (of(json!([text("{\"scope\": 7, "), text("\"proof\": 5}")])), Right("7 5")),
        (
            of(
                json!([{"type": "reasoning", "text": "{\"scope\": 1, \"proof\": 1}"}, {"type": "output_text", "text": SCORES}]),
            ),
            Right("7 5"),
        ),
        (of(json!([{"type": "text", "text": {"value": SCORES}}])), Right("7 5")),
        (of(json!([SCORES])), Right("7 5")),
        (of(json!({"scope": 7, "proof": 5})), Right("7 5")),
        (of(json!(7)), Refused("7 as the content")),
        (reply(&json!({"content": "{\"scope\": 7, \"proof\": 5}\n\n   "}), "length"), Right("7 5")),
        (
            reply(&json!({"content": "At first {\"scope\": 2, \"proof\": 3}, but then it reach"}), "length"),
            Refused("goes on behind its scores; raise max_tokens"),
        ),
        ("data: {\"choices\": []}\n\n".into(), Refused("a stream of events")),
        ("<html>hello</html>".into(), Refused("<html>hello</html>")),
    ];
    let cases: Vec<(&str, Expected)> =
        bodies.iter().map(|(body, expected)| (body.as_str(), *expected)).collect();
    counted("content of a message", &cases, |body| labelled(body).0);
}

#[test]
fn an_error_with_status_200_is_taken_as_the_status_it_stands_for() {
    let bodies = [
        (
            r#"{"error": {"message": "rate limit exceeded", "code": 429}}"#,
            Refused("status 429: rate limit exceeded; every answer so far is kept"),
        ),
        (r#"{"error": {"message": "busy", "code": "503"}}"#, Refused("status 503: busy")),
        (
            r#"{"error": {"message": "slow down", "type": "rate_limit_exceeded"}}"#,
            Refused("status 429: slow down"),
        ),
        (r#"{"error": "The model is overloaded"}"#, Refused("status 503: The model is overloaded")),
        (
            r#"{"choices": [{"error": {"message": "upstream", "code": 502}, "finish_reason": "error"}]}"#,
            Refused("status 502: upstream"),
        ),
        (
            r#"{"error": {"message": "wrong key", "code": 401}}"#,
            Refused("status 401: wrong key; check the key"),
        ),
        (r#"{"error": {"message": "no money", "code": "insufficient_quota"}}"#, Refused("add credit")),
        (r#"{"error": {"message": "odd", "code": "x"}}"#, Refused("an error, ")),
    ];
    counted("an error with status 200", &bodies, |body| labelled(body).0);
    let (answer, asked) = labelled(bodies[5].0);
    assert_eq!(asked, 1, "{answer:?}");
}

#[test]
fn a_refused_parameter_ends_it_at_once_with_the_key_to_set() {
    for (said, cure) in [
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            "set max_completion_tokens",
        ),
        ("Unsupported value: 'temperature'. Only the default (1) value is supported.", "temperature"),
        ("'response_format.type' must be 'json_schema' or 'text'", "json = false"),
    ] {
        let body = json!({ "error": said }).to_string();
        let scene = Scene::new((0..20).map(|_| Mood::Status(400, "", body.clone())));
        let Ended::Error(error) = scene.label(&questions(0, 20)).ended else { panic!("{said}") };
        assert!(error.to_string().contains(cure) && error.to_string().contains(said), "{error}");
        assert_eq!(scene.server.asked().len(), 1);
    }
}

#[test]
fn parameters_are_sent_as_the_settings_say() {
    let scene = Scene::new([]);
    let ask = |change: &dyn Fn(EndpointConfig) -> EndpointConfig| {
        let config = change(config(&scene.server.url()));
        let endpoint = Endpoint::new(config, Prompt::new("{content}", "").unwrap(), rubric()).unwrap();
        let path = scene.dir.path().join(format!("{}.jsonl", scene.server.asked().len()));
        let mut ledger = Ledger::open(&path).unwrap();
        scene.labelling.run(&endpoint, &questions(1, 2), &mut ledger, &Quiet).unwrap();
        scene.server.asked().pop().unwrap()
    };
    let newer = ask(&|config| EndpointConfig {
        max_tokens: TokenLimit::MaxCompletionTokens(99),
        temperature: None,
        json: false,
        ..config
    });
    let messages = json!([{ "role": "user", "content": "text 1" }]);
    assert_eq!(newer.body, json!({ "model": "tiny", "max_completion_tokens": 99, "messages": messages }));
    let least = ask(&|config| EndpointConfig {
        max_tokens: TokenLimit::Unset,
        temperature: None,
        json: false,
        ..config
    });
    assert_eq!(least.body, json!({ "model": "tiny", "messages": messages }));
    let azure = ask(&|config| EndpointConfig {
        base_url: format!("{}/openai/deployments/m?api-version=2024-10-21", config.base_url),
        key_header: Some("api-key".into()),
        ..config
    });
    assert_eq!(azure.path, "/v1/openai/deployments/m/chat/completions?api-version=2024-10-21");
    assert_eq!(azure.authorization, "");
}

#[test]
fn a_key_goes_without_encryption_only_where_the_switch_and_the_address_allow_it() {
    let made = |url: &str, plain_http| {
        let config = EndpointConfig { plain_http, key: Some(Key::new("k")), ..config(url) };
        Endpoint::new(config, Prompt::new("{content}", "").unwrap(), rubric())
            .map(drop)
            .map_err(|e| e.to_string())
    };
    for url in ["http://10.1.2.3:8000/v1", "http://gpu.local/v1", "http://vllm:8000/v1"] {
        assert_eq!(made(url, true), Ok(()), "{url}");
        assert!(made(url, false).unwrap_err().contains("plain_http = true"), "{url}");
    }
    assert!(made("http://example.org/v1", true).unwrap_err().contains("private addresses"));
    assert!(made("http://example.org/v1", false).unwrap_err().contains("https://"));
    assert_eq!(made("https://example.org/v1", false), Ok(()));
}
