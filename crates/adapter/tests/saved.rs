//! An adapter on disk: what comes back, and what is refused.
#![allow(clippy::unwrap_used)]
use manyview_adapter::{AdapterCard, Error, Linear, load, save};
use manyview_core::{Embeddings, Error as CoreError, Fingerprint, Kind, Transform};
use std::{fs, path::PathBuf};

fn card() -> AdapterCard {
    AdapterCard {
        schema: AdapterCard::SCHEMA.into(),
        encoder: "a small encoder".into(),
        encoder_fingerprint: Fingerprint::builder("test/1").finish(),
        dim_in: 2,
        dim_out: 3,
        instruction: "Identify the topic".into(),
        teacher: "the same encoder under the instruction".into(),
        method: "ridge".into(),
        n_train: 7,
        settings: [("max_length".to_string(), 256.into())].into(),
    }
}

fn map() -> Linear {
    Linear::new(vec![1.0, 2.0, 3.0, -1.0, 0.5, 0.25], 2, Some(vec![0.1, 0.2, 0.3])).unwrap()
}

fn saved() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("view");
    save(&dir, &map(), &card()).unwrap();
    (root, dir)
}

#[test]
fn what_was_saved_comes_back() {
    let (_root, dir) = saved();
    let back = load(&dir).unwrap();
    assert_eq!((back.linear, back.card), (map(), card()));
    let plain = Linear::new(map().weight().to_vec(), 2, None).unwrap();
    save(&dir, &plain, &card()).unwrap();
    assert_eq!(load(&dir).unwrap().linear, plain);
}

#[test]
fn vectors_of_another_encoder_are_refused() {
    let (_root, dir) = saved();
    let (back, x) = (load(&dir).unwrap(), Embeddings::new(vec![1.0, 0.0], 2).unwrap());
    assert_eq!(back.transform(&x, &card().encoder_fingerprint).unwrap(), map().transform(&x).unwrap());
    let other = Fingerprint::builder("test/2").finish();
    assert!(matches!(back.transform(&x, &other), Err(Error::Core(CoreError::Fingerprint { .. }))));
}

#[test]
fn a_changed_or_truncated_file_is_refused_by_name() {
    let (_root, dir) = saved();
    let weights = dir.join("adapter.safetensors");
    let whole = fs::read(&weights).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    for bad in [changed, whole[..whole.len() - 4].to_vec(), vec![]] {
        fs::write(&weights, bad).unwrap();
        let e = load(&dir).unwrap_err();
        assert!(matches!(e, Error::Damaged { .. }) && e.to_string().contains("adapter.safetensors"), "{e}");
    }
    fs::write(&weights, whole).unwrap();
    let config = fs::read_to_string(dir.join("config.json")).unwrap();
    let replaced = [config[..40].to_string(), config.replace("manyview-adapter/1", "another/9"), "{}".into()];
    for bad in replaced {
        fs::write(dir.join("config.json"), bad).unwrap();
        let e = load(&dir).unwrap_err();
        assert!(matches!(e, Error::Damaged { .. }) && e.to_string().contains("config.json"), "{e}");
    }
}

#[test]
fn a_card_whose_shape_was_edited_is_refused() {
    let (_root, dir) = saved();
    let config = fs::read_to_string(dir.join("config.json")).unwrap();
    fs::write(dir.join("config.json"), config.replace("\"dim_out\": 3", "\"dim_out\": 4")).unwrap();
    assert!(matches!(load(&dir), Err(Error::Damaged { .. })));
}

#[test]
fn a_missing_directory_is_an_error_of_files() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(load(&root.path().join("none")).unwrap_err().kind(), Kind::Io);
}

#[test]
fn a_directory_with_other_files_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("thesis.txt"), "keep").unwrap();
    assert!(matches!(save(root.path(), &map(), &card()), Err(Error::Occupied { .. })));
    assert_eq!(fs::read_to_string(root.path().join("thesis.txt")).unwrap(), "keep");
}

#[test]
fn a_card_that_does_not_match_the_map_is_not_saved() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("view");
    assert!(save(&dir, &map(), &AdapterCard { dim_in: 3, ..card() }).is_err());
    assert!(save(&dir, &map(), &AdapterCard { schema: "other/1".into(), ..card() }).is_err());
    assert!(!dir.exists());
}
