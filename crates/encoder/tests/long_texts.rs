//! A text longer than the limit is the mean of its windows, each encoded as a text of its own.
#![allow(missing_docs, clippy::unwrap_used)]

mod golden;

use golden::{Golden, MODELS};
use manyview_core::{Embeddings, Encoder, Instruction};
use manyview_encoder::{Device, EncoderConfig, LongTexts, TextEncoder};

const LIMIT: usize = 48;
/// Tokens of a longer text.
const TOKENS: usize = 51;

fn load(name: &str, long: LongTexts, max_length: Option<usize>) -> TextEncoder {
    let config = EncoderConfig { long, max_length, ..EncoderConfig::default() };
    TextEncoder::load(&golden::model(name), &config, &Device::flex()).unwrap()
}

/// The first words of the golden texts, as many as make a text too long for the limit and short enough for the model.
fn long_text(golden: &Golden, encoder: &TextEncoder) -> String {
    let all = golden.texts().join(" ");
    let mut text = String::new();
    for word in all.split(' ') {
        text = format!("{text} {word}").trim().into();
        if encoder.token_counts(&[&text]).unwrap()[0] > TOKENS {
            break;
        }
    }
    text
}

fn pooled(encoder: &TextEncoder, text: &str, instruction: Option<&Instruction>) -> Vec<f32> {
    let found = encoder.encode(&[text], instruction).unwrap();
    found.vectors.row(0).iter().map(|v| v * found.norms[0]).collect()
}

#[test]
fn a_long_text_is_the_mean_of_its_windows_weighted_by_tokens() {
    let task = Instruction::new("Find the weather");
    let mut compared = 0;
    for name in MODELS {
        let uncut = load(name, LongTexts::Cut, None);
        let text = long_text(&Golden::read(name), &uncut);
        let (cut, windows) =
            (load(name, LongTexts::Cut, Some(LIMIT)), load(name, LongTexts::Windows, Some(LIMIT)));
        for instruction in [None, Some(&task)] {
            let prefix = instruction.map(Instruction::prefix).unwrap_or_default();
            let around = cut.token_states(&[""], instruction).map_or(0, |found| found[0].ids.len());
            let whole = uncut.token_states(&[&text], None).unwrap().remove(0);
            let tokens: Vec<_> = whole.offsets.into_iter().filter(|range| !range.is_empty()).collect();
            if tokens.len() + uncut.token_states(&[""], None).unwrap()[0].ids.len() != whole.ids.len() {
                continue; // tokens of white space, whose place is not known
            }
            assert!(!whole.truncated && tokens.len() > LIMIT, "{name}: {} tokens", tokens.len());
            compared += 1;
            let room = LIMIT - around;
            let (overlap, n) = (room / 8, (tokens.len() - room / 8).div_ceil(room - room / 8));
            let size = (tokens.len() + (n - 1) * overlap).div_ceil(n);
            let (mut sum, mut weights) = (vec![0f32; cut.dim()], 0.0);
            for first in (0..n).map(|i| i * (size - overlap)) {
                let last = (first + size).min(tokens.len());
                let part = &text[tokens[first].start..tokens[last - 1].end];
                let own = cut.token_states(&[part], instruction).unwrap()[0].ids.len() - around;
                let weight = own as f32;
                sum.iter_mut().zip(pooled(&cut, part, instruction)).for_each(|(sum, v)| *sum += weight * v);
                weights += weight;
            }
            let expected = Embeddings::new(sum.iter().map(|v| v / weights).collect(), cut.dim()).unwrap();
            let found = windows.encode(&[&text], instruction).unwrap();
            assert_eq!(found.truncated, [false], "{name} {prefix:?}");
            let expected = expected.normalized().unwrap();
            let worst = expected.row(0).iter().zip(found.vectors.row(0)).map(|(a, b)| (a - b).abs());
            assert!(worst.fold(0.0, f32::max) < 1e-5, "{name} {prefix:?}");
            let other = cut.encode(&[&text], instruction).unwrap();
            assert_eq!(other.truncated, [true], "{name}");
            assert_ne!(other.vectors, found.vectors, "{name}");
        }
    }
    assert!(compared > 10, "{compared}");
}

#[test]
fn an_instruction_that_leaves_no_room_for_a_text_is_refused() {
    let windows = load("minilm", LongTexts::Windows, Some(8));
    let task = Instruction::new("Find the weather of every place that is named");
    let e = windows.encode(&["rain fell over old Kent"], Some(&task)).unwrap_err().to_string();
    assert!(e.contains("max_length") && e.contains("instruction"), "{e}");
}

#[test]
fn a_text_within_the_limit_is_the_same_and_the_identity_is_another() {
    for name in MODELS {
        let (cut, windows) =
            (load(name, LongTexts::Cut, Some(LIMIT)), load(name, LongTexts::Windows, Some(LIMIT)));
        let texts = ["rain fell over old Kent", "a warm stone"];
        assert_eq!(cut.encode(&texts, None).unwrap().vectors, windows.encode(&texts, None).unwrap().vectors);
        assert_ne!(cut.fingerprint(), windows.fingerprint(), "{name}");
    }
}
