//! A copy of a golden model, to damage.
#![allow(dead_code)] // each test file uses its part
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use crate::golden;
use manyview_core::{Encoder, Kind};
use manyview_encoder::{Device, EncoderConfig, Error, TextEncoder};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) struct Model;

impl Model {
    /// The directory to keep, and the copy in it.
    pub(crate) fn of(name: &str) -> (TempDir, PathBuf) {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let path = dir.path().join("model");
        copy(&golden::model(name), &path);
        (dir, path)
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { assert!(fs::copy(&path, &target).is_ok()) }
    }
}

pub(crate) fn load(path: &Path) -> Result<TextEncoder, Error> {
    TextEncoder::load(path, &EncoderConfig::default(), &Device::flex())
}

/// Why a model is not loaded.
pub(crate) fn refusal(path: &Path) -> String {
    match load(path) {
        Ok(_) => panic!("{} was loaded", path.display()),
        Err(e) => {
            assert_eq!(e.kind(), Kind::Input, "{e}");
            e.to_string()
        }
    }
}

/// The vector of a text.
pub(crate) fn vector(path: &Path) -> Vec<f32> {
    load(path).unwrap().encode(&["rain over old Kent"], None).unwrap().vectors.into_vec()
}

/// How often: as the variable `ROUNDS` says, or as every run of the tests does.
pub(crate) fn rounds(usual: usize) -> usize {
    std::env::var("ROUNDS").map_or(usual, |n| n.parse().unwrap())
}

/// Numbers without a pattern, the same each time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}
