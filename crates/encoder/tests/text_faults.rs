//! Texts that are empty, odd or too long: each becomes a vector of length 1, or is refused by its number.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

mod copied;
mod golden;

use copied::{Dice, rounds};
use golden::{Golden, MODELS};
use manyview_core::{Encoder, Instruction, Kind};
use manyview_encoder::{Device, EncoderConfig, TextEncoder};

fn load(name: &str, max_length: Option<usize>) -> TextEncoder {
    let config = EncoderConfig { max_length, ..EncoderConfig::default() };
    TextEncoder::load(&golden::model(name), &config, &Device::flex()).unwrap()
}

/// The most any row is from length 1; none is to hold a NaN.
fn off(encoder: &TextEncoder, texts: &[&str], instruction: Option<&Instruction>) -> f32 {
    let encoded = encoder.encode(texts, instruction).unwrap();
    assert_eq!(encoded.vectors.n(), texts.len());
    let length = |row: &[f32]| row.iter().map(|v| v * v).sum::<f32>().sqrt();
    encoded.vectors.rows().map(|row| (length(row) - 1.0).abs()).fold(0.0, f32::max)
}

const NEARLY_NOTHING: [&str; 34] = [
    "",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\u{b}",
    "\u{c}",
    " \t\n\r ",
    "\u{a0}",
    "\u{2002}",
    "\u{3000}",
    "\u{85}",
    "\u{2028}",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{200e}\u{200f}",
    "\u{2060}",
    "\u{feff}",
    "\u{ad}",
    "\u{180e}",
    "\0",
    "\0\0\0",
    "\u{1}\u{2}",
    "\u{1b}[0m",
    "\u{7f}",
    "\u{9d}",
    "\u{e000}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{301}",
    "\u{e0001}",
];

#[test]
fn a3_texts_of_nearly_nothing_are_vectors_of_length_one() {
    let task = Instruction::new("Identify the topic");
    let (mut tried, mut most) = (0, 0.0_f32);
    for name in MODELS {
        let encoder = load(name, None);
        for instruction in [None, Some(&task)] {
            most = most.max(off(&encoder, &NEARLY_NOTHING, instruction));
            for text in NEARLY_NOTHING {
                most = most.max(off(&encoder, &[text], instruction));
                tried += 2;
            }
        }
    }
    assert!(most < 1e-5, "{most}");
    println!("reliability: A3 tried={tried} texts of nearly nothing, off length 1 by {most:.1e} at most");
    println!("reliability: D6 tried={tried} texts of no token of their own or hardly one");
}

#[test]
fn a3_a_text_without_any_token_is_refused_by_its_number() {
    let (_keep, model) = copied::Model::of("qwen3-tiny");
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(model.join("tokenizer.json")).unwrap()).unwrap();
    json["post_processor"] = serde_json::Value::Null; // no end of text
    std::fs::write(model.join("tokenizer.json"), json.to_string()).unwrap();
    let encoder = copied::load(&model).unwrap();
    assert!(encoder.encode(&["a", "b"], None).is_ok());
    let e = encoder.encode(&["a", "b", "", "c"], None).unwrap_err();
    assert!(
        e.kind() == Kind::Input && e.to_string().contains("text 2") && e.to_string().contains("empty"),
        "{e}"
    );
}

/// A character from anywhere, plain ones as often as not.
fn character(dice: &mut Dice) -> char {
    let ranges = [
        (0x20, 0x7f),
        (0x20, 0x7f),
        (0, 0x300),
        (0x300, 0x370),
        (0x590, 0x1200),
        (0x2000, 0x2070),
        (0x3040, 0xd7ff),
    ];
    let (from, to) = [(0xe000, 0x1_0000), (0x1_0000, 0x11_0000), (0xfe00, 0xfe10)]
        .into_iter()
        .chain(ranges)
        .nth(dice.below(10))
        .unwrap();
    char::from_u32((from + dice.below(to - from)) as u32).unwrap()
}

#[test]
fn a4_any_text_is_a_vector_of_length_one() {
    let (tiny, minilm, mut dice) = (load("qwen3-tiny", None), load("minilm", Some(16)), Dice(4));
    let (mut tried, mut most) = (0, 0.0_f32);
    for _ in 0..rounds(20) {
        let texts: Vec<String> =
            (0..1000).map(|_| (0..dice.below(24)).map(|_| character(&mut dice)).collect()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        most = most.max(off(&tiny, &texts, None)).max(off(&minilm, &texts[..25], None));
        tried += texts.len() + 25;
    }
    assert!(most < 1e-5, "{most}");
    println!("reliability: A4 tried={tried} texts of random characters");
}

#[test]
fn a5_a_text_that_is_too_long_keeps_its_end_of_text_and_is_counted() {
    let mut tried = 0;
    // One token a word, and one for the end of the text; MiniLM has one before it as well.
    for (name, special) in [("qwen3-tiny", 1), ("qwen3-grouped", 1), ("minilm", 2)] {
        for length in [8, 32, 64] {
            let encoder = load(name, Some(length));
            let text = |tokens: usize| ["a"; 1000][..tokens - special].join(" ");
            let texts = [length - 1, length, length + 1, 10 * length].map(text);
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let encoded = encoder.encode(&texts, None).unwrap();
            assert_eq!(encoded.truncated, [false, false, true, true], "{name}, {length}");
            assert_eq!(encoder.token_counts(&texts).unwrap(), [length - 1, length, length, length], "{name}");
            tried += texts.len();
            // What is cut is read as if it had ended there: the token that ends a text is not what is cut.
            let row = |i| encoded.vectors.row(i);
            for cut in [2, 3] {
                let gap = row(1).iter().zip(row(cut)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(gap < 1e-5, "{name}, {length}: {gap}");
            }
        }
    }
    println!("reliability: A5 tried={tried} texts about as long as is read");
}

#[test]
fn a5_a_text_of_ten_megabytes_is_read_and_cut() {
    let text = "rain over old Kent ".repeat(550_000);
    let encoder = load("qwen3-tiny", None);
    let encoded = encoder.encode(&[text.as_str(), "rain"], None).unwrap();
    assert!(text.len() > 10_000_000);
    assert_eq!(encoded.truncated, [true, false]);
    println!("reliability: D6 tried=1 text of {} characters", text.len());
}

#[cfg(target_os = "linux")]
const REPEATED: &str = "MANYVIEW_ENCODER_TEST_REPEATED";
#[cfg(target_os = "linux")]
const BYTES: &str = "MANYVIEW_ENCODER_TEST_BYTES";

/// The process whose memory is measured.
#[cfg(target_os = "linux")]
fn read_a_long_text(repeated: &str, bytes: &str) {
    let text = repeated.repeat(bytes.parse::<usize>().unwrap() / repeated.len());
    load("qwen3-tiny", None).encode(&[text.as_str(), "rain"], None).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("peak {}", peak.trim().strip_suffix(" kB").unwrap());
}

/// The most memory, in bytes, that a process takes to read a text of so many bytes.
#[cfg(target_os = "linux")]
fn peak(repeated: &str, bytes: usize) -> usize {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["a5_a_text_takes_no_more_than_so_many_times_its_size_in_memory", "--exact", "--nocapture"])
        .env(REPEATED, repeated)
        .env(BYTES, bytes.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let kib = said.lines().find_map(|line| line.split("peak ").nth(1)?.parse::<usize>().ok());
    kib.unwrap_or_else(|| panic!("{said}")) * 1024
}

/// What docs/guide/encoders.md says a text takes, however little of it is read.
#[cfg(target_os = "linux")]
#[test]
fn a5_a_text_takes_no_more_than_so_many_times_its_size_in_memory() {
    if let (Ok(repeated), Ok(bytes)) = (std::env::var(REPEATED), std::env::var(BYTES)) {
        return read_a_long_text(&repeated, &bytes); // started by `peak`
    }
    const TIMES: f64 = 300.0;
    let (mut tried, mut most) = (0, 0.0_f64);
    for repeated in ["rain over old Kent ", "7", "a b ", "雨", "~"] {
        let nothing = peak(repeated, 0);
        for bytes in [300_000, 3_000_000] {
            let times = peak(repeated, bytes).saturating_sub(nothing) as f64 / bytes as f64;
            assert!(times < TIMES, "{bytes} bytes of {repeated:?}: {times} bytes for each");
            (tried, most) = (tried + 1, most.max(times));
        }
    }
    println!(
        "reliability: A5 tried={tried} long texts, {most:.0} bytes of memory for each of theirs at most"
    );
}

#[test]
fn a5_a_length_beyond_the_model_is_refused_before_anything_is_read() {
    let golden = Golden::read("qwen3-tiny");
    let lengths = [0, 1, 3, 257, 1 << 20, usize::MAX];
    for length in lengths {
        let config = EncoderConfig { max_length: Some(length), ..EncoderConfig::default() };
        let e = TextEncoder::load(&golden.model, &config, &Device::flex()).err().unwrap().to_string();
        assert!(e.contains("expected 4 to 256 tokens") && e.contains(&length.to_string()), "{e}");
    }
    println!("reliability: A5 tried={} lengths no model reads", lengths.len());
}
