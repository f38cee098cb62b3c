//! Weights as nobody should write them: each is refused in words and in little time, or is what it says it is.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

mod copied;
mod golden;

use copied::{Model, refusal};
use manyview_core::Kind;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;
use std::time::Instant;

/// A safetensors file taken apart: its header and its numbers.
struct Parts {
    header: Map<String, Value>,
    numbers: Vec<u8>,
}

impl Parts {
    fn of(bytes: &[u8]) -> Self {
        let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header = serde_json::from_slice(&bytes[8..8 + size]).unwrap();
        Self { header, numbers: bytes[8 + size..].to_vec() }
    }

    fn bytes(&self) -> Vec<u8> {
        file(&serde_json::to_string(&self.header).unwrap(), &self.numbers)
    }

    fn tensor(&mut self, name: &str) -> &mut Map<String, Value> {
        self.header[name].as_object_mut().unwrap()
    }
}

fn file(header: &str, numbers: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), numbers].concat()
}

const NORM: &str = "norm.weight";

#[test]
fn b5_weights_that_are_not_weights_are_refused() {
    let whole = fs::read(golden::model("qwen3-tiny").join("model.safetensors")).unwrap();
    let parts = |change: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::of(&whole);
        change(&mut parts);
        parts.bytes()
    };
    let text = serde_json::to_string(&Parts::of(&whole).header).unwrap();
    let numbers = Parts::of(&whole).numbers;
    let huge = u64::MAX.to_le_bytes();
    let long = |n: usize| {
        let names =
            (0..n).map(|i| format!("\"t{i}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}"));
        format!("{{{}}}", names.collect::<Vec<_>>().join(","))
    };
    let twice = text.replacen(
        '{',
        &format!("{{\"{NORM}\":{},", json!({"dtype": "F32", "shape": [0], "data_offsets": [0, 0]})),
        1,
    );
    let nan = |at: usize, value: f32| {
        let mut bytes = whole.clone();
        let end = bytes.len() - 4 * at;
        bytes[end - 4..end].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("cut by one", whole[..whole.len() - 1].to_vec(), "cut"),
        ("one byte more", [&whole[..], b"\0"].concat(), "expected 123376 bytes, found 123377"),
        ("another file behind it", [&whole[..], &whole].concat(), "expected 123376 bytes"),
        ("a header of 2^64-1", [&huge, &whole[8..]].concat(), "larger than 4 MiB"),
        ("a header of 2^63", [&(1u64 << 63).to_le_bytes(), &whole[8..]].concat(), "larger than 4 MiB"),
        ("a header longer than the file", [&(1u64 << 20).to_le_bytes(), &whole[8..]].concat(), "cut"),
        ("a header of 99 MB", file(&long(1_500_000), b""), "larger than 4 MiB"),
        ("a header of 4 MB", file(&long(65_000), b""), "is this the model"),
        ("no header", file("", &numbers), "damaged"),
        ("a list for a header", file("[]", &numbers), "damaged"),
        ("deep nesting", file(&"{\"a\":".repeat(20_000), &numbers), "damaged"),
        ("a name twice", file(&twice, &numbers), "two tensors are called `norm.weight`"),
        ("the text of a pickle", b"\x80\x04\x95garbage and so on".to_vec(), "larger than 4 MiB"),
        ("a zip", b"PK\x03\x04 and so on, for some bytes".to_vec(), "larger than 4 MiB"),
        (
            "overlap",
            parts(&|p| {
                p.tensor(NORM).insert("data_offsets".into(), json!([0, 128]));
            }),
            "damaged",
        ),
        (
            "offsets that go back",
            parts(&|p| {
                p.tensor(NORM).insert("data_offsets".into(), json!([128, 0]));
            }),
            "damaged",
        ),
        (
            "offsets past the end",
            parts(&|p| {
                p.tensor(NORM).insert("data_offsets".into(), json!([0, u64::MAX]));
            }),
            "damaged",
        ),
        (
            "negative offsets",
            parts(&|p| {
                p.tensor(NORM).insert("data_offsets".into(), json!([-1, 5]));
            }),
            "damaged",
        ),
        (
            "a shape that overflows",
            parts(&|p| {
                p.tensor(NORM).insert("shape".into(), json!([1u64 << 40, 1u64 << 40]));
            }),
            "damaged",
        ),
        (
            "a negative shape",
            parts(&|p| {
                p.tensor(NORM).insert("shape".into(), json!([-32]));
            }),
            "damaged",
        ),
        (
            "another shape",
            parts(&|p| {
                p.tensor(NORM).insert("shape".into(), json!([4, 8]));
            }),
            "expected shape [32]",
        ),
        (
            "another type",
            parts(&|p| {
                p.tensor(NORM).insert("dtype".into(), json!("F64"));
            }),
            "damaged",
        ),
        (
            "whole numbers",
            parts(&|p| {
                p.tensor(NORM).insert("dtype".into(), json!("I32"));
            }),
            "found I32",
        ),
        (
            "no such type",
            parts(&|p| {
                p.tensor(NORM).insert("dtype".into(), json!("F31"));
            }),
            "damaged",
        ),
        (
            "a missing tensor",
            parts(&|p| {
                let t = p.header.remove(NORM).unwrap();
                p.header.insert("other".into(), t);
            }),
            "norm.weight",
        ),
        ("NaN", nan(0, f32::NAN), "NaN"),
        ("infinity", nan(5, f32::INFINITY), "inf"),
    ];
    let (_keep, model) = Model::of("qwen3-tiny");
    let (tried, mut slowest) = (cases.len(), 0.0_f64);
    for (what, bytes, word) in cases {
        fs::write(model.join("model.safetensors"), bytes).unwrap();
        let start = Instant::now();
        let e = refusal(&model);
        slowest = slowest.max(start.elapsed().as_secs_f64());
        assert!(e.contains("model.safetensors") && e.contains(word), "{what}: {e}");
    }
    println!(
        "reliability: B5 tried={tried} files made by hand, the slowest refused in {:.0} ms",
        slowest * 1e3
    );
}

#[test]
fn b5_a_tensor_more_changes_nothing() {
    let (_keep, model) = Model::of("qwen3-tiny");
    let path = model.join("model.safetensors");
    let mut parts = Parts::of(&fs::read(&path).unwrap());
    let end = parts.numbers.len();
    parts.header.insert(
        "lm_head.weight".into(),
        json!({"dtype": "F32", "shape": [2], "data_offsets": [end, end + 8]}),
    );
    parts.numbers.extend([0; 8]);
    fs::write(&path, parts.bytes()).unwrap();
    assert_eq!(copied::vector(&model), copied::vector(&golden::model("qwen3-tiny")));
}

#[test]
fn b5_a_bias_that_is_missing_and_a_norm_too_many_are_refused() {
    let bias = "layers.1.self_attn.k_proj.bias";
    let (_keep, model) = Model::of("qwen2-tiny");
    let path = model.join("model.safetensors");
    let mut parts = Parts::of(&fs::read(&path).unwrap());
    let tensor = parts.header.remove(bias).unwrap();
    parts.header.insert("other".into(), tensor);
    fs::write(&path, parts.bytes()).unwrap();
    assert!(refusal(&model).contains(bias));

    let mut parts = Parts::of(&fs::read(golden::model("qwen2-tiny").join("model.safetensors")).unwrap());
    let (more, end) = ("layers.0.self_attn.q_norm.weight", parts.numbers.len());
    parts.header.insert(more.into(), json!({"dtype": "F32", "shape": [8], "data_offsets": [end, end + 32]}));
    parts.numbers.extend([0; 32]);
    fs::write(&path, parts.bytes()).unwrap();
    assert!(refusal(&model).contains(more));
}

/// Bits flipped and bytes cut, in the header above all, for that is what is parsed.
#[test]
fn b5_random_damage_is_refused_or_harmless() {
    let (_keep, model) = Model::of("qwen3-tiny");
    let path = model.join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    let size = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut dice = copied::Dice(5);
    let (tried, mut refused) = (copied::rounds(1500), 0);
    for _ in 0..tried {
        let mut bytes = whole.clone();
        for _ in 0..1 + dice.below(3) {
            let at = dice.below(8 + size);
            bytes[at] ^= 1 << dice.below(8);
        }
        if dice.below(4) == 0 {
            bytes.truncate(dice.below(bytes.len()));
        }
        fs::write(&path, bytes).unwrap();
        if let Err(e) = copied::load(&model) {
            assert!(e.kind() == Kind::Input && e.to_string().contains("safetensors"), "{e}");
            refused += 1;
        }
    }
    println!("reliability: B5 tried={tried} damaged at random, {refused} refused");
}

fn shard(model: &Path, n: usize) -> std::path::PathBuf {
    model.join(format!("model-{n:05}-of-00007.safetensors"))
}

#[test]
fn b6_half_a_sharded_model_is_refused_and_the_shard_named() {
    let mut tried = 0;
    for n in 1..=7 {
        let (_keep, model) = Model::of("qwen3-grouped");
        fs::remove_file(shard(&model, n)).unwrap();
        let e = copied::load(&model).err().unwrap().to_string();
        assert!(e.contains(&format!("model-{n:05}-of-00007")), "{e}");

        let (_keep, model) = Model::of("qwen3-grouped");
        fs::copy(golden::model("qwen3-tiny").join("model.safetensors"), shard(&model, n)).unwrap();
        let e = refusal(&model);
        assert!(e.contains(&format!("model-{n:05}-of-00007")) && e.contains("another model"), "{e}");

        let (_keep, model) = Model::of("qwen3-grouped");
        fs::copy(shard(&model, n % 7 + 1), shard(&model, n)).unwrap();
        assert!(refusal(&model).contains(&format!("model-{n:05}-of-00007")));
        tried += 3;
    }
    println!("reliability: B6 tried={tried} shards gone, of another model, or of another place");
}

#[test]
fn b6_an_index_that_points_elsewhere_is_refused() {
    let (_keep, model) = Model::of("qwen3-grouped");
    let path = model.join("model.safetensors.index.json");
    let whole = fs::read_to_string(&path).unwrap();
    let names = ["../model-00001-of-00007.safetensors", "/etc/passwd", "a\\\\b", "..", ".", "", "a\\u0000b"];
    for name in names {
        fs::write(&path, whole.replace("model-00001-of-00007.safetensors", name)).unwrap();
        let e = refusal(&model);
        assert!(e.contains("index.json") && e.contains("beside it"), "{name}: {e}");
    }
    fs::write(&path, whole.replacen("model-00001", "model-00009", 1)).unwrap();
    assert!(copied::load(&model).err().unwrap().to_string().contains("model-00009"));
    let half = ["", "{}", "[]", "{\"weight_map\": {\"a\": 1}}", "{\"weight_map\": {}}"];
    for broken in half {
        fs::write(&path, broken).unwrap();
        assert!(refusal(&model).contains("safetensors"), "{broken}");
    }
    println!("reliability: B6 tried={} indices", names.len() + 1 + half.len());
}
