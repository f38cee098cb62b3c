//! What `infer` writes for which rows, and what it refuses.

use crate::scene::Scene;
use crate::steps::npy;
use std::collections::BTreeMap;

/// A scene with the adapters `runs/weather/near` and `runs/weather/far`.
pub(crate) fn fitted() -> Scene {
    let scene = Scene::new();
    let variants = "\n[variants.near]\n[variants.far]\ntrain.center = true\n";
    scene.write("experiment.toml", [scene.read("experiment.toml"), variants.into()].concat());
    scene.done("train experiment.toml");
    scene
}

/// The files of an output directory but for the record of the run, by name.
pub(crate) fn matrices(scene: &Scene, out: &str) -> BTreeMap<String, Vec<u8>> {
    let name = |path: std::path::PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let files = scene.files(out).into_iter().map(|(path, bytes)| (name(path), bytes));
    files.filter(|(name, _)| name != "metadata.json").collect()
}

fn csv(scene: &Scene, name: &str) -> Vec<String> {
    String::from_utf8(scene.read(name)).unwrap().lines().map(String::from).collect()
}

#[test]
fn several_adapters_cost_one_encoding_and_give_what_each_gives_alone() {
    let scene = fitted();
    scene.write("texts.csv", "text\nwet storm\nbright heat\ngrey mist\n");
    let line = "infer --input texts.csv --adapter runs/weather/near --adapter runs/weather/far/adapter";
    let said = scene.done(&format!("{line} --output-dir both"));
    assert!(said.contains("encoded 3 texts"), "{said}");
    let both = matrices(&scene, "both");
    assert_eq!(both.keys().collect::<Vec<_>>(), ["base.npy", "far.npy", "near.npy", "rows.csv"]);
    for name in ["near", "far"] {
        let said =
            scene.done(&format!("infer --input texts.csv --adapter runs/weather/{name} --output-dir {name}"));
        assert!(said.contains("encoded 0 texts"), "{said}");
        assert!(scene.read(&format!("{name}/adapter.npy")) == both[&format!("{name}.npy")]);
    }
    assert!(both["near.npy"] != both["far.npy"]);
    let metadata = scene.json("both/metadata.json");
    assert_eq!(metadata["base"], serde_json::json!({"encoded": 3, "reused": 0}));
    let files: Vec<_> = metadata["files"].as_array().unwrap().iter().map(|f| f["file"].clone()).collect();
    assert_eq!(files, ["base.npy", "near.npy", "far.npy"]);
}

#[test]
fn standard_input_gives_what_the_same_rows_give_in_a_file() {
    let scene = Scene::new();
    let rows = "{\"text\": \"wet storm\"}\n{\"text\": \"grey mist\"}\n";
    scene.write("texts.jsonl", rows);
    scene.done("infer --input texts.jsonl --encoder minilm --output-dir file");
    let line = "infer --input - --encoder minilm --output-dir piped";
    let output = scene.command(line).write_stdin(rows).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(matrices(&scene, "piped"), matrices(&scene, "file"));
    assert_eq!(scene.json("piped/metadata.json")["input"], "-");
    let output = scene.command(line).write_stdin("").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard input: it is empty"));
}

#[test]
fn long_texts_are_read_whole_where_the_experiment_of_the_adapter_says_so() {
    let scene = Scene::new();
    let cut = scene.done("train experiment.toml encoder.max_length=4 name=cut");
    assert!(cut.contains("ends were cut: ") && cut.contains("% of the tokens were read"), "{cut}");
    let whole = scene.done("train experiment.toml encoder.max_length=4 encoder.long=windows name=whole");
    assert!(!whole.contains("ends were cut"), "{whole}");
    let inferred = scene.done("infer --input corpus.csv --adapter runs/whole --output-dir whole");
    assert!(inferred.contains("encoded 0 texts") && !inferred.contains("ends were cut"), "{inferred}");
    scene.done("infer --input corpus.csv --adapter runs/cut --output-dir cut");
    assert!(scene.read("whole/base.npy") != scene.read("cut/base.npy"));
}

#[test]
fn two_adapters_of_one_name_are_refused() {
    let scene = fitted();
    scene.write("texts.csv", "text\nwet storm\n");
    let copy = |name: &str| {
        for file in ["config.json", "adapter.safetensors"] {
            scene.write(&format!("{name}/{file}"), scene.read(&format!("runs/weather/near/adapter/{file}")));
        }
    };
    ["other/near", "base"].iter().for_each(|name| copy(name));
    for (other, words) in
        [("other/near", ["other/near", "written to `near`"]), ("base", ["base", "over `base`"])]
    {
        let line = format!("infer --input texts.csv --adapter runs/weather/near --adapter {other}");
        scene.refused(&line, 2, &[words[0], words[1], "--adapter", "another name"]);
    }
    assert!(!scene.path("out").exists());
}

#[test]
fn rows_say_which_row_of_the_input_they_are() {
    let scene = fitted();
    let texts = "name,text\na,wet storm\nb,\n\"c, d\",wet storm\n,grey mist\ne,haze\nf,  \ng,heat\n";
    scene.write("texts.csv", texts);
    let line = "infer --input texts.csv --adapter runs/weather/near --chunk-rows 2";
    scene.done(&format!("{line} --id-column name --drop-missing --output-dir named"));
    assert_eq!(
        csv(&scene, "named/rows.csv"),
        ["row,id,truncated", "0,a,false", "2,\"c, d\",false", "4,e,false", "6,g,false"]
    );
    scene.done(&format!("{line} --drop-missing --dedup --limit 6 --output-dir few"));
    assert_eq!(csv(&scene, "few/rows.csv"), ["row,truncated", "0,false", "3,false", "4,false"]);
    let metadata = scene.json("few/metadata.json");
    assert_eq!((&metadata["rows"], &metadata["rows_read"]), (&3.into(), &6.into()));
    assert_eq!(metadata["dropped"], serde_json::json!({"missing": 2, "duplicates": 1}));
    let (named, few) = (npy(&scene.read("named/base.npy")), npy(&scene.read("few/base.npy")));
    assert_eq!((named.0.as_slice(), few.0.as_slice()), (&[4, 384][..], &[3, 384][..]));
    assert!(named.1[..384] == few.1[..384] && named.1[768..1152] == few.1[768..]);
    assert!(!scene.path("few/.infer").exists());
}

#[test]
fn what_is_missing_is_told_before_anything_is_encoded() {
    let scene = fitted();
    std::fs::remove_dir_all(scene.path("store")).unwrap();
    let rows: String = (0..50).map(|i| format!("text {i},{i}\n")).collect();
    scene.write("texts.csv", format!("text,id\n{rows},50\nlast,\n"));
    let line = "infer --input texts.csv --adapter runs/weather/near --chunk-rows 4";
    scene.refused(line, 2, &["texts.csv", "column `text`, row 50", "--drop-missing"]);
    let line = format!("{line} --id-column id");
    scene.refused(&line, 2, &["column `text`, row 50"]);
    scene.write("texts.csv", format!("text,id\n{rows}last,\n"));
    scene.refused(&line, 2, &["column `id`, row 50"]);
    scene.refused(&format!("{line} --limit 0"), 2, &["--limit", "at least 1 row"]);
    scene.write("texts.csv", "text,id\n,1\n");
    scene.refused(
        &format!("{line} --drop-missing"),
        2,
        &["texts.csv", "no row is left of 1", "1 lack a value"],
    );
    scene.write("texts.csv", "text,id\n");
    scene.refused(&line, 2, &["texts.csv", "expected rows, found none"]);
    assert!(!scene.path("store/spaces").exists(), "texts were encoded all the same");
    scene.done("infer --input corpus.csv --adapter runs/weather/near --limit 5");
}

#[test]
fn the_teacher_is_the_encoder_under_the_instruction_of_the_only_adapter() {
    let scene = fitted();
    scene.write("texts.csv", "text\nwet storm\nbright heat\n");
    let line = "infer --input texts.csv --with-teacher --adapter runs/weather/near";
    let said = scene.done(line);
    assert!(said.contains("under the instruction") && said.contains("was not fitted to"), "{said}");
    let prompt = |text: &str| format!("{{\"text\": \"Instruct: Identify the weather\\nQuery:{text}\"}}\n");
    scene.write("prompts.jsonl", prompt("wet storm") + &prompt("bright heat"));
    scene.done("infer --input prompts.jsonl --adapter runs/weather/near --output-dir prompts");
    let (teacher, prompts) = (npy(&scene.read("out/teacher.npy")), npy(&scene.read("prompts/base.npy")));
    assert_eq!(teacher.0, prompts.0);
    assert!(teacher.1.iter().zip(&prompts.1).all(|(a, b)| (a - b).abs() < 1e-5));
    let metadata = scene.json("out/metadata.json");
    assert_eq!(metadata["teacher"], serde_json::json!({"encoded": 2, "reused": 0}));
    assert!(metadata["seconds"]["teacher"].as_f64().unwrap() > 0.0);
    let words = ["--with-teacher", "expected one adapter", "found 2"];
    scene.refused(&format!("{line} --adapter runs/weather/far"), 2, &words);
}

#[test]
fn parquet_output_holds_the_same_and_is_read_back_as_vectors() {
    let scene = fitted();
    let line = "infer --input corpus.csv --adapter runs/weather/far --id-column label --chunk-rows 7";
    scene.done(&format!("{line} --format parquet --output-dir parquet"));
    scene.done(&format!("{line} --output-dir npy"));
    let names: Vec<_> = matrices(&scene, "parquet").into_keys().collect();
    assert_eq!(names, ["adapter.parquet", "base.parquet"]);
    let line = "infer --adapter runs/weather/far --vectors";
    let said = scene.done(&format!("{line} parquet/base.parquet --output-dir again --chunk-rows 11"));
    assert!(said.contains("metadata.json beside parquet/base.parquet"), "{said}");
    assert!(scene.read("again/adapter.npy") == scene.read("npy/adapter.npy"));
}
