use crate::scene::{CANARY, Scene, config, questions, rubric, scores};
use manyview_core::Kind;
use manyview_oracle::{Ended, Endpoint, Error, Key, Oracle, Prompt};
use manyview_test_server::chat::Mood;
use serde_json::json;
use std::time::Duration;

#[test]
fn a_question_is_sent_as_the_interface_says() {
    let scene = Scene::new([]);
    let labelled = scene.label(&questions(3, 4));
    assert_eq!(labelled.scores, scores(3, 4));
    let asked = &scene.server.asked()[0];
    assert_eq!((asked.path.as_str(), asked.prompt()), ("/v1/chat/completions", "Score T: text 3"));
    assert_eq!(asked.authorization, format!("Bearer {CANARY}"));
    assert_eq!(
        asked.body,
        json!({
            "model": "tiny", "temperature": 0.0, "max_tokens": 64, "response_format": { "type": "json_object" },
            "messages": [{ "role": "user", "content": "Score T: text 3" }],
        })
    );
}

#[test]
fn a_server_in_trouble_is_asked_again_until_it_is_well() {
    let busy = || Mood::Status(429, "retry-after: 0", r#"{"error": {"message": "slow down"}}"#.into());
    let moods = [
        busy(),
        Mood::Status(500, "", "<html>oh</html>".into()),
        Mood::Slow(Duration::from_millis(900)),
        Mood::Cut,
    ];
    let scene = Scene::new(moods);
    let labelled = scene.label(&questions(0, 3));
    assert!(matches!(labelled.ended, Ended::Done), "{:?}", labelled.ended);
    assert_eq!((labelled.scores, labelled.asked), (scores(0, 3), 3));
    assert_eq!(scene.server.asked().len(), 7);
    assert_eq!(labelled.totals.lost, 2, "the slow and the cut one may have been charged");
}

#[test]
fn what_is_no_answer_is_asked_again() {
    let says = |words: &str| Mood::Says(words.into());
    let moods = [
        says("I am only a model."),
        says(r#"{"scope": 7}"#),
        says(r#"{"scope": 7, "proof": 70}"#),
        Mood::Status(200, "", "{\"choices\": []}".into()),
    ];
    let scene = Scene::new(moods);
    let labelled = scene.label(&questions(5, 6));
    assert_eq!((labelled.scores, labelled.totals.unusable), (scores(5, 6), 4));
}

#[test]
fn a_text_that_is_never_answered_is_named_and_the_others_are_scored() {
    let scene = Scene::new((0..2).map(|_| Mood::Says("no".into())));
    let labelled = scene.label(&questions(0, 3));
    assert!(matches!(labelled.ended, Ended::Done));
    assert_eq!(labelled.scores, [vec![None], scores(1, 3)].concat());
    let (place, error) = &labelled.failed[0];
    assert_eq!((*place, error.kind()), (0, Kind::Network));
    let error = error.to_string();
    assert!(
        error.contains("`proof`") && error.contains("found \"no\"") && error.contains("prompt"),
        "{error}"
    );
}

#[test]
fn a_refused_text_costs_no_second_try_and_ten_in_a_row_end_it() {
    let refused = || Mood::Status(400, "", r#"{"error": {"message": "too long"}}"#.into());
    let scene = Scene::new((0..40).map(|_| refused()));
    let labelled = scene.label(&questions(0, 30));
    let Ended::Error(error) = labelled.ended else { panic!("{:?}", labelled.ended) };
    assert!(error.to_string().contains("status 400: too long"), "{error}");
    assert_eq!(scene.server.asked().len(), 10);
}

#[test]
fn answers_to_no_text_at_all_are_an_error_however_few_texts_there_are() {
    let scene = Scene::new((0..10).map(|_| Mood::Says("no".into())));
    let labelled = scene.label(&questions(0, 2));
    let Ended::Error(error) = labelled.ended else { panic!("{:?}", labelled.ended) };
    assert!(error.to_string().contains("found \"no\""), "{error}");
    assert_eq!(
        (labelled.scores, labelled.totals.unusable),
        (vec![None, None], 4),
        "the same words twice are enough"
    );
}

#[test]
fn a_wrong_key_ends_it_at_once_and_is_shown_nowhere() {
    let echo = format!(r#"{{"error": {{"message": "Incorrect API key provided: {CANARY}"}}}}"#);
    let scene = Scene::new((0..9).map(|_| Mood::Status(401, "", echo.clone())));
    let labelled = scene.label(&questions(0, 9));
    let Ended::Error(error) = &labelled.ended else { panic!("{:?}", labelled.ended) };
    let shown = format!("{error} {error:?} {labelled:?} {:?}", scene.endpoint());
    assert!(shown.contains("check the key") && shown.contains("***"), "{shown}");
    assert!(!shown.contains(CANARY), "{shown}");
    assert_eq!(scene.server.asked().len(), 1);
}

#[test]
fn a_key_that_is_repeated_in_an_answer_reaches_neither_ledger_nor_error() {
    let scene = Scene::new((0..2).map(|_| Mood::Says(format!("your key is {CANARY}"))));
    let labelled = scene.label(&questions(0, 1));
    let ledger = std::fs::read_to_string(scene.ledger()).unwrap();
    assert!(ledger.contains("your key is ***"), "{ledger}");
    assert!(!format!("{ledger}{labelled:?}").contains(CANARY));
}

#[test]
fn an_oracle_that_asks_for_a_longer_wait_than_allowed_is_left_alone() {
    let scene = Scene::new([Mood::Status(429, "retry-after: 3600", String::new())]);
    let labelled = scene.label(&questions(0, 2));
    let Ended::Error(error) = labelled.ended else { panic!("{:?}", labelled.ended) };
    assert!(
        matches!(error, Error::Unreachable { .. }) && error.to_string().contains("run the same command"),
        "{error}"
    );
    assert_eq!(scene.server.asked().len(), 1);
}

#[test]
fn an_answer_without_end_is_not_read_without_end() {
    let scene = Scene::new((0..5).map(|_| Mood::Status(200, "", "x".repeat(3 << 20))));
    let labelled = scene.label(&questions(0, 1));
    let Ended::Error(error) = labelled.ended else { panic!("{:?}", labelled.ended) };
    assert!(error.to_string().len() < 400, "{error}");
}

#[test]
fn nobody_there_is_an_error_of_the_network() {
    let mut scene = Scene::new([]);
    scene.labelling.attempts = 2;
    let endpoint =
        Endpoint::new(config("http://127.0.0.1:1/v1"), Prompt::new("{content}", "").unwrap(), rubric());
    let mut ledger = manyview_oracle::Ledger::open(&scene.ledger()).unwrap();
    let labelled = scene
        .labelling
        .run(&endpoint.unwrap(), &questions(0, 1), &mut ledger, &manyview_core::Quiet)
        .unwrap();
    let Ended::Error(error) = labelled.ended else { panic!("{:?}", labelled.ended) };
    assert_eq!(error.kind(), Kind::Network, "{error}");
    assert_eq!(labelled.totals.lost, 0, "nothing was sent: {error:?}");
}

#[test]
fn addresses_and_keys_that_cannot_be_used_are_refused_without_showing_them() {
    for (url, word) in [
        ("ftp://h", "another scheme"),
        ("http://", "no host"),
        ("https://ann:sk-canary-4f1d@h/v1", "key_env"),
        ("https://h/v1?key=sk-canary-4f1d", "leave it out"),
        ("http://example.org/v1", "expected https://"),
    ] {
        let e = Endpoint::new(config(url), Prompt::new("{content}", "").unwrap(), rubric()).unwrap_err();
        let shown = format!("{e} {e:?}");
        assert!(shown.contains(word) && !shown.contains(CANARY), "{url}: {shown}");
    }
    let unfit = Endpoint::new(
        manyview_oracle::EndpointConfig { key: Some(Key::new("sk canary")), ..config("https://h") },
        Prompt::new("{content}", "").unwrap(),
        rubric(),
    );
    assert!(!unfit.unwrap_err().to_string().contains("canary"));
    assert!(Prompt::new("no place", "").unwrap_err().to_string().contains("{content}"));
}

#[test]
fn the_fingerprint_follows_prompt_and_model_and_not_the_key() {
    let scene = Scene::new([]);
    let of = |prompt: &str| scene.endpoint_of(prompt).fingerprint();
    assert_eq!(of("{content}"), of("{content}"));
    assert_ne!(of("{content}"), of("{content}!"));
    let with = |config| {
        Endpoint::new(config, Prompt::new("{content}", "").unwrap(), rubric()).unwrap().fingerprint()
    };
    let plain = || config("http://localhost/v1");
    assert_eq!(with(plain()), with(manyview_oracle::EndpointConfig { key: None, ..plain() }));
    assert_ne!(with(plain()), with(manyview_oracle::EndpointConfig { model: "other".into(), ..plain() }));
}
