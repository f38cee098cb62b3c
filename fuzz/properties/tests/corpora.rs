//! Every input that fuzzing kept, once more.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // what sets a scene is part of a test; the figures of tests/README.md

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
    let mut tried = 0;
    for (name, property) in ALL {
        for path in corpus(name) {
            let bytes = fs::read(&path).unwrap();
            for length in [bytes.len(), bytes.len() / 2, bytes.len().saturating_sub(1)] {
                println!("{}, {length} bytes", path.display()); // shown where it fails
                property(&bytes[..length]);
                tried += 1;
            }
        }
    }
    println!(
        "reliability: G4 tried={tried} inputs of {} parsers and writers, whole and cut short",
        ALL.len()
    );
}

/// What a fuzzer does first, without its knowledge of what was reached: 40 times a file, the same each time.
#[test]
fn every_property_holds_of_its_corpus_damaged_here_and_there() {
    let (mut dice, mut tried) = (Dice(7), 0);
    for (name, property) in ALL {
        let files: Vec<Vec<u8>> = corpus(name).iter().map(|path| fs::read(path).unwrap()).collect();
        for (file, time) in files.iter().flat_map(|file| (0..40).map(move |time| (file, time))) {
            let other = &files[dice.below(files.len())];
            let bytes = damaged(file, other, &mut dice);
            println!("{name}, time {time}: {:?}", String::from_utf8_lossy(&bytes)); // shown where it fails
            property(&bytes);
            tried += 1;
        }
    }
    println!("reliability: G4 tried={tried} inputs damaged here and there");
}

/// `file` with up to four bytes changed, left out or repeated, or its end from `other`.
fn damaged(file: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len().max(1)).min(bytes.len());
        let end = bytes.len().min(at + 1 + dice.below(8));
        match dice.below(5) {
            0 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            _ => {
                bytes.truncate(at);
                bytes.extend(&other[at.min(other.len())..]);
            }
        }
    }
    bytes
}

/// Numbers without a pattern, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
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
