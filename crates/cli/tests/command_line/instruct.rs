//! Answers to instructions about a text and about rows of a file, by the encoder inside the program.

use crate::interruption::{signal, start, wait_until};
use crate::scene::{Scene, assert_refusal};
use serde_json::Value;

const REPORT: &str = "\
Super Bowl 50 was an American football game to determine the champion of the league for the 2015 season. The Denver \
Broncos defeated the Carolina Panthers 24–10. The game was played on February 7, 2016, at Levi's Stadium. 🏈👩‍🚀

Von Miller led the team with five sacks. Dr. J. Smith saw it. Coldplay played at halftime. \
ทีมเดนเวอร์ชนะ และ קבוצת דנבר ניצחה.
";

/// What the program says on one instruction about `report.txt`.
fn asked(scene: &Scene, options: &str, instruction: &str) -> String {
    let line = format!("instruct --text report.txt {options} --instruction");
    let output = scene.command(&line).arg(instruction).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{instruction}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(scene: &Scene, options: &str, instruction: &str) -> Value {
    serde_json::from_str(&asked(scene, &format!("--json {options}"), instruction)).unwrap()
}

fn answers(found: &Value) -> Vec<&str> {
    found["answers"].as_array().unwrap().iter().map(|answer| answer["answer"].as_str().unwrap()).collect()
}

/// Ends with `code`, and with all of `words` in its message.
fn refused(scene: &Scene, line: &str, instruction: &str, code: i32, words: &[&str]) {
    let output = scene.command(line).args(["--instruction", instruction]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{line}: {errors}");
    assert_refusal(line, &errors, words);
}

fn report(text: &str) -> Scene {
    let scene = Scene::new();
    scene.write("report.txt", text);
    scene
}

#[test]
fn a_question_is_answered_by_a_sentence_with_its_place_in_characters() {
    let scene = report(REPORT);
    let found = json(&scene, "--top-k 3", "Who led the team in sacks?");
    assert_eq!((&found["template"], found["answers"].as_array().unwrap().len()), (&"question".into(), 3));
    assert_eq!(answers(&found)[0], "Von Miller led the team with five sacks.");
    for instruction in
        ["Who led the team in sacks?", "Who played at halftime?", "List the names", "ทีมเดนเวอร์", "דנבר"]
    {
        for answer in json(&scene, "--top-k 9", instruction)["answers"].as_array().unwrap() {
            let [start, end] = ["start", "end"].map(|key| answer[key].as_u64().unwrap() as usize);
            let own: String = REPORT.chars().skip(start).take(end - start).collect();
            assert_eq!(answer["answer"], own.as_str());
        }
    }
    let said = asked(&scene, "", "Who led the team in sacks?");
    let start = REPORT.chars().take_while(|c| *c != 'V').count();
    assert!(said.contains(&format!("{start}–{}", start + 40)), "{said}");
    assert!(
        said.ends_with("Von Miller led the team with five sacks.\n") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn wordings_of_templates_ask_for_summaries_sections_and_lists() {
    let scene = report(REPORT);
    let of = |instruction: &str| json(&scene, "", instruction);
    assert_eq!(answers(&of("List the dates")), ["2015", "February 7, 2016"]);
    assert_eq!(answers(&of("List the numbers.")), ["50", "24", "10"]);
    assert!(answers(&of("List the names")).contains(&"Von Miller"));
    let names = of("List the names of leaders in sacks");
    assert!(
        answers(&names).contains(&"Von Miller") && !answers(&names).contains(&"Carolina Panthers"),
        "{names}"
    );
    let summary = of("Summarise in two sentences");
    let starts: Vec<u64> =
        summary["answers"].as_array().unwrap().iter().map(|a| a["start"].as_u64().unwrap()).collect();
    assert!(starts.len() == 2 && starts[0] < starts[1], "{summary}");
    let section = of("Find the section on sacks");
    assert!(
        answers(&section)[0].starts_with("Von Miller") && section["answers"][0]["kind"] == "section",
        "{section}"
    );
    assert_eq!(of("What is it about?")["answers"].as_array().unwrap().len(), 1);
    scene.write("none.txt", "Nothing happened.");
    let output =
        scene.command("instruct --text none.txt --instruction").arg("List the dates").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "nothing was found\n");
}

#[test]
fn templates_of_ones_own_take_the_place_of_those_inside() {
    let scene = report(REPORT);
    scene.write(
        "mine.toml",
        "[[template]]\nname = 'brief'\nsays = ['briefly']\nmethod = 'summary'\nsentences = 1\n",
    );
    let found = json(&scene, "--templates mine.toml", "Briefly!");
    assert_eq!((&found["template"], answers(&found).len()), (&"brief".into(), 1));
    assert_eq!(json(&scene, "--templates mine.toml", "List the dates")["template"], "question");
    scene.write("bad.toml", "[[template]]\nname = 'x'\nsays = ['{n}']\nmethod = 'summary'\n");
    let line = "instruct --text report.txt --templates bad.toml";
    refused(&scene, line, "x", 2, &["bad.toml", "template `x`", "at least one word"]);
}

#[test]
fn a_long_text_is_answered_from_its_middle_and_its_tokens_are_none_too_many() {
    let filler =
        |i: usize| format!("Paragraph {i} talks about gardening, soil and the weather of that spring. ");
    let mut text: String = (0..400).map(filler).collect();
    let middle = text.len() / 2;
    let at = middle + text[middle..].find("Paragraph").unwrap();
    text.insert_str(at, "The treasure was buried under the old oak tree by captain Morgan. ");
    let scene = report(&text);
    let found = json(&scene, "", "Where was the treasure buried?");
    assert_eq!(answers(&found), ["The treasure was buried under the old oak tree by captain Morgan."]);
    assert_eq!(found["answers"][0]["start"], at);
}

#[test]
fn texts_and_instructions_that_cannot_be_used_are_refused_in_words() {
    let scene = report(REPORT);
    for (name, text) in [("empty.txt", " \n\t"), ("bare.txt", "... --- !")] {
        scene.write(name, text);
        let line = format!("instruct --text {name}");
        refused(&scene, &line, "Who?", 2, &["text", "found n"]);
    }
    scene.write("latin1.txt", [b'c', b'a', b'f', 0xe9]);
    refused(&scene, "instruct --text latin1.txt", "Who?", 2, &["latin1.txt", "UTF-8", "byte 3"]);
    refused(&scene, "instruct --text gone.txt", "Who?", 3, &["gone.txt"]);
    let line = "instruct --text report.txt";
    refused(&scene, line, "  ", 2, &["instruction", "expected a question"]);
    refused(&scene, line, &"why ".repeat(200), 2, &["instruction", "at most 128 tokens", "found 202"]);
    refused(&scene, line, &"why ".repeat(2000), 2, &["at most 128 tokens", "more than 512"]);
    refused(&scene, &format!("{line} --top-k 0"), "Who?", 2, &["top_k", "at least 1"]);
    refused(&scene, &format!("{line} --encoder nowhere"), "Who?", 2, &["encoder.model", "nowhere"]);
    scene.write("rows.jsonl", "{\"text\": \"One.\", \"instruction\": \"What?\"}\n");
    refused(&scene, "instruct --input rows.jsonl --instruction a", "b", 2, &["--instruction", "several"]);
    assert_eq!(scene.command("instruct --text report.txt").output().unwrap().status.code(), Some(2));
}

#[test]
fn rows_are_answered_in_order_and_a_text_asked_twice_is_encoded_once() {
    let scene = Scene::new();
    let row = |id: &str, text: &str, ask: &str| {
        serde_json::json!({"id": id, "text": text, "instruction": ask}).to_string()
    };
    let rows = [
        row("a", REPORT, "Who led the team in sacks?"),
        row("b", "Rain fell. The sun came out.", "What came out?"),
        row("c", REPORT, "List the dates"),
        row("d", " ", "Who?"),
        row("e", REPORT, ""),
    ];
    scene.write("rows.jsonl", rows.join("\n"));
    let said = scene.done("instruct --input rows.jsonl --id-column id");
    for words in ["encoded 2 documents; 2 rows", "2 rows could not be answered", "answers.jsonl: 5 rows"] {
        assert!(said.contains(words), "{said}");
    }
    let lines = |name: &str| -> Vec<Value> {
        let text = String::from_utf8(scene.read(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let found = lines("answers.jsonl");
    assert_eq!(found.iter().map(|line| line["id"].as_str().unwrap()).collect::<String>(), "abcde");
    assert_eq!(answers(&found[0]), ["Von Miller led the team with five sacks."]);
    assert_eq!(answers(&found[1]), ["The sun came out."]);
    assert_eq!(answers(&found[2]), ["2015", "February 7, 2016"]);
    assert!(found[3]["answers"].is_null() && found[3]["error"].as_str().unwrap().contains("text"));
    assert!(found[4]["error"].as_str().unwrap().contains("instruction"));
    let output = scene
        .command("instruct --input rows.jsonl --output one.jsonl --instruction")
        .arg("Who won?")
        .output();
    assert_eq!(output.unwrap().status.code(), Some(0));
    let one = lines("one.jsonl");
    assert_eq!((one.len(), &one[4]["id"]), (5, &"4".into()));
    assert!(!one[4]["answers"].is_null());
    scene.refused("instruct --input rows.jsonl --text-column body", 2, &["rows.jsonl", "body"]);
}

#[test]
#[cfg(unix)]
fn rows_go_on_after_a_stop_or_a_kill_to_the_same_bytes() {
    let row = |i: usize| {
        let text = format!("This is text {i}, and this is all there is. Its number is {i}.");
        serde_json::json!({"text": text, "instruction": "What is its number?"}).to_string() + "\n"
    };
    let rows: String = (0..400).map(row).collect();
    let scene = || {
        let scene = Scene::new();
        scene.write("rows.jsonl", &rows);
        scene
    };
    let line = "instruct --input rows.jsonl";
    let read = |scene: &Scene| {
        let bytes = std::fs::read(scene.path(".answers.jsonl.part/progress.json")).unwrap_or_default();
        let progress: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        progress["read"].as_u64().unwrap_or(0)
    };
    let plain = scene();
    plain.done(line);
    for name in ["INT", "KILL"] {
        let scene = scene();
        let mut child = start(&scene, line);
        wait_until(&mut child, || read(&scene) > 0);
        let (status, errors) = signal(child, name);
        if name == "INT" {
            assert_eq!(status.code(), Some(130), "{errors}");
            assert_refusal("instruct", &errors, &["interrupted", "run the same command again"]);
        }
        assert!(read(&scene) > 0 && read(&scene) < 400 && !scene.path("answers.jsonl").exists());
        scene.done(line);
        assert!(scene.read("answers.jsonl") == plain.read("answers.jsonl"), "{name}: other bytes");
        assert!(!scene.path(".answers.jsonl.part").exists());
    }
}
