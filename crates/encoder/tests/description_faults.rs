//! Descriptions of models that are damaged or made to harm: tokenizers, configurations, and files of code beside them.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)] // the figures of tests/README.md are printed

mod copied;
mod golden;

use copied::{Dice, Model, load, refusal};
use manyview_core::Encoder;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

/// A tokenizer with this model, for a vocabulary of 300.
fn tokenizer(model: Value) -> Value {
    json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": null, "post_processor": null, "decoder": null, "model": model})
}

fn with(part: &str, value: Value) -> Value {
    let mut json =
        tokenizer(json!({"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"}));
    json[part] = value;
    json
}

fn bpe(vocab: Value, merges: Value, more: Value) -> Value {
    let mut model = json!({"type": "BPE", "vocab": vocab, "merges": merges});
    for (key, value) in more.as_object().unwrap() {
        model[key] = value.clone();
    }
    tokenizer(model)
}

/// Those that are known to have made the library panic, and others of the same sort.
fn crafted() -> Vec<(&'static str, Value)> {
    let unigram = |vocab: Value, unk: Value| {
        tokenizer(json!({"type": "Unigram", "unk_id": unk, "vocab": vocab, "byte_fallback": false}))
    };
    let split = |pattern: &str| {
        with(
            "pre_tokenizer",
            json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false}),
        )
    };
    let template = |id: &str| {
        json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": id, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [], "special_tokens": {"[X]": {"id": "[X]", "ids": [0, 1], "tokens": ["[X]"]}}})
    };
    vec![
        ("a merge longer than any word", bpe(json!({"a": 0, "b": 1}), json!([["a", "b"]]), json!({}))),
        (
            "a merge shorter than the prefix",
            bpe(json!({"a": 0, "b": 1}), json!([["a", "b"]]), json!({"continuing_subword_prefix": "####"})),
        ),
        (
            "a prefix within a character",
            bpe(
                json!({"a": 0, "é": 1, "aé": 2}),
                json!([["a", "é"]]),
                json!({"continuing_subword_prefix": "x"}),
            ),
        ),
        ("a merge of unknown words", bpe(json!({"a": 0}), json!([["x", "y"]]), json!({}))),
        ("an unknown word that is not there", bpe(json!({"a": 0}), json!([]), json!({"unk_token": "[NO]"}))),
        (
            "WordLevel without its unknown word",
            tokenizer(json!({"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "[NO]"})),
        ),
        (
            "WordPiece without its unknown word",
            tokenizer(json!({"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "[NO]",
            "continuing_subword_prefix": "##", "max_input_chars_per_word": 100})),
        ),
        ("Unigram without words", unigram(json!([]), json!(0))),
        ("Unigram with an unknown word past its end", unigram(json!([["a", -1.0]]), json!(7))),
        ("Unigram without an unknown word", unigram(json!([["a", -1.0]]), Value::Null)),
        ("Unigram with an empty word", unigram(json!([["", -1.0], ["a", 0.0]]), json!(0))),
        ("Unigram with a score of 1e308", unigram(json!([["a", 1e308], ["aa", -1e308]]), json!(0))),
        (
            "a character map that is none",
            with("normalizer", json!({"type": "Precompiled", "precompiled_charsmap": "AAAA"})),
        ),
        (
            "a character map that points out",
            with("normalizer", json!({"type": "Precompiled", "precompiled_charsmap": "BAAAAP////8AAAAA"})),
        ),
        (
            "an empty character map",
            with("normalizer", json!({"type": "Precompiled", "precompiled_charsmap": ""})),
        ),
        (
            "replace nothing",
            with("normalizer", json!({"type": "Replace", "pattern": {"String": ""}, "content": "x"})),
        ),
        (
            "strip past the end",
            with("decoder", json!({"type": "Strip", "content": "a", "start": u64::MAX, "stop": u64::MAX})),
        ),
        ("a template without its word", with("post_processor", template("[NO]"))),
        ("a template with more ids than words", with("post_processor", template("[X]"))),
        (
            "a length of nothing",
            with(
                "truncation",
                json!({"direction": "Right", "max_length": 0, "strategy": "LongestFirst", "stride": 9}),
            ),
        ),
        (
            "padding to 2^63",
            with(
                "padding",
                json!({"strategy": {"Fixed": 1u64 << 63}, "direction": "Right", "pad_to_multiple_of": 0,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "a"}),
            ),
        ),
        ("pieces of no length", with("pre_tokenizer", json!({"type": "FixedLength", "length": 0}))),
        (
            "an id of 2^32-1",
            with(
                "added_tokens",
                json!([{"id": u32::MAX, "content": "b", "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true}]),
            ),
        ),
        ("a pattern that explodes", split("(a+)+$")),
        ("a pattern that explodes another way", split("(?:a|a)*(?=b)")),
        ("a pattern that looks back", split("(a*)\\1\\1\\1*b")),
        ("a pattern of great size", split("((((a{1,100}){1,100}){1,100}){1,100}){1,100}")),
        ("a pattern that matches nothing", split("")),
        ("a broken pattern", split("(((")),
    ]
}

const TEXTS: [&str; 6] = ["a", "", "b", "é", "a b é\u{0} 😀", "####a"];

#[test]
fn b7_a_crafted_tokenizer_is_refused_or_reads_texts() {
    let (_keep, model) = Model::of("qwen3-tiny");
    let long = "a".repeat(5_000) + "!";
    let (mut refused, mut slowest) = (0, Duration::ZERO);
    for (what, json) in crafted() {
        fs::write(model.join("tokenizer.json"), json.to_string()).unwrap();
        let start = Instant::now();
        match load(&model) {
            Err(e) => {
                assert!(e.to_string().contains("tokenizer.json"), "{what}: {e}");
                refused += 1;
            }
            Ok(encoder) => {
                for text in TEXTS.into_iter().chain([long.as_str()]) {
                    match encoder.encode(&[text], None) {
                        Ok(encoded) => {
                            assert!(encoded.vectors.as_slice().iter().all(|v| v.is_finite()), "{what}")
                        }
                        Err(e) => assert!(e.to_string().contains("text"), "{what}: {e}"),
                    }
                }
            }
        }
        slowest = slowest.max(start.elapsed());
    }
    println!(
        "reliability: B7 tried={} crafted, {refused} refused, the slowest in {} ms",
        crafted().len(),
        slowest.as_millis()
    );
}

#[test]
fn b7_deep_nesting_and_text_that_is_no_json_are_refused() {
    let (_keep, model) = Model::of("qwen3-tiny");
    for (open, n) in [("[", 100_000), ("{\"a\":", 100_000), ("\"", 1), ("\u{0}", 5), ("", 0)] {
        fs::write(model.join("tokenizer.json"), open.repeat(n)).unwrap();
        assert!(refusal(&model).contains("tokenizer.json"), "{open}");
    }
    let nested =
        "{\"type\":\"Sequence\",\"normalizers\":[".repeat(60) + "{\"type\":\"NFC\"}" + &"]}".repeat(60);
    fs::write(
        model.join("tokenizer.json"),
        with("normalizer", serde_json::from_str(&nested).unwrap()).to_string(),
    )
    .unwrap();
    let _ = load(&model).map(drop);
}

#[test]
fn b7_random_damage_to_a_tokenizer_never_panics() {
    let (_keep, model) = Model::of("qwen3-tiny");
    let whole = fs::read(model.join("tokenizer.json")).unwrap();
    let (mut dice, tried, mut refused) = (Dice(7), copied::rounds(1500), 0);
    for _ in 0..tried {
        let mut bytes = whole.clone();
        for _ in 0..1 + dice.below(4) {
            let (at, other) = (dice.below(bytes.len()), dice.below(bytes.len()));
            match dice.below(3) {
                0 => bytes[at] = b"0123456789{}[]\",:az"[dice.below(19)],
                1 => drop(bytes.drain(at.min(other)..(at.min(other) + dice.below(20)).min(bytes.len()))),
                _ => bytes[at] = bytes[other],
            }
        }
        fs::write(model.join("tokenizer.json"), bytes).unwrap();
        match load(&model) {
            Err(e) => {
                assert!(e.to_string().contains("tokenizer.json"), "{e}");
                refused += 1;
            }
            Ok(encoder) => drop(encoder.encode(&["rain over old Kent 7 😀"], None)),
        }
    }
    println!("reliability: B7 tried={tried} damaged at random, {refused} refused");
}

/// Named pipes: whoever opens one to read it waits for ever.
#[cfg(unix)]
#[test]
fn b9_pickles_and_code_beside_a_model_are_never_opened() {
    let (_keep, model) = Model::of("qwen3-tiny");
    let before = copied::vector(&model);
    let names = [
        "pytorch_model.bin",
        "model.pt",
        "model.pth",
        "model.pkl",
        "weights.npz",
        "model.zip",
        "tf_model.h5",
        "model.ckpt",
        "modeling_qwen3.py",
        "configuration_qwen3.py",
        "tokenization_qwen3.py",
        "training_args.bin",
        "merges.txt",
        "vocab.json",
        "1_Pooling/pytorch_model.bin",
        "adapter_model.bin",
        "model.safetensors.index.json.py",
    ];
    for name in names {
        assert!(std::process::Command::new("mkfifo").arg(model.join(name)).status().unwrap().success());
    }
    let (send, done) = std::sync::mpsc::channel();
    let dir = model.clone();
    std::thread::spawn(move || send.send(copied::vector(&dir)));
    let after = done.recv_timeout(Duration::from_secs(60)).expect("one of them was opened");
    assert_eq!(before, after);
    println!("reliability: B9 tried={} named pipes beside a model, none opened", names.len());
}

#[test]
fn b9_weights_in_a_pickle_alone_are_refused_by_name() {
    let (_keep, model) = Model::of("qwen3-tiny");
    fs::rename(model.join("model.safetensors"), model.join("pytorch_model.bin")).unwrap();
    let e = refusal(&model);
    assert!(e.contains("model.safetensors") && e.contains("other formats are not read"), "{e}");
}

#[test]
fn b9_code_that_a_configuration_names_is_refused() {
    let (_keep, model) = Model::of("qwen3-tiny");
    let path = model.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config["auto_map"] = json!({"AutoModel": "modeling_qwen3.Qwen3Model"});
    fs::write(&path, config.to_string()).unwrap();
    let e = refusal(&model);
    assert!(e.contains("auto_map") && e.contains("modeling_qwen3.Qwen3Model"), "{e}");
    config["auto_map"] = json!({"AutoModelForSequenceClassification": "modeling_qwen3.Head"});
    fs::write(&path, config.to_string()).unwrap();
    assert_eq!(copied::vector(&model), copied::vector(&golden::model("qwen3-tiny")));
}

/// What would make a model another one than its configuration is read as, by a word of the refusal.
fn others(name: &str, settings: &[(&str, Value, &str)]) {
    let (_keep, model) = Model::of(name);
    let path = model.join("config.json");
    let whole: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (key, value, word) in settings {
        let mut config = whole.clone();
        config[key] = value.clone();
        fs::write(&path, config.to_string()).unwrap();
        let e = refusal(&model);
        assert!(
            (e.contains("config.json") || e.contains("safetensors")) && e.contains(word),
            "{name}, {key}: {e}"
        );
    }
    println!("reliability: B7 tried={} settings of {name} that are not computed", settings.len());
}

#[test]
fn b7_what_is_not_computed_of_qwen2_is_refused_by_name() {
    others(
        "qwen2-tiny",
        &[
            ("hidden_act", json!("gelu"), "hidden_act"),
            ("use_sliding_window", json!(true), "use_sliding_window"),
            ("layer_types", json!(["full_attention", "sliding_attention"]), "sliding_attention"),
            ("layer_types", json!(["full_attention"]), "layer_types"),
            ("rope_scaling", json!({"type": "yarn", "factor": 4.0}), "yarn"),
            (
                "rope_parameters",
                json!({"rope_theta": 1e4, "partial_rotary_factor": 0.5}),
                "partial_rotary_factor",
            ),
            ("attention_bias", json!(true), "attention_bias"),
            ("is_causal", json!(null), "is_causal"),
            ("num_attention_heads", json!(0), "num_attention_heads"),
            ("num_key_value_heads", json!(3), "num_key_value_heads"),
            ("head_dim", json!(0), "head_dim"),
            ("head_dim", json!(7), "head_dim"),
            ("use_mrope", json!(true), "use_mrope"),
            ("auto_map", json!({"AutoModel": "modeling_qwen.Qwen2Model"}), "modeling_qwen.Qwen2Model"),
        ],
    );
}

#[test]
fn b7_what_is_not_computed_of_gemma3_is_refused_by_name() {
    let ropes = |full: Value| json!({"full_attention": full, "sliding_attention": {"rope_type": "default"}});
    others(
        "gemma3-tiny",
        &[
            ("hidden_activation", json!("silu"), "hidden_activation"),
            ("attn_logit_softcapping", json!(50.0), "attn_logit_softcapping"),
            ("final_logit_softcapping", json!(30.0), "final_logit_softcapping"),
            ("layer_types", json!(["full_attention"]), "layer_types"),
            ("layer_types", json!(["full_attention", "a", "b"]), "layer_types"),
            ("layer_types", json!(vec!["chunked_attention"; 3]), "chunked_attention"),
            ("rope_scaling", json!({"rope_type": "linear", "factor": 8.0}), "linear"),
            ("rope_parameters", ropes(json!({"rope_type": "yarn", "factor": 8.0})), "yarn"),
            ("rope_parameters", ropes(json!({"partial_rotary_factor": 0.5})), "partial_rotary_factor"),
            ("rope_parameters", json!({"rope_type": "default", "rope_theta": 1e4}), "rope_t"),
            ("sliding_window", json!(null), "sliding_window"),
            ("sliding_window_pattern", json!(0), "sliding_window_pattern"),
            ("is_causal", json!(false), "use_bidirectional_attention"),
            ("is_causal", json!(null), "is_causal"),
            ("query_pre_attn_scalar", json!(0), "query_pre_attn_scalar"),
            ("num_attention_heads", json!(0), "num_attention_heads"),
            ("head_dim", json!(7), "head_dim"),
            ("vision_config", json!({"hidden_size": 8}), "vision_config"),
            ("attention_bias", json!(true), "q_proj.bias"),
        ],
    );
}
