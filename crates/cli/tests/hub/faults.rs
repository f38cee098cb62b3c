use crate::place::{Place, Said, TOKEN, hub, hub_with};
use manyview_test_server::hub::sha256;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Instant;

const LET_IN: &[(&str, &str)] = &[("HF_TOKEN", TOKEN)];

fn assert_told(said: &Said, words: &[&str]) {
    assert!(!said.errors.contains("panicked"), "{}", said.errors);
    for word in words {
        assert!(
            said.out.contains(word) || said.errors.contains(word),
            "no `{word}` in {}{}",
            said.out,
            said.errors
        );
    }
}

#[test]
fn doctor_says_what_is_missing_when_the_hub_is_down_and_nothing_is_cached() {
    let (hub, place) = (hub(), Place::new());
    hub.stop();
    let said = place.manyview("doctor", "nyt-topic", &hub.endpoint, LET_IN);
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.errors);
    let cure = "check the connection and run again";
    let (model, corpus) = ("api/models/Qwen/Qwen3-Embedding-0.6B", "api/datasets/BrandonZYW/NYTClustering");
    assert_told(&said, &["encoder", "corpus", model, corpus, cure, "ok    teacher"]);
    let said = place.manyview("doctor", "nyt-topic", &hub.endpoint, &[("HF_HUB_OFFLINE", "1")]);
    assert_told(
        &said,
        &["hub:Qwen/Qwen3-Embedding-0.6B", "hub:BrandonZYW/NYTClustering", "unset HF_HUB_OFFLINE"],
    );
    let said = place.manyview("run", "nyt-topic", &hub.endpoint, LET_IN);
    assert_eq!(said.code, Some(4), "{}", said.errors);
    assert_told(&said, &[cure]);
}

#[test]
fn a_hub_that_lets_nobody_in_is_told_with_the_cure() {
    let (hub, place) = (hub(), Place::new());
    let said = place.manyview("fetch", "nyt-topic", &hub.endpoint, &[]);
    assert_eq!(said.code, Some(2), "{}", said.errors);
    assert_told(&said, &["401", "set HF_TOKEN"]);
    let said = place.manyview("fetch", "nyt-topic", &hub.endpoint, &[("HF_TOKEN", "hf_othertoken")]);
    assert_told(&said, &["401", "the token is not valid here"]);
    assert!(!said.errors.contains("hf_other") && place.holding("hf_other").is_empty());
}

#[test]
fn what_doctor_fetches_run_finds() {
    let (hub, place) = (hub(), Place::new());
    let said = place.done("doctor", "nyt-location", &hub.endpoint, LET_IN);
    assert!(said.lines().all(|line| line.starts_with("ok ")), "{said}");
    hub.stop();
    place.done("run", "nyt-location", &hub.endpoint, LET_IN);
}

/// Eight processes fetch the same model, one of them is killed somewhere on the way; then one more runs.
fn kill_one_of_eight(rounds: u32) {
    let weights = vec![7; 6_000_000];
    let hub = hub_with(&[("model.safetensors", weights.clone())]);
    let start = |place: &Place| -> Child {
        let mut command = place.process("fetch", "nyt-topic", &hub.endpoint, LET_IN);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let whole = {
        let (place, began) = (Place::new(), Instant::now());
        assert!(start(&place).wait().unwrap().success());
        began.elapsed()
    };
    let mut within = 0;
    for round in 0..rounds {
        let place = Place::new();
        let mut children: Vec<Child> = (0..8).map(|_| start(&place)).collect();
        sleep(whole * (round * 7 % 40) / 20);
        let mut killed = children.remove(round as usize % 8);
        killed.kill().unwrap();
        within += usize::from(!killed.wait().unwrap().success());
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "round {round}: {}", String::from_utf8_lossy(&output.stderr));
        }
        hub.asked();
        place.done("fetch", "nyt-topic", &hub.endpoint, LET_IN);
        assert!(hub.asked().is_empty(), "round {round}: something was still missing");
        let blobs = place.path("home/hub/models--Qwen--Qwen3-Embedding-0.6B/blobs");
        assert!(std::fs::read(blobs.join(sha256(&weights))).unwrap() == weights, "round {round}");
        let names = std::fs::read_dir(blobs).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| name.ends_with(".incomplete")).count(), 0, "round {round}");
    }
    println!("reliability: B3 tried={rounds} times 8 processes at once, {within} killed on the way");
}

#[test]
fn b3_one_of_eight_that_is_killed_while_fetching_costs_the_others_nothing() {
    kill_one_of_eight(std::env::var("ROUNDS").map_or(20, |n| n.parse().unwrap()));
}
