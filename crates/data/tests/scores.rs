//! Labelled and training files: what is read, what is refused and how it is written.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_data::{Article, Filter, read_labelled, read_training, training_lines};
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

struct Scene {
    dir: TempDir,
    filter: Filter,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.toml");
        fs::write(&path, "name = 'uplifting'\ndimensions = ['progress', 'agency']").unwrap();
        let filter = Filter::load(&path).unwrap();
        Self { dir, filter }
    }

    fn file(&self, text: &str) -> PathBuf {
        let path = self.dir.path().join("rows.jsonl");
        fs::write(&path, text).unwrap();
        path
    }
}

const GOOD: &str = r#"{"id": "a", "title": "T", "content": "C", "source": "s1", "uplifting_analysis": {"dimensions": {"agency": 7, "progress": 6.5, "wonder": 1}}}"#;

#[test]
fn a_labelled_row_gives_its_scores_in_the_order_of_the_filter() {
    let scene = Scene::new();
    let other = r#"{"id": 2, "title": null, "content": "D", "uplifting_analysis": {"dimensions": {"agency": {"score": 1, "evidence": "x"}, "progress": 0}}}"#;
    let found = read_labelled(&scene.file(&format!("{GOOD}\n\n{other}\n")), &scene.filter).unwrap();
    assert!(found.bad.is_empty(), "{:?}", found.bad);
    let of = |i: usize| (found.rows[i].article.id.as_str(), found.rows[i].scores.as_slice());
    assert_eq!((of(0), of(1)), (("a", [6.5, 7.0].as_slice()), ("2", [0.0, 1.0].as_slice())));
    assert_eq!(found.rows[0].article.field("source").as_deref(), Some("s1"));
    assert_eq!((found.rows[0].article.text(), found.rows[1].article.text()), ("T\n\nC".into(), "D".into()));
}

#[test]
fn a_bad_row_is_named_with_its_line_what_it_lacks_and_the_cure() {
    let scene = Scene::new();
    for (row, words) in [
        (r#"{"id": "b", "content": "C"}"#, ["`uplifting_analysis`", "label the row"]),
        (r#"{"id": "b", "content": "C", "uplifting_analysis": 3}"#, ["`dimensions`", "found 3"]),
        (
            r#"{"id": "b", "content": "C", "uplifting_analysis": {}}"#,
            ["uplifting_analysis.dimensions", "remove it"],
        ),
        (
            r#"{"id": "b", "content": "C", "uplifting_analysis": {"dimensions": {"agency": 1}}}"#,
            ["uplifting_analysis.dimensions.progress", "the dimensions are `agency`"],
        ),
        (
            r#"{"id": "b", "content": "C", "uplifting_analysis": {"dimensions": {"agency": 1, "progress": 11}}}"#,
            ["from 0 to 10", "found 11"],
        ),
        (
            r#"{"id": "b", "content": "C", "uplifting_analysis": {"dimensions": {"agency": 1, "progress": "7"}}}"#,
            ["progress", "found \"7\""],
        ),
        (
            r#"{"content": "C", "uplifting_analysis": {"dimensions": {"agency": 1, "progress": 1}}}"#,
            ["`id`", "give it one"],
        ),
        (
            r#"{"id": "b", "content": " ", "uplifting_analysis": {"dimensions": {"agency": 1, "progress": 1}}}"#,
            ["`content`", "remove the row"],
        ),
    ] {
        let found = read_labelled(&scene.file(&format!("{GOOD}\n{row}\n")), &scene.filter).unwrap();
        assert_eq!((found.rows.len(), found.bad.len()), (1, 1), "{row}");
        let e = found.bad[0].to_string();
        assert!(e.contains("rows.jsonl, line 2") && words.iter().all(|word| e.contains(word)), "{row}: {e}");
    }
}

#[test]
fn a_file_that_is_no_list_of_objects_is_refused() {
    let scene = Scene::new();
    for (text, word) in [("", "add rows"), ("[1]\n", "line 1"), (&format!("{GOOD}\n{{\"id\""), "line 2")] {
        let e = read_labelled(&scene.file(text), &scene.filter).unwrap_err().to_string();
        assert!(e.contains(word), "{text}: {e}");
    }
}

#[test]
fn a_labelled_row_is_written_as_it_was_read() {
    let scene = Scene::new();
    let found = read_labelled(&scene.file(GOOD), &scene.filter).unwrap();
    let written = serde_json::to_string(&found.rows[0].labelled(&scene.filter)).unwrap();
    let again = read_labelled(&scene.file(&written), &scene.filter).unwrap();
    assert_eq!(again.rows, found.rows);
    assert!(written.contains(r#""agency":7,"#), "{written}");
}

#[test]
fn a_training_line_has_the_documented_keys_in_their_order() {
    let scene = Scene::new();
    let found = read_labelled(&scene.file(GOOD), &scene.filter).unwrap();
    let lines = String::from_utf8(training_lines(&found.rows, &scene.filter)).unwrap();
    assert_eq!(
        lines,
        "{\"id\":\"a\",\"title\":\"T\",\"content\":\"C\",\"labels\":[6.5,7],\"dimension_names\":[\"progress\",\"agency\"]}\n"
    );
}

#[test]
fn labels_in_another_order_come_in_that_of_the_filter() {
    let scene = Scene::new();
    let row =
        r#"{"id":"a","title":"","content":"C","labels":[7,6.5],"dimension_names":["agency","progress"]}"#;
    assert_eq!(read_training(&scene.file(row), &scene.filter).unwrap()[0].scores, [6.5, 7.0]);
}

#[test]
fn a_training_file_of_another_filter_is_refused() {
    let scene = Scene::new();
    for (rest, words) in [
        (r#""labels":[7],"dimension_names":["agency"]"#, ["expected 2 labels", "`agency`"]),
        (r#""labels":[7,1],"dimension_names":["agency","wonder"]"#, ["`progress`", "`wonder`"]),
        (r#""labels":[7,-1],"dimension_names":["progress","agency"]"#, ["agency", "found -1"]),
        (r#""dimension_names":["progress","agency"]"#, ["`labels`", "manyview prepare"]),
    ] {
        let row = format!(r#"{{"id":"a","title":"","content":"C",{rest}}}"#);
        let e = read_training(&scene.file(&row), &scene.filter).unwrap_err().to_string();
        assert!(words.iter().all(|word| e.contains(word)), "{row}: {e}");
    }
}

#[test]
fn articles_keep_their_other_fields() {
    let scene = Scene::new();
    let path = scene.file("{\"id\": 1, \"content\": \"C\", \"n\": 3, \"tags\": [1]}\n");
    let articles = Article::read_all(&path).unwrap();
    assert_eq!((articles[0].field("n"), articles[0].field("tags")), (Some("3".into()), None));
    assert_eq!(articles[0].object()["tags"], serde_json::json!([1]));
    let e = Article::read_all(&scene.file("{\"id\": 1}\n")).unwrap_err().to_string();
    assert!(e.contains("line 1") && e.contains("`content`"), "{e}");
}

proptest! {
    #[test]
    fn scores_come_back_bit_for_bit(scores in prop::collection::vec(0.0f64..=10.0, 2), title in ".*", content in "[^\\s].*") {
        let scene = Scene::new();
        let mut row = read_labelled(&scene.file(GOOD), &scene.filter).unwrap().rows.remove(0);
        (row.scores, row.article.title, row.article.content) = (scores, title, content);
        let path = scene.dir.path().join("train.jsonl");
        fs::write(&path, training_lines([&row], &scene.filter)).unwrap();
        let again = read_training(&path, &scene.filter).unwrap().remove(0);
        prop_assert_eq!(&again.scores, &row.scores);
        prop_assert_eq!((again.article.title, again.article.content), (row.article.title, row.article.content));
    }
}
