use super::listing::{Listed, Listing};
use super::repo::Repo;
use crate::Result;
use crate::error::list;
use std::collections::BTreeSet;

/// What an encoder needs of a model: its configuration, tokenizer and weights, at the top and in the numbered folders of
/// sentence-transformers modules.
pub(super) fn encoder_files(repo: &Repo, listing: &Listing) -> Result<Vec<Listed>> {
    let needed = |file: &&Listed| {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let folder = file.path.strip_suffix(name).unwrap_or_default();
        let other_weights = name != "model.safetensors" && listing.has(&format!("{folder}model.safetensors"));
        let weights = name.ends_with(".safetensors") && !other_weights;
        let vocabulary = name == "vocab.txt" && !listing.has(&format!("{folder}tokenizer.json"));
        (folder.is_empty() || is_module(folder)) && (weights || vocabulary || is_description(name))
    };
    let files: Vec<Listed> = listing.files.iter().filter(needed).cloned().collect();
    let any = |ends: &str| files.iter().any(|file| file.path.ends_with(ends));
    if !any("config.json") || !(any("tokenizer.json") || any("vocab.txt")) {
        return Err(repo.error(
            "no config.json, or neither tokenizer.json nor vocab.txt; expected the files of an encoder",
        ));
    }
    if !any(".safetensors") {
        return Err(repo.error("no *.safetensors weights; convert the model, or name one that has them"));
    }
    match files.iter().find_map(|file| missing_shard(listing, &file.path)) {
        Some(shard) => Err(repo.error(format!("one part of its weights, {shard}, is not there"))),
        None => Ok(files),
    }
}

/// What was trained and sent to a hub: an adapter, a head and perhaps the encoder below it, or an encoder.
pub(super) fn artifact_files(repo: &Repo, listing: &Listing) -> Result<Vec<Listed>> {
    const ENCODER_CARD: &str = "manyview.json";
    const BELOW_A_HEAD: &str = "encoder/";
    const FITTED: [&str; 2] = ["adapter.safetensors", "head.safetensors"];
    if listing.has(ENCODER_CARD) {
        let card = listing.files.iter().filter(|file| file.path == ENCODER_CARD).cloned();
        return Ok(encoder_files(repo, listing)?.into_iter().chain(card).collect());
    }
    if !FITTED.iter().any(|name| listing.has(name)) {
        return Err(repo.error(format!(
            "none of {}, {ENCODER_CARD}; expected what `manyview push` sends of an adapter, a head or an encoder",
            FITTED.join(", ")
        )));
    }
    let is_wanted =
        |path: &str| path == "config.json" || FITTED.contains(&path) || path.starts_with(BELOW_A_HEAD);
    Ok(listing.files.iter().filter(|file| is_wanted(&file.path)).cloned().collect())
}

/// A folder such as `1_Pooling/`.
fn is_module(folder: &str) -> bool {
    let number = folder.split_once('_').map_or("", |(number, _)| number);
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && folder.matches('/').count() == 1
}

fn is_description(name: &str) -> bool {
    let json = |start: &str| name.starts_with(start) && name.ends_with(".json");
    let exact = [
        "modules.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "adapter_config.json",
        "model.safetensors.index.json",
    ];
    exact.contains(&name) || json("config") || json("tokenizer") || json("sentence_")
}

/// The first other part of `model-00001-of-00003.safetensors` that is not listed.
fn missing_shard(listing: &Listing, path: &str) -> Option<String> {
    let (start, total) = path.strip_suffix(".safetensors")?.rsplit_once("-of-")?;
    let (stem, _) = start.rsplit_once('-')?;
    let names = (1..=total.parse::<u32>().ok()?).map(|n| format!("{stem}-{n:05}-of-{total}.safetensors"));
    names.into_iter().find(|name| !listing.has(name))
}

/// Words in the paths of data files that name no configuration.
const PARTS: &[&str] = &["train", "val", "valid", "validation", "dev", "test", "data", "of"];

/// The data files of one configuration, in one format.
pub(super) fn data_files(repo: &Repo, listing: &Listing, config: Option<&str>) -> Result<Vec<Listed>> {
    let formats: [&[&str]; 3] = [&[".parquet"], &[".csv", ".tsv"], &[".jsonl", ".ndjson"]];
    let of = |ends: &[&str]| -> Vec<&Listed> {
        listing.files.iter().filter(|file| ends.iter().any(|end| file.path.ends_with(end))).collect()
    };
    let all = formats.into_iter().map(of).find(|files| !files.is_empty()).unwrap_or_default();
    if all.is_empty() {
        return Err(repo
            .error("no .parquet, .csv, .tsv, .jsonl or .ndjson file; try revision `refs/convert/parquet`"));
    }
    let configs: Vec<String> =
        all.iter().map(|file| configuration(&file.path)).collect::<BTreeSet<_>>().into_iter().collect();
    let mut files: Vec<Listed> = match config {
        Some(config) => all.into_iter().filter(|file| belongs(&file.path, config)).cloned().collect(),
        None if configs.len() == 1 => all.into_iter().cloned().collect(),
        None => return Err(repo.error(format!("several configurations, name one: {}", list(&configs)))),
    };
    if files.is_empty() {
        let wanted = config.unwrap_or_default();
        return Err(repo.error(format!("no configuration `{wanted}`; there are {}", list(&configs))));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The name of the configuration a path belongs to: its last telling folder, or what is telling in the file's name.
fn configuration(path: &str) -> String {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let telling =
        |word: &&str| !PARTS.contains(word) && !word.is_empty() && !word.bytes().all(|b| b.is_ascii_digit());
    let folder = folders.split('/').rfind(telling);
    let words: Vec<&str> = stem(name).split(['-', '_', '.']).filter(telling).collect();
    match (folder, words.is_empty()) {
        (Some(folder), _) => folder.into(),
        (None, false) => words.join("-"),
        (None, true) => "default".into(),
    }
}

fn belongs(path: &str, config: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let named = || stem(name) == config || stem(name).split(['-', '.']).any(|part| part == config);
    configuration(path) == config || folders.split('/').any(|folder| folder == config) || named()
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(paths: &[&str]) -> Listing {
        let files: Vec<_> = paths.iter().map(|p| serde_json::json!({"rfilename": p})).collect();
        serde_json::from_value(serde_json::json!({"sha": "0", "siblings": files})).unwrap()
    }

    fn names(files: Result<Vec<Listed>>) -> Vec<String> {
        files.unwrap().into_iter().map(|file| file.path).collect()
    }

    fn chosen(paths: &[&str]) -> Vec<String> {
        names(encoder_files(&Repo::model("m").unwrap(), &listing(paths)))
    }

    fn data(paths: &[&str], config: Option<&str>) -> Result<Vec<Listed>> {
        data_files(&Repo::dataset("d").unwrap(), &listing(paths), config)
    }

    #[test]
    fn a_model_is_fetched_without_its_other_formats() {
        let needed = [
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "2_Dense/model.safetensors",
            "config.json",
            "config_sentence_transformers.json",
            "model.safetensors",
            "modules.json",
            "sentence_bert_config.json",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ];
        let other = [
            "README.md",
            "onnx/config.json",
            "onnx/model.onnx",
            "openvino/model.xml",
            "pytorch_model.bin",
            "model.fp16.safetensors",
            "2_Dense/pytorch_model.bin",
            "tf_model.h5",
            "vocab.txt",
            "1_Pooling/x/config.json",
        ];
        assert_eq!(chosen(&[&needed[..], &other[..]].concat()), needed);
    }

    #[test]
    fn an_artifact_is_fetched_with_the_encoder_below_it_and_nothing_else() {
        let of = |paths: &[&str]| artifact_files(&Repo::model("m").unwrap(), &listing(paths));
        let head =
            ["config.json", "encoder/1_Pooling/config.json", "encoder/model.safetensors", "head.safetensors"];
        assert_eq!(names(of(&[&head[..], &["README.md", "adapter.onnx"]].concat())), head);
        let encoder = ["config.json", "manyview.json", "model.safetensors", "tokenizer.json"];
        let mut found = names(of(&[&encoder[..], &["lora/adapter_config.json"]].concat()));
        found.sort();
        assert_eq!(found, encoder);
        let e = of(&["config.json", "model.safetensors", "tokenizer.json"]).unwrap_err().to_string();
        assert!(e.contains("manyview push"), "{e}");
    }

    #[test]
    fn a_vocabulary_is_fetched_where_there_is_no_fast_tokenizer() {
        let paths = ["added_tokens.json", "config.json", "model.safetensors", "vocab.txt"];
        assert_eq!(chosen(&paths), paths);
    }

    #[test]
    fn all_parts_of_large_weights_are_fetched_and_a_missing_one_is_refused() {
        let paths = [
            "config.json",
            "tokenizer.json",
            "model.safetensors.index.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
        ];
        assert_eq!(chosen(&paths), paths);
        let e = encoder_files(&Repo::model("m").unwrap(), &listing(&paths[..4])).unwrap_err().to_string();
        assert!(e.contains("model-00002-of-00002.safetensors"), "{e}");
    }

    #[test]
    fn a_model_without_safetensors_is_refused() {
        let paths = listing(&["config.json", "tokenizer.json", "pytorch_model.bin"]);
        let e = encoder_files(&Repo::model("m").unwrap(), &paths).unwrap_err().to_string();
        assert!(e.contains("safetensors"), "{e}");
    }

    #[test]
    fn parquet_goes_before_csv_and_shards_and_parts_are_one_configuration() {
        let paths = [
            "README.md",
            "x.csv",
            "data/train-00000-of-00002.parquet",
            "data/test-00000-of-00001.parquet",
            "data/train-00001-of-00002.parquet",
        ];
        assert_eq!(names(data(&paths, None)), [paths[3], paths[2], paths[4]]);
        assert_eq!(names(data(&["train.csv", "test.csv"], None)), ["test.csv", "train.csv"]);
        assert_eq!(names(data(&["train/0.jsonl", "test/0.jsonl"], None)), ["test/0.jsonl", "train/0.jsonl"]);
    }

    #[test]
    fn several_configurations_are_named_and_one_can_be_picked() {
        let paths = ["en/train-00000-of-00001.parquet", "de/train-00000-of-00001.parquet", "de/test.parquet"];
        let e = data(&paths, None).unwrap_err().to_string();
        assert!(e.contains("`de`, `en`"), "{e}");
        assert_eq!(names(data(&paths, Some("de"))), [paths[2], paths[1]]);
        let e = data(&paths, Some("fr")).unwrap_err().to_string();
        assert!(e.contains("`fr`") && e.contains("`de`, `en`"), "{e}");
        let flat = ["reviews_train.csv", "news_train.csv", "news_test.csv"];
        assert_eq!(names(data(&flat, Some("news"))), ["news_test.csv", "news_train.csv"]);
    }
}
