use crate::scene::{Scene, questions, scores};
use manyview_core::{Progress, Quiet};
use manyview_oracle::{Ended, Error, LabelFile, Labelling, Ledger};
use manyview_test_server::chat::Mood;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Stops after so many answers.
struct StopAfter(AtomicU64, u64);

impl Progress for StopAfter {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, by: u64) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= self.1
    }
}

#[test]
fn a_stopped_labelling_goes_on_and_asks_nothing_twice() {
    let scene = Scene::new([]);
    let labelled = scene.label_until(&questions(0, 12), &StopAfter(0.into(), 5));
    assert!(matches!(labelled.ended, Ended::Error(Error::Core(manyview_core::Error::Interrupted))));
    assert_eq!(labelled.scores, [scores(0, 5), vec![None; 7]].concat());
    let labelled = scene.label(&questions(0, 12));
    assert_eq!((labelled.scores, labelled.asked), (scores(0, 12), 7));
    let asked = scene.server.asked();
    let prompts: BTreeSet<&str> = asked.iter().map(|asked| asked.prompt()).collect();
    assert_eq!((asked.len(), prompts.len()), (12, 12));
}

#[test]
fn several_threads_ask_every_text_once() {
    let mut scene = Scene::new([Mood::Says("no".into()), Mood::Status(503, "", String::new())]);
    scene.labelling.parallel = 6;
    let labelled = scene.label(&questions(0, 60));
    assert_eq!(labelled.scores, scores(0, 60));
    assert_eq!(scene.server.asked().len(), 62);
}

#[test]
fn equal_texts_are_asked_about_once_and_again_in_another_round() {
    let mut scene = Scene::new([]);
    let mut twice = questions(0, 2);
    twice.extend(questions(0, 2));
    twice[2].id = "another name".into();
    let labelled = scene.label(&twice);
    assert_eq!((labelled.scores, labelled.asked), ([scores(0, 2), scores(0, 2)].concat(), 2));
    scene.labelling.round = 2;
    assert_eq!(scene.label(&twice).asked, 2);
}

#[test]
fn half_a_line_of_a_crash_is_asked_again_and_nothing_else() {
    let scene = Scene::new([]);
    scene.label(&questions(0, 3));
    let whole = std::fs::read(scene.ledger()).unwrap();
    std::fs::write(scene.ledger(), &whole[..whole.len() - 9]).unwrap();
    let labelled = scene.label(&questions(0, 3));
    assert_eq!((labelled.scores, labelled.asked), (scores(0, 3), 1));
    assert_eq!(std::fs::read(scene.ledger()).unwrap(), whole);
}

#[test]
fn a_broken_line_in_the_middle_is_named_and_nothing_is_asked() {
    let scene = Scene::new([]);
    scene.label(&questions(0, 1));
    let mut file = std::fs::File::options().append(true).open(scene.ledger()).unwrap();
    file.write_all(b"{\"entry\": \"answer\"}\n").unwrap();
    let e = Ledger::open(&scene.ledger()).unwrap_err().to_string();
    assert!(e.contains("line 2") && e.contains("paid for"), "{e}");
}

#[test]
fn a_ledger_is_written_by_one_process_at_a_time() {
    let scene = Scene::new([]);
    let held = Ledger::open(&scene.ledger()).unwrap();
    assert!(matches!(Ledger::open(&scene.ledger()), Err(Error::Busy { .. })));
    drop(held);
    assert!(Ledger::open(&scene.ledger()).is_ok());
}

#[test]
fn another_prompt_is_another_oracle() {
    let scene = Scene::new([]);
    scene.label(&questions(0, 2));
    let mut ledger = Ledger::open(&scene.ledger()).unwrap();
    let other = scene.endpoint_of("Judge {content}");
    assert_eq!(scene.labelling.run(&other, &questions(0, 2), &mut ledger, &Quiet).unwrap().asked, 2);
}

#[test]
fn a_file_of_labels_names_the_text_it_lacks() {
    let scene = Scene::new([]);
    let file = LabelFile::new("labels.jsonl", [("r0".to_string(), vec![1.0, 2.0])]);
    let mut ledger = Ledger::open(&scene.ledger()).unwrap();
    let labelled = Labelling::default().run(&file, &questions(0, 2), &mut ledger, &Quiet).unwrap();
    assert_eq!(labelled.scores, [Some(vec![1.0, 2.0]), None]);
    let e = labelled.failed[0].1.to_string();
    assert!(e.contains("labels.jsonl") && e.contains("`r1`"), "{e}");
}
