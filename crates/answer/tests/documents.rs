//! Documents of any text and states: offsets, scores in all forms, what is chosen.

#![allow(clippy::unwrap_used, clippy::single_range_in_vec_init)] // a test file of its own; spans are ranges

use manyview_answer::{
    CharacterOffsets, Document, Error, Extract, Extractor, MAX_TOKENS, Question, StateForm, States,
    Templates, best, in_order, late_interaction, mean, section, sentences,
};
use manyview_core::Embeddings;
use proptest::collection::vec;
use proptest::prelude::*;
use std::ops::Range;

const DIM: usize = 20; // no multiple of 8

/// Text of many scripts with stops, lines and lists.
fn text() -> impl Strategy<Value = String> {
    let parts = vec![
        "Rain fell",
        ". ",
        "Dr. ",
        "\n",
        "\n\n",
        "- ",
        "3.5",
        "กรุงเทพ",
        "。",
        "東京",
        "! ",
        "👩‍🚀",
        " ",
        "שלום",
        "e\u{301}",
        "May 1990",
        "?",
        "U.S.",
        "\r\n",
        "\u{2029}",
        "…",
        "(",
        "\"",
    ];
    let known = proptest::sample::select(parts).prop_map(String::from);
    let any = any::<char>().prop_map(String::from);
    vec(prop_oneof![3 => known, 1 => any], 0..60).prop_map(|parts| parts.concat())
}

/// A token for each character that is no white space, with a special one before and after.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let own = text.char_indices().filter(|(_, c)| !c.is_whitespace()).map(|(at, c)| at..at + c.len_utf8());
    std::iter::once(0..0).chain(own).chain([0..0]).collect()
}

fn states(n: usize) -> impl Strategy<Value = Embeddings> {
    vec(-1f32..1.0, n * DIM).prop_map(|values| Embeddings::new(values, DIM).unwrap())
}

fn case() -> impl Strategy<Value = (String, Embeddings, Embeddings)> {
    (text(), 1usize..6).prop_flat_map(|(text, m)| {
        let n = tokens(&text).len();
        (Just(text), states(n), states(m))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn sentences_are_in_order_apart_trimmed_and_lose_no_letter(text in text()) {
        let found = sentences(&text);
        let mut end = 0;
        for sentence in &found {
            let own = text.get(sentence.bytes.clone()).unwrap(); // on characters
            prop_assert!(sentence.bytes.start >= end && !own.is_empty() && own.trim() == own);
            let crosses = own.contains("\n\n") || own.contains('\u{2029}');
            prop_assert!(!crosses);
            end = sentence.bytes.end;
        }
        prop_assert!(found.windows(2).all(|pair| pair[0].paragraph <= pair[1].paragraph));
        for (at, _) in text.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
            prop_assert!(found.iter().any(|sentence| sentence.bytes.contains(&at)), "{at} of {text:?}");
        }
    }

    #[test]
    fn spans_hold_their_tokens_and_characters_are_those_of_the_bytes((text, states, _) in case()) {
        let offsets = tokens(&text);
        let document = match Document::new(text.clone(), &offsets, States::int8(&states)) {
            Ok(document) => document,
            Err(e) => {
                let refused = matches!(e, Error::NoTokens { .. });
                prop_assert!(refused && sentences(&text).is_empty());
                return Ok(());
            }
        };
        let characters = CharacterOffsets::of(&text);
        let mut next = 0;
        for span in document.spans() {
            prop_assert!(!span.tokens.is_empty() && span.tokens.len() <= MAX_TOKENS && span.tokens.start >= next);
            next = span.tokens.end;
            for token in span.tokens.clone() {
                prop_assert!(span.bytes.start <= offsets[token].start && offsets[token].end <= span.bytes.end);
            }
            let range = characters.range(&span.bytes);
            let own: String = text.chars().skip(range.start).take(range.len()).collect();
            prop_assert_eq!(own.as_str(), &text[span.bytes.clone()]);
        }
        prop_assert!(document.centrality().iter().all(|score| score.is_finite()));
    }

    #[test]
    fn scores_are_cosines_that_grow_with_the_span((_, states, question) in case()) {
        let (held, question) = (States::f32(&states), Question::new(&question));
        let n = states.n();
        let spans = [0..1, 0..n, n - 1..n];
        let scores = late_interaction(&question, &held, &spans).unwrap();
        prop_assert!(scores.iter().all(|score| (-1.001..=1.001).contains(score)));
        prop_assert!(scores[1] >= scores[0] && scores[1] >= scores[2]);
    }

    #[test]
    fn smaller_forms_are_near_and_appending_changes_nothing((_, states, question) in case()) {
        let n = states.n();
        let spans: Vec<Range<usize>> = (0..n).map(|i| i..i + 1).collect();
        let plain = Question::new(&question);
        let exact = late_interaction(&plain, &States::f32(&states), &spans).unwrap();
        let int8 = late_interaction(&plain, &States::int8(&states), &spans).unwrap();
        prop_assert!(exact.iter().zip(&int8).all(|(a, b)| (a - b).abs() < 0.02));

        let centre = mean([&states]).unwrap().unwrap();
        let asked = Question::centred(&question, &centre).unwrap();
        let bits = States::bits(&states, &centre).unwrap();
        let found = late_interaction(&asked, &bits, &spans).unwrap();
        let (signs, plain) = (signs(&states, &centre), Question::new(&less(&question, &centre)));
        let expected = late_interaction(&plain, &States::f32(&signs), &spans).unwrap();
        prop_assert!(expected.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-5));

        let (first, rest) = ((0..1).collect::<Vec<_>>(), (1..n).collect::<Vec<_>>());
        let part = |rows: &[usize]| states.select(rows).unwrap();
        for form in [StateForm::F32, StateForm::Int8, StateForm::Bits] {
            let make = |states: &Embeddings| match form {
                StateForm::F32 => States::f32(states),
                StateForm::Int8 => States::int8(states),
                _ => States::bits(states, &centre).unwrap(),
            };
            let mut grown = make(&part(&first));
            grown.append(&make(&part(&rest))).unwrap();
            prop_assert_eq!(grown, make(&states));
        }
    }

    #[test]
    fn what_is_chosen_keeps_to_the_budget((text, states, question) in case(), words in 1usize..40) {
        let Ok(document) = Document::new(text.clone(), &tokens(&text), States::f32(&states)) else { return Ok(()) };
        let scores = document.scores(&Question::new(&question)).unwrap();
        let order = best(&scores, 5);
        prop_assert!(order.windows(2).all(|pair| scores[pair[0]] >= scores[pair[1]]));
        let count = |i: usize| text[document.spans()[i].bytes.clone()].split_whitespace().count();
        let kept = in_order(&text, document.spans(), &order, words);
        prop_assert!(kept.windows(2).all(|pair| pair[0] < pair[1]) && kept.contains(&order[0]));
        prop_assert!(kept.len() == 1 || kept.iter().map(|&i| count(i)).sum::<usize>() <= words.max(count(order[0])));
        let around = section(&text, document.spans(), &scores, order[0], words);
        let paragraph = document.spans()[order[0]].paragraph;
        prop_assert!(around.contains(&order[0]));
        prop_assert!(around.clone().all(|i| document.spans()[i].paragraph == paragraph));
        prop_assert!(around.len() == 1 || around.map(count).sum::<usize>() <= words);
    }

    #[test]
    fn extraction_and_templates_take_any_text(text in text(), any in ".{0,60}") {
        let rules = Extractor::new().unwrap();
        for text in [&text, &any] {
            for what in [Extract::Dates, Extract::Numbers, Extract::Names] {
                let found = rules.find(text, what);
                let own = |bytes: &Range<usize>| text.get(bytes.clone());
                prop_assert!(found.iter().all(|bytes| own(bytes).is_some_and(|own| !own.trim().is_empty())));
                prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
            }
            let _ = Templates::embedded().unwrap().request(text);
            let _ = Templates::parse(text, "a file");
        }
    }
}

/// ±1 a dimension.
fn signs(states: &Embeddings, mean: &[f32]) -> Embeddings {
    let rows = states
        .rows()
        .map(|row| row.iter().zip(mean).map(|(v, m)| if v > m { 1.0 } else { -1.0 }).collect::<Vec<_>>());
    Embeddings::from_rows(rows).unwrap()
}

fn less(states: &Embeddings, mean: &[f32]) -> Embeddings {
    Embeddings::from_rows(
        states.rows().map(|row| row.iter().zip(mean).map(|(v, m)| v - m).collect::<Vec<_>>()),
    )
    .unwrap()
}

#[test]
fn states_that_do_not_belong_together_are_refused() {
    let rows =
        |n: usize, dim: usize| Embeddings::new((0..n * dim).map(|i| i as f32 + 1.0).collect(), dim).unwrap();
    let of = |offsets: &[Range<usize>]| Document::new("One two.", offsets, States::f32(&rows(2, 4)));
    assert!(matches!(of(&[0..3]), Err(Error::Shape { expected: 2, found: 1, .. })));
    assert!(matches!(of(&[0..3, 4..99]), Err(Error::Range { end: 99, length: 8, .. })));
    assert!(matches!(of(&[0..0, 0..0]), Err(Error::NoTokens { .. })));
    let document = of(&[0..3, 4..7]).unwrap();
    assert!(matches!(
        document.scores(&Question::new(&rows(1, 3))),
        Err(Error::Shape { expected: 4, found: 3, .. })
    ));
    let centred = Question::centred(&rows(1, 4), &[0.0; 4]).unwrap();
    assert!(document.scores(&centred).is_err(), "a centred question for states that are not");
    assert!(States::bits(&rows(1, 4), &[0.0; 3]).is_err());
    assert!(late_interaction(&Question::new(&rows(1, 4)), document.states(), &[0..3]).is_err());
    assert!(late_interaction(&Question::new(&rows(1, 4)), document.states(), &[1..1]).is_err());
    let mut held = States::f32(&rows(1, 4));
    assert!(
        held.append(&States::int8(&rows(1, 4))).is_err() && held.append(&States::f32(&rows(1, 3))).is_err()
    );
}

#[test]
fn bits_take_a_bit_a_dimension_and_int8_a_byte_and_a_scale() {
    let states = Embeddings::new(vec![0.5; 3 * 384], 384).unwrap();
    assert_eq!(States::bits(&states, &[0.0; 384]).unwrap().bytes(), 3 * 48);
    assert_eq!(States::int8(&states).bytes(), 3 * (384 + 4));
    assert_eq!(States::f32(&states).bytes(), 3 * 4 * 384);
}

#[test]
fn faults_in_a_file_of_templates_are_told_by_template() {
    let of = |toml: &str| Templates::parse(toml, "mine.toml").unwrap_err().to_string();
    let table = |rest: &str| format!("[[template]]\nname = \"short\"\n{rest}\n");
    let says = "says = [\"say it in {n} words\"]\nmethod = \"summary\"";
    for (toml, words) in [
        (table("says = []\nmethod = \"summary\""), "template `short`: expected at least one wording"),
        (table("says = [\"{n}\"]\nmethod = \"summary\""), "expected at least one word besides"),
        (table("says = [\"x\"]\nmethod = \"sing\""), "mine.toml: TOML parse error"),
        (table(&format!("{says}\nlength = 3")), "unknown field `length`"),
        (table(&format!("{says}\nwords = 0")), "at least 1, found 0"),
        (table(says) + &table(says), "expected a name of its own"),
        ("template = 3".into(), "mine.toml"),
    ] {
        let error = of(&toml);
        assert!(error.contains(words), "{error}");
    }
    let mine = Templates::parse(&table(says), "mine.toml").unwrap();
    assert_eq!(mine.request("Say it in five words").sentences, 5);
    assert_eq!(mine.request("List the dates").template, "question");
}

#[test]
fn the_embedded_templates_take_the_wordings_of_the_guide() {
    let templates = Templates::embedded().unwrap();
    let of = |instruction: &str| {
        let request = templates.request(instruction);
        (request.template, request.topic)
    };
    let topic = |text: &str| Some(text.to_string());
    assert_eq!(of("Summarise in 3 sentences"), ("summary".into(), None));
    assert_eq!(of("summarize the text in one sentence."), ("summary".into(), None));
    assert_eq!(of("Summarise the costs"), ("summary of a topic".into(), topic("the costs")));
    assert_eq!(of("List the dates"), ("dates".into(), None));
    assert_eq!(of("List all numbers"), ("numbers".into(), None));
    assert_eq!(of("List the names of the winners."), ("names of a topic".into(), topic("the winners")));
    assert_eq!(of("What is it about?"), ("topic".into(), None));
    assert_eq!(of("Find the section on side effects"), ("section".into(), topic("side effects")));
    assert_eq!(of("Who won?"), ("question".into(), topic("Who won?")));
}
