//! Writes the inputs that fuzzing starts from into `fuzz/corpus`: small files as Manyview and others write them.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a command for developers

use arrow_array::types::{Float32Type, Float64Type, Int32Type};
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_array::{FixedSizeListArray, StringViewArray};
use manyview_properties::SEPARATOR;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = root.join("crates/data/tests/golden");
    for name in ["c_f32", "c_f64", "fortran_f32", "flat", "i64"] {
        seed("npy", name, &fs::read(data.join(format!("{name}.npy"))).unwrap());
    }
    seed("parquet", "types", &fs::read(data.join("types.parquet")).unwrap());
    for (name, properties) in parquet_properties() {
        seed("parquet", name, &parquet(properties));
    }
    texts();
    weights();
    let model = root.join("crates/encoder/tests/golden/models/qwen3-tiny");
    let files = ["config.json", "modules.json", "1_Pooling/config.json", "sentence_bert_config.json"];
    let files = files.map(|name| fs::read(model.join(name)).unwrap());
    let prompts = br#"{"prompts":{"query":"Q: ","document":""},"default_prompt_name":"query"}"#;
    let [config, modules, pooling, sentence] = &files;
    seed("description", "qwen3", &joined(&[config, modules, pooling, sentence, prompts]));
    seed("description", "plain", config);
    let bert = br#"{"model_type":"bert","vocab_size":300,"hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,
"intermediate_size":64,"max_position_embeddings":256,"layer_norm_eps":1e-12,"hidden_act":"gelu"}"#;
    seed("description", "bert", bert);
    for name in ["quickstart.toml", "benchmarks/clinc150.toml", "benchmarks/medquad.toml"] {
        let text = fs::read(root.join("configs").join(name)).unwrap();
        seed(
            "experiment",
            name.rsplit('/').next().unwrap(),
            &joined(&[&text, b"data.seed=7\ntrain.method=gradient"]),
        );
    }
}

fn seed(target: &str, name: &str, bytes: &[u8]) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join(format!("seed-{}", name.replace('.', "-")));
    fs::write(&path, bytes).unwrap();
    println!("{} bytes: {}", bytes.len(), path.display());
}

fn joined(files: &[&[u8]]) -> Vec<u8> {
    files.join(SEPARATOR)
}

fn parquet_properties() -> Vec<(&'static str, WriterPropertiesBuilder)> {
    let plain = || WriterProperties::builder().set_statistics_enabled(EnabledStatistics::None);
    let packed = |codec| plain().set_compression(codec).set_dictionary_enabled(false);
    let delta = |encoding| plain().set_dictionary_enabled(false).set_column_encoding("text".into(), encoding);
    vec![
        ("plain", plain()),
        ("snappy", packed(Compression::SNAPPY)),
        ("zstd", packed(Compression::ZSTD(Default::default()))),
        ("lz4", packed(Compression::LZ4_RAW)),
        ("gzip", packed(Compression::GZIP(Default::default()))),
        ("brotli", packed(Compression::BROTLI(Default::default()))),
        ("lengths", delta(Encoding::DELTA_LENGTH_BYTE_ARRAY)),
        ("prefixes", delta(Encoding::DELTA_BYTE_ARRAY)),
        ("second", plain().set_writer_version(WriterVersion::PARQUET_2_0)),
        ("groups", plain().set_max_row_group_row_count(Some(2)).set_data_page_row_count_limit(1)),
    ]
}

/// Five rows of texts, words, numbers and vectors.
fn parquet(properties: WriterPropertiesBuilder) -> Vec<u8> {
    let words: DictionaryArray<Int32Type> = ["rain", "fog", "rain", "sun", "fog"].into_iter().collect();
    let rows = |i: usize| Some([Some(i as f32), Some(0.5)]);
    let wide = |i: usize| Some([Some(i as f64), Some(0.25)]);
    let columns: [(&str, ArrayRef); 7] = [
        (
            "text",
            Arc::new(StringArray::from(vec![Some("a"), None, Some("é"), Some(""), Some("rain in Kent")])),
        ),
        ("view", Arc::new(StringViewArray::from(vec!["a", "b", "c", "d", "a text longer than twelve"]))),
        ("word", Arc::new(words)),
        ("int", Arc::new(Int64Array::from(vec![Some(1), None, Some(-3), Some(4), Some(5)]))),
        ("float", Arc::new(Float64Array::from(vec![0.5; 5]))),
        ("vector", Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>((0..5).map(rows)))),
        (
            "fixed",
            Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>((0..5).map(wide), 2)),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn texts() {
    seed("table", "csv", b"\0text,label,\"a \"\"b\"\"\"\nrain,x,\n\"fog, sun\",,\"c\nd\"\n");
    seed("table", "tsv", b"\x01text\tlabel\r\nrain\tx\r\nfog\t\xc3\xa9\r\n");
    seed("table", "jsonl", b"\x02{\"text\":\"rain\",\"n\":1}\n\n{\"text\":null,\"label\":\"x\"}\n{\"label\":\"\",\"text\":\"\\u00e9\"}\n");
    seed("table", "mark", b"\0\xef\xbb\xbftext\n\"\"\nrain\n");
    seed("writers", "csv", b"\0\x01\x02a\x01b, \"c\"\x01d\ne\x01\x01\xc3\xa9\x01g");
    for (name, kind) in [("npy", 1), ("parquet", 2)] {
        let numbers = [1.0f32, 0.5, -0.0, 1e-40, 3e9, 7.25].map(f32::to_le_bytes).concat();
        seed("writers", name, &[&[kind, 1, 2][..], &numbers].concat());
    }
    let words = "train\nval\ntest\ntrain\nvalid\nDev\n validation \ntest\n";
    seed("labels", "words", &[&[0, 180, 25, 7], words.as_bytes()].concat());
    let rows = "rain\nx\nyes\ntrain\n1\nfog\ny\n\ntest\n2\nrain\nx\nno\ntrain\n3\n";
    seed("labels", "rows", &[&[0x7f, 128, 64, 2], rows.as_bytes()].concat());
    seed(
        "instruction",
        "default",
        &joined(&[b"Identify the topic", b"Instruct: {task}\nQuery:{text}", b"rain"]),
    );
    seed("instruction", "json", br#"{"task":"find {text}","template":"{task}: {text}"}"#);
    seed(
        "addresses",
        "path",
        &joined(&[b"https://h:1/a/b?c", b"/x?y", b"http://user:correct-horse-battery@h:5/p/"]),
    );
    seed("addresses", "other", &joined(&[b"http://h/a", b"//u@O:80/x#y", b"https://a%20b:c%2Fd@[::1]:443"]));
    seed("addresses", "out", &joined(&[b"https://h/a", b"HTTP://h/x", b"https://token@mlflow.example.org"]));
    hubs();
    records();
}

fn hubs() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let model = format!(
        r#"{{"sha":"{commit}","siblings":[{{"rfilename":"config.json","size":1}},{{"rfilename":"tokenizer.json"}},
{{"rfilename":"model-00001-of-00002.safetensors","lfs":{{"sha256":"{0}{0}"}}}},{{"rfilename":"model-00002-of-00002.safetensors"}},
{{"rfilename":"1_Pooling/config.json","blobId":"{commit}"}}]}}"#,
        &commit[..32]
    );
    let files = b"config.json\ntokenizer.json\nmodel-00001-of-00002.safetensors\nmodel-00002-of-00002.safetensors\n1_Pooling/config.json";
    let reference = commit.as_bytes();
    seed("hub_cache", "model", &joined(&[model.as_bytes(), reference, files, b"org/name", b"main", b""]));
    let data =
        b"en/train-00000-of-00002.parquet\nen/train-00001-of-00002.parquet\nde/test.csv\ndata/x_fr.jsonl";
    seed("hub_cache", "data", &joined(&[b"", reference, data, b"org/name", reference, b"en"]));
    let flat = b"modules.json\nconfig.json\ntokenizer.json\nmodel.safetensors\nnews_train.csv\nnews_test.csv\nreviews.csv";
    seed(
        "hub_cache",
        "snapshot",
        &joined(&[b"", reference, flat, b"a..b", b"refs/convert/parquet", b"news"]),
    );
    let out = format!(
        r#"{{"sha":"{commit}","siblings":[{{"rfilename":"../../x.csv"}},{{"rfilename":"a/b.csv"}}]}}"#
    );
    seed(
        "hub_cache",
        "out",
        &joined(&[out.as_bytes(), b"main", b"x.csv\na/b.csv", b"../x", b"../main", b"a"]),
    );
}

fn records() {
    let dir = tempfile::tempdir().unwrap();
    let info = manyview_track::RunInfo {
        name: "n".into(),
        experiment: "e".into(),
        params: [("lr".to_string(), "0.1".to_string())].into(),
        tags: [("git".to_string(), "abc".to_string())].into(),
    };
    let run = manyview_track::Tracker::open(dir.path(), None, info).unwrap();
    run.metric("loss", 0.1 + 0.2, 1).unwrap();
    run.metric("loss", f64::NAN, 2).unwrap();
    fs::write(dir.path().join("x.txt"), "x").unwrap();
    run.artifact(&dir.path().join("x.txt"), "files/x.txt").unwrap();
    let name = run.run().to_string();
    run.finish(manyview_track::Status::Finished).unwrap();
    let record = fs::read(dir.path().join("tracking.jsonl")).unwrap();
    let sent = format!(
        r#"{{"server":"http://127.0.0.1:1","run":"{name}","remote":{{"run_id":"r","artifact_uri":"mlflow-artifacts:/1/r"}},
"lines":2,"deferred":[{{"path":"x.txt","name":"files/x.txt"}}],"skipped":0,"not_finite":1}}"#
    );
    seed("tracking", "whole", &joined(&[&record, sent.as_bytes()]));
    seed("tracking", "torn", &record[..record.len() - 9]);
}

/// Safetensors of each type of number, and what Manyview keeps in them.
fn weights() {
    let file = |header: &str, data: &[u8]| {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
    };
    let halves = r#"{"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[8,16]}}"#;
    let halves = file(halves, &[0, 60].repeat(8));
    let bytes = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"I8","shape":[64,1],"data_offsets":[0,64]},"a_scale":{"dtype":"F32","shape":[64],"data_offsets":[64,320]}}"#;
    let bytes = file(bytes, &[&(0..64).collect::<Vec<u8>>()[..], &0.5f32.to_le_bytes().repeat(64)].concat());
    let floats = r#"{"m":{"dtype":"F32","shape":[64,2],"data_offsets":[0,512]}}"#;
    let floats = file(floats, &(0..128).flat_map(|i| (i as f32 - 60.5).to_le_bytes()).collect::<Vec<_>>());
    for (name, file) in [("halves", &halves), ("bytes", &bytes), ("floats", &floats)] {
        seed("checkpoint", name, &[&[0][..], file].concat());
    }
    let index = br#"{"weight_map":{"a":"a.safetensors","b":"a.safetensors","m":"b.safetensors"}}"#;
    seed("checkpoint", "shards", &[&[1][..], &joined(&[index, &halves, &floats])].concat());
    for (target, name, bytes) in manyview_properties::kept() {
        seed(target, name, &bytes);
    }
}
