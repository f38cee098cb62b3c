//! An adapter on disk: what comes back, and what is refused.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test
use manyview_adapter::{Card, Error, Linear, Map, Maps, Shape, TaskCard, load, save};
use manyview_core::{Embeddings, Error as CoreError, Fingerprint, Kind, Transform};
use std::{fs, path::PathBuf};

fn card() -> Card {
    Card {
        task: TaskCard::Views {
            instruction: "Identify the topic".into(),
            teacher: "the same encoder under the instruction".into(),
        },
        encoder: "a small encoder".into(),
        encoder_fingerprint: Fingerprint::builder("test/1").finish(),
        dim_in: 2,
        dim_out: 3,
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
    save(&dir, &map().into(), &card()).unwrap();
    (root, dir)
}

#[test]
fn what_was_saved_comes_back() {
    let (_root, dir) = saved();
    let back = load(&dir).unwrap().adapter().unwrap();
    assert_eq!(back.linear().unwrap(), &map());
    assert_eq!((back.model, back.card), (map().into(), card()));
    let plain = Linear::new(map().weight().to_vec(), 2, None).unwrap();
    save(&dir, &plain.clone().into(), &card()).unwrap();
    assert_eq!(load(&dir).unwrap().model, plain.into());
}

fn layer(dim_in: usize, dim_out: usize, bias: bool) -> Linear {
    let weight = (0..dim_in * dim_out).map(|i| (i as f32 + 0.5).sin()).collect();
    Linear::new(weight, dim_in, bias.then(|| vec![0.25; dim_out])).unwrap()
}

fn square(shape: Shape, width: usize, bias: bool) -> Map {
    match shape {
        Shape::Linear => layer(3, 3, bias).into(),
        Shape::LowRank => Map::new(shape, vec![layer(3, width, false), layer(width, 3, bias)]).unwrap(),
        _ => Map::new(shape, vec![layer(3, width, bias), layer(width, 3, bias)]).unwrap(),
    }
}

#[test]
fn every_shape_comes_back_for_every_side() {
    let root = tempfile::tempdir().unwrap();
    let (dir, card) = (root.path().join("view"), Card { dim_in: 3, ..card() });
    let x = Embeddings::new(vec![1.0, -2.0, 0.5], 3).unwrap();
    for shape in [Shape::Linear, Shape::LowRank, Shape::Residual, Shape::Mlp] {
        for bias in [false, true] {
            let (query, passage) = (square(shape, 4, bias), square(shape, 4, !bias));
            for maps in [Maps::Query(query.clone()), Maps::Both(query.clone()), Maps::Dual { query, passage }]
            {
                save(&dir, &maps.clone().into(), &card).unwrap();
                let back = load(&dir).unwrap().adapter().unwrap();
                assert_eq!(back.model, maps);
                assert_eq!(back.transform(&x, &card.encoder_fingerprint).unwrap(), maps.queries(&x).unwrap());
            }
        }
    }
}

#[test]
fn maps_of_two_shapes_are_not_saved_together() {
    let root = tempfile::tempdir().unwrap();
    let card = Card { dim_in: 3, ..card() };
    for passage in [square(Shape::Residual, 5, true), square(Shape::Mlp, 4, true)] {
        let maps = Maps::Dual { query: square(Shape::Residual, 4, true), passage };
        let e = save(&root.path().join("view"), &maps.into(), &card).unwrap_err();
        assert!(e.to_string().contains("map of passages"), "{e}");
    }
}

#[test]
fn only_a_linear_map_of_all_texts_is_one_matrix() {
    let linear = |maps: Maps| {
        let root = tempfile::tempdir().unwrap();
        save(&root.path().join("view"), &maps.into(), &Card { dim_in: 3, ..card() }).unwrap();
        let saved = load(&root.path().join("view")).unwrap().adapter().unwrap();
        saved.linear().cloned().map_err(|e| (e.kind(), e.to_string()))
    };
    let map = || square(Shape::Linear, 0, true);
    assert_eq!(linear(Maps::Both(map())).unwrap(), layer(3, 3, true));
    assert_eq!(linear(Maps::Dual { query: map(), passage: map() }).unwrap(), layer(3, 3, true));
    let other = square(Shape::Linear, 0, false);
    for (maps, found) in [
        (Maps::Query(map()), "query-only"),
        (Maps::Dual { query: map(), passage: other }, "dual"),
        (Maps::Both(square(Shape::LowRank, 2, false)), "low_rank"),
    ] {
        let (kind, message) = linear(maps).unwrap_err();
        assert!(kind == Kind::Input && message.contains(found), "{message}");
    }
}

#[test]
fn vectors_of_another_encoder_are_refused() {
    let (_root, dir) = saved();
    let (back, x) = (load(&dir).unwrap().adapter().unwrap(), Embeddings::new(vec![1.0, 0.0], 2).unwrap());
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
    let replaced =
        [config[..40].to_string(), config.replace("manyview-artifact/1", "another/9"), "{}".into()];
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
    assert!(matches!(save(root.path(), &map().into(), &card()), Err(Error::Occupied { .. })));
    assert_eq!(fs::read_to_string(root.path().join("thesis.txt")).unwrap(), "keep");
}

#[test]
fn a_card_that_does_not_match_the_map_is_not_saved() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("view");
    assert!(save(&dir, &map().into(), &Card { dim_in: 3, ..card() }).is_err());
    let task = TaskCard::Scores { filter: "news".into(), dimensions: vec![], tiers: vec![] };
    let e = save(&dir, &map().into(), &Card { task, ..card() }).unwrap_err();
    assert!(e.to_string().contains("views or retrieval for an adapter"), "{e}");
    assert!(!dir.exists());
}
