//! Every input that fuzzing kept, once more.

use manyview_properties::ALL;
use std::fs;
use std::path::{Path, PathBuf};

fn corpus(name: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_property_holds_of_its_corpus_and_of_each_file_cut_short() {
    for (name, property) in ALL {
        for path in corpus(name) {
            let bytes = fs::read(&path).unwrap();
            for length in [bytes.len(), bytes.len() / 2, bytes.len().saturating_sub(1)] {
                println!("{}, {length} bytes", path.display()); // shown where it fails
                property(&bytes[..length]);
            }
        }
    }
}

#[test]
fn every_property_has_a_corpus_and_a_fuzz_target() {
    let targets = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml")).unwrap();
    for (name, _) in ALL {
        assert!(!corpus(name).is_empty(), "{name}");
        assert!(targets.contains(&format!("name = \"{name}\"")), "{name}");
    }
    let folders = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")).unwrap();
    assert_eq!(folders.count(), ALL.len());
}

#[test]
fn the_corpora_stay_small() {
    let files = ALL.iter().flat_map(|(name, _)| corpus(name));
    let bytes: u64 = files.map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes < 1 << 20, "{bytes}");
}
