use crate::scene::{Scene, questions, scores};
use manyview_oracle::{Ended, read_totals};
use manyview_test_server::chat::Mood;
use std::time::Duration;

/// 1000 tokens at 1 and 100 at 10 a million.
const PRICE: f64 = 0.002;

#[test]
fn the_ledger_says_what_everything_cost() {
    let scene = Scene::new([Mood::Says("no".into())]);
    let labelled = scene.label(&questions(0, 4));
    let totals = read_totals(&scene.ledger()).unwrap();
    assert_eq!(totals, labelled.totals);
    assert_eq!(
        (totals.answers, totals.unusable, totals.prompt_tokens, totals.completion_tokens),
        (4, 1, 5000, 500)
    );
    assert!((totals.cost - 5.0 * PRICE).abs() < 1e-12);
}

#[test]
fn a_budget_is_kept_also_over_several_runs_and_by_several_threads() {
    for parallel in [1, 3] {
        let mut scene = Scene::new([]);
        scene.labelling.budget = Some(5.5 * PRICE);
        scene.labelling.parallel = parallel;
        let first = scene.label(&questions(0, 3));
        assert!(matches!(first.ended, Ended::Done));
        let second = scene.label(&questions(0, 40));
        assert!(matches!(second.ended, Ended::Budget), "{:?}", second.ended);
        assert!(second.totals.cost <= 5.5 * PRICE, "{parallel} threads spent {}", second.totals.cost);
        assert_eq!(second.totals.answers, 5);
        let third = scene.label(&questions(0, 40));
        assert_eq!((third.asked, scene.server.asked().len()), (0, 5));
    }
}

#[test]
fn a_budget_without_prices_or_without_usage_is_refused() {
    let mut scene = Scene::new([Mood::Unpriced]);
    scene.labelling.budget = Some(1.0);
    let labelled = scene.label(&questions(0, 3));
    let Ended::Error(error) = &labelled.ended else { panic!("{:?}", labelled.ended) };
    assert!(error.to_string().contains("`usage`"), "{error}");
    assert_eq!(labelled.scores[..1], scores(0, 1), "what came is kept");
    assert_eq!(labelled.totals.unpriced, 1);

    scene.labelling.prices = None;
    let mut ledger = manyview_oracle::Ledger::open(&scene.ledger()).unwrap();
    let e = scene.labelling.run(&scene.endpoint(), &questions(0, 1), &mut ledger, &manyview_core::Quiet);
    assert!(e.unwrap_err().to_string().contains("input_price"));
}

/// The server takes the request and says nothing: a provider may bill it all the same.
#[test]
fn what_a_question_without_an_answer_may_have_cost_is_reserved_and_counts_towards_the_budget() {
    let silent = || Mood::Slow(Duration::from_millis(900));
    let mut scene = Scene::new([Mood::Says(r#"{"scope": 0, "proof": 1}"#.into()), silent()]);
    scene.labelling.budget = Some(3.5 * PRICE);
    let labelled = scene.label(&questions(0, 40));
    assert!(matches!(labelled.ended, Ended::Budget), "{:?}", labelled.ended);
    let totals = labelled.totals;
    assert_eq!((totals.answers, totals.lost, scene.server.asked().len()), (2, 1, 3));
    assert!(
        (totals.cost - 2.0 * PRICE).abs() < 1e-12 && (totals.reserved - PRICE).abs() < 1e-12,
        "{totals:?}"
    );
    assert_eq!(read_totals(&scene.ledger()).unwrap(), totals);
    let again = scene.label(&questions(0, 40));
    assert_eq!((again.asked, scene.server.asked().len()), (0, 3), "it stays reserved");
}

#[test]
fn before_the_first_answer_the_most_that_it_can_cost_is_reserved() {
    let scene = Scene::new([Mood::Slow(Duration::from_millis(900))]);
    let labelled = scene.label(&questions(0, 1));
    let prompt = scene.server.asked()[0].body.to_string().len() as f64; // a token is at least a byte
    let (reserved, expected) = (labelled.totals.reserved, (prompt + 64.0 * 10.0) / 1e6);
    assert!((reserved - expected).abs() < 1e-12, "{reserved}, expected {expected}");
}
