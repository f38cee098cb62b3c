//! Sentences, their tokens and their places, in many scripts.

#![allow(clippy::single_range_in_vec_init)] // offsets are ranges

use manyview_answer::{CharacterOffsets, Sentence, sentences, spans};
use std::ops::Range;

fn split(text: &str) -> Vec<&str> {
    sentences(text).into_iter().map(|sentence| &text[sentence.bytes]).collect()
}

/// A token for each word, as bytes.
fn words(text: &str) -> Vec<Range<usize>> {
    let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace().map(|word| start(word)..start(word) + word.len()).collect()
}

#[test]
fn full_stops_of_abbreviations_initials_and_numbers_end_nothing() {
    for whole in [
        "Dr. Smith met Prof. Jones in St. Louis.",
        "J. R. R. Tolkien and F. Scott Fitzgerald wrote.",
        "The U.S. Army paid $3.50 for No. 5, see Fig. 2 and pp. 3–4.",
        "It was approx. 5 km, i.e. not far, e.g. by Inc. Smith.",
        "She left at 5 p.m. Greenwich time on Jan. 3.",
        "Er wohnt bzw. Sie wohnt hier.",
        "\"What?\" he asked.",
        "1. First things first",
        "Smith et al. Measured it.",
    ] {
        assert_eq!(split(whole), [whole]);
    }
    let apart = [
        "He works at Apple Inc. The firm is old.",
        "It is in the U.S. It is big.",
        "This is plan B. The other is A.",
        "Yes. No. I see.",
        "It was 1990. Five people came.",
        "Is it? Yes! \"It is.\" So be it.",
    ];
    let counts = apart.map(|text| split(text).len());
    assert_eq!(counts, [2, 2, 2, 3, 2, 4]);
}

#[test]
fn other_scripts_end_sentences_with_their_own_stops() {
    assert_eq!(split("東京は雨。大阪は晴れ！本当？"), ["東京は雨。", "大阪は晴れ！", "本当？"]);
    assert_eq!(split("यह पहला है। यह दूसरा है।"), ["यह पहला है।", "यह दूसरा है।"]);
    assert_eq!(split("هل أنت هنا؟ نعم."), ["هل أنت هنا؟", "نعم."]);
    assert_eq!(split("זה אחד. זה שניים."), ["זה אחד.", "זה שניים."]);
    assert_eq!(split("ภาษาไทยไม่มีจุด มีแต่ช่องว่าง"), ["ภาษาไทยไม่มีจุด มีแต่ช่องว่าง"]);
    assert_eq!(split("Это один. Это два."), ["Это один.", "Это два."]);
    assert_eq!(split("👩‍🚀🎉 Wow! 🚀"), ["👩‍🚀🎉 Wow!", "🚀"]);
}

#[test]
fn lines_of_lists_end_and_wrapped_lines_go_on() {
    let list = "To buy:\n- milk\n- eggs, of\n  which ten\n* bread\n1. butter\n2) salt\n• tea";
    let items = ["To buy:", "- milk", "- eggs, of\n  which ten", "* bread", "1. butter", "2) salt", "• tea"];
    assert_eq!(split(list), items);
    assert_eq!(split("Apples\nPears\nPlums"), ["Apples", "Pears", "Plums"]);
    let wrapped = "A line of text that was wrapped at fifty and some more\nColumns goes on here, and the next\nline as well.";
    assert_eq!(split(wrapped), [wrapped]);
    assert_eq!(split("# A heading\nand its text"), ["# A heading", "and its text"]);
    assert_eq!(split("one\r\n\r\ntwo"), ["one", "two"]);
}

#[test]
fn no_sentence_crosses_a_paragraph_and_each_knows_its_own() {
    let found = sentences("One goes on\n\nand two. Three\n  \nfour\u{2029}five");
    let paragraphs: Vec<usize> = found.iter().map(|sentence| sentence.paragraph).collect();
    assert_eq!(paragraphs, [0, 1, 1, 2, 3]);
}

#[test]
fn what_says_nothing_has_no_sentence() {
    for text in ["", " \n\t", "...", "---\n\n* * *", "\u{0}\u{1}"] {
        assert_eq!(split(text), [""; 0], "{text:?}");
    }
    assert_eq!(split("word"), ["word"]);
}

#[test]
fn a_long_sentence_is_cut_at_a_comma_a_word_or_a_token() {
    let of = |text: &str, offsets: &[Range<usize>]| -> Vec<String> {
        let found = spans(text, &sentences(text), offsets, 6);
        assert!(found.iter().all(|span| span.tokens.len() <= 6));
        let covered: Vec<usize> = found.iter().flat_map(|span| span.tokens.clone()).collect();
        assert_eq!(covered, (0..offsets.len()).collect::<Vec<_>>());
        found.into_iter().map(|span| text[span.bytes].to_string()).collect()
    };
    let text = "one two three four five, six seven eight. Nine";
    assert_eq!(of(text, &words(text)), ["one two three four five,", "six seven eight.", "Nine"]);
    let text = "one two three four five six seven eight";
    assert_eq!(of(text, &words(text)), ["one two three four five six", "seven eight"]);
    let thai = "ภาษาไทยไม่มีจุด";
    let each: Vec<Range<usize>> = thai.char_indices().map(|(at, c)| at..at + c.len_utf8()).collect();
    assert_eq!(of(thai, &each).concat(), thai);
}

#[test]
fn special_tokens_belong_to_no_sentence() {
    let text = "One two. Three.";
    let mut offsets = words(text);
    offsets.insert(0, 0..0);
    offsets.push(0..0);
    let found = spans(text, &sentences(text), &offsets, 60);
    assert_eq!(found.iter().map(|span| span.tokens.clone()).collect::<Vec<_>>(), [1..3, 3..4]);
    assert_eq!(spans("Only. this", &[Sentence { bytes: 0..5, paragraph: 0 }], &[6..10], 60), []);
}

#[test]
fn characters_are_code_points_in_every_script() {
    for text in ["plain", "👩‍🚀🎉é e\u{301}", "กรุงเทพมหานคร ก็", "שלום עולם مرحبا", "", &"ก👍a".repeat(500)]
    {
        let offsets = CharacterOffsets::of(text);
        for (character, (byte, _)) in text.char_indices().enumerate() {
            assert_eq!(offsets.character(byte), character, "{text:?}");
        }
        assert_eq!(offsets.character(text.len()), text.chars().count());
        assert_eq!(offsets.character(text.len() + 9), text.chars().count());
    }
}
