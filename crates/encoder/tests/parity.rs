//! The vectors are those of the reference implementation, however texts are batched. `MANYVIEW_TEST_DEVICE` names the
//! device, one that is built in, as `encoder.device` does; `--nocapture` shows how far apart they are.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

mod golden;

use golden::{Golden, MODELS, worst};
use manyview_core::{Encoder, Instruction};
use manyview_encoder::Engine;

const BOUND: f32 = 1e-5;

fn check(name: &str, what: &str, found: &[f32], expected: &[f32], golden: &Golden) -> f32 {
    let (gap, text) = worst(found, expected, golden.dim);
    assert!(gap <= BOUND, "{name}, {what}: {gap} apart at text {text} {:?}", golden.texts.texts[text]);
    gap
}

#[test]
fn single_texts_equal_the_reference() {
    let mut tried = 0;
    for name in MODELS {
        let golden = Golden::read(name);
        assert!(golden.texts.texts.len() >= 100);
        let encoder = golden.load(1024, 1);
        let singles = |instruction: Option<&Instruction>| -> Vec<f32> {
            let encode = |t: &&str| encoder.encode(&[*t], instruction).unwrap().vectors.into_vec();
            golden.texts().iter().flat_map(encode).collect()
        };
        check(name, "plain", &singles(None), &golden.plain, &golden);
        let task = Instruction::new(golden.texts.task.clone());
        check(name, "instructed", &singles(Some(&task)), &golden.instructed, &golden);
        tried += 2 * golden.lengths.len();
    }
    println!(
        "reliability: D1 tried={tried} vectors of {} models, with and without an instruction",
        MODELS.len()
    );
}

#[test]
fn mixed_lengths_in_any_batch_equal_the_reference() {
    let mut tried = 0;
    for name in MODELS {
        let golden = Golden::read(name);
        let task = Instruction::new(golden.texts.task.clone());
        let runs = [(64, 1), (300, 4), (1024, 2), (1_000_000, 1)];
        let runs = [Engine::Own, Engine::Burn].into_iter().flat_map(|e| runs.map(|(b, s)| (e, b, s)));
        let mut most = 0f32;
        for (engine, batch_tokens, streams) in runs {
            let encoder = golden.load_on(engine, batch_tokens, streams);
            let what = format!("{engine:?}, batches of {batch_tokens} tokens, {streams} streams");
            let plain = encoder.encode(&golden.texts(), None).unwrap();
            most = most.max(check(name, &what, plain.vectors.as_slice(), &golden.plain, &golden));
            let instructed = encoder.encode(&golden.texts(), Some(&task)).unwrap();
            most = most.max(check(name, &what, instructed.vectors.as_slice(), &golden.instructed, &golden));
            tried += 2 * golden.lengths.len();
        }
        println!("{name} on {}: {most:.1e} apart at most", golden::device_name());
    }
    println!("reliability: D5 tried={tried} vectors of two engines, in batches of four sizes");
}

#[test]
fn batch_sizes_from_1_to_64_equal_the_reference() {
    let mut tried = 0;
    for name in MODELS {
        let golden = Golden::read(name);
        let encoder = golden.load(1_000_000, 1);
        for size in [1, 2, 3, 7, 16, 32, 64] {
            let chunks =
                golden.texts.texts.chunks(size).map(|c| c.iter().map(String::as_str).collect::<Vec<_>>());
            let found: Vec<f32> =
                chunks.flat_map(|c| encoder.encode(&c, None).unwrap().vectors.into_vec()).collect();
            check(name, &format!("{size} texts a batch"), &found, &golden.plain, &golden);
            tried += golden.lengths.len();
        }
    }
    println!("reliability: D3 tried={tried} vectors of texts in batches of 1 to 64");
}

#[test]
fn equal_lengths_in_one_batch_equal_the_reference() {
    for name in MODELS {
        let golden = Golden::read(name);
        let encoder = golden.load(1_000_000, 1);
        let mut largest = 0;
        for length in 1..=golden.texts.max_length {
            let rows: Vec<usize> =
                (0..golden.lengths.len()).filter(|&i| golden.lengths[i] == length).collect();
            if rows.len() < 2 {
                continue;
            }
            largest = largest.max(rows.len());
            let texts: Vec<&str> = rows.iter().map(|&i| golden.texts()[i]).collect();
            let found = encoder.encode(&texts, None).unwrap();
            let expected: Vec<f32> = rows
                .iter()
                .flat_map(|&i| &golden.plain[i * golden.dim..(i + 1) * golden.dim])
                .copied()
                .collect();
            let (gap, at) = worst(found.vectors.as_slice(), &expected, golden.dim);
            assert!(gap <= BOUND, "{name}, {} texts of {length}: {gap} apart at {:?}", rows.len(), texts[at]);
        }
        assert!(largest >= 8, "{name}: no batch of equal lengths among the texts");
    }
}

#[test]
fn texts_are_cut_where_the_reference_cuts_them_and_counted() {
    for name in MODELS {
        let golden = Golden::read(name);
        let encoder = golden.load(1024, 1);
        assert_eq!(encoder.token_counts(&golden.texts()).unwrap(), golden.lengths, "{name}");
        let cut = encoder.encode(&golden.texts(), None).unwrap().truncated;
        for ((cut, length), text) in cut.iter().zip(&golden.lengths).zip(golden.texts()) {
            assert!(!cut || *length == golden.texts.max_length, "{name}: {text:?}");
        }
        let whole = golden.texts().iter().position(|t| *t == ["a"; 60].join(" ")).unwrap();
        let long = golden.texts().iter().position(|t| *t == ["a"; 320].join(" ")).unwrap();
        assert!(!cut[whole] && cut[long], "{name}");
    }
    println!("reliability: D2 tried={} models, all texts counted and cut as in Python", MODELS.len());
}

#[test]
fn norms_are_those_before_normalisation() {
    let golden = Golden::read("qwen3-grouped");
    let encoded = golden.load(1024, 1).encode(&golden.texts(), None).unwrap();
    for (row, norm) in encoded.vectors.rows().zip(&encoded.norms) {
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        assert!((length - 1.0).abs() < 1e-5 && *norm > 1.5, "{length} {norm}");
    }
}

#[test]
fn an_instruction_run_once_gives_what_it_gives_run_with_each_text() {
    for name in ["gemma3-causal", "qwen2-tiny", "qwen3-tiny", "qwen3-grouped"] {
        let golden = Golden::read(name);
        let task = Instruction::new(golden.texts.task.clone());
        let mut texts = golden.texts();
        texts.extend([":Set a text that joins the last character of the prompt", ":", "", " "]);
        let whole: Vec<String> = texts.iter().map(|text| format!("{}{text}", task.prefix())).collect();
        let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
        let encoder = golden.load(300, 2);
        let (once, each) =
            (encoder.encode(&texts, Some(&task)).unwrap(), encoder.encode(&whole, None).unwrap());
        let (gap, text) = worst(once.vectors.as_slice(), each.vectors.as_slice(), golden.dim);
        assert!(gap <= 1e-6, "{name}: {gap} apart at {:?}", texts[text]);
        assert_eq!(once.truncated, each.truncated);
        let again = encoder.encode(&texts[..1], Some(&task)).unwrap();
        let (gap, _) = worst(again.vectors.as_slice(), &once.vectors.as_slice()[..golden.dim], golden.dim);
        assert!(gap <= 1e-6, "{name}: {gap} apart the second time");
    }
}

#[test]
fn texts_read_while_others_are_computed_keep_their_places() {
    for name in MODELS {
        let golden = Golden::read(name);
        let texts: Vec<&str> = golden.texts().into_iter().cycle().take(250).collect();
        let at_once = golden.load_on(Engine::Burn, 1_000_000, 1).encode(&texts, None).unwrap();
        let ahead = golden.load_on(Engine::Burn, 64, 1).encode(&texts, None).unwrap(); // windows of 256 tokens
        let (gap, text) = worst(ahead.vectors.as_slice(), at_once.vectors.as_slice(), golden.dim);
        assert!(gap <= BOUND, "{name}: {gap} apart at {:?}", texts[text]);
        assert_eq!(ahead.truncated, at_once.truncated, "{name}");
    }
}
