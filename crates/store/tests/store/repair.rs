//! Damage is found, set aside and made good; foreign things are refused.

use crate::toy::{StopAfter, Toy, files, parts, refs, stored, texts};
use manyview_core::{Encoder, Instruction, Kind, Quiet};
use manyview_store::{Checked, Error, Reuse, Store};
use std::fs;
use std::path::Path;
use tempfile::{TempDir, tempdir};

/// A store of ten texts in three parts.
fn filled() -> (TempDir, Vec<String>) {
    let (dir, texts) = (tempdir().unwrap(), texts(10));
    stored(dir.path()).encode(&refs(&texts), None).unwrap();
    assert_eq!(parts(dir.path()).len(), 3);
    (dir, texts)
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn problems(checked: &[Checked]) -> Vec<&str> {
    checked.iter().filter_map(|c| c.problem.as_deref()).collect()
}

/// That all ten texts come out right, though those of one part had to be encoded again.
fn assert_repaired(root: &Path, texts: &[String]) {
    let again = stored(root);
    let (encoded, reuse) = again.encode_all(&refs(texts), None, &Quiet).unwrap();
    assert_eq!(encoded, Toy::default().encode(&refs(texts), None).unwrap());
    assert!([2, 4].contains(&reuse.encoded), "{reuse:?}");
    assert_eq!(parts(root).len(), 3);
    assert_eq!(
        stored(root).encode_all(&refs(texts), None, &Quiet).unwrap().1,
        Reuse { encoded: 0, reused: 10 }
    );
}

#[test]
fn a_flipped_byte_anywhere_is_set_aside_and_encoded_again() {
    let len = fs::metadata(&parts(filled().0.path())[0]).unwrap().len() as usize;
    for at in [0, 4, len / 3, len / 2, len - 9, len - 1] {
        let (dir, texts) = filled();
        flip(&parts(dir.path())[0], at);
        assert_repaired(dir.path(), &texts);
        assert_eq!(files(&dir.path().join("quarantine")).len(), 1);
    }
}

#[test]
fn a_truncated_part_is_set_aside_and_encoded_again() {
    for keep in [0, 3, 100] {
        let (dir, texts) = filled();
        let part = &parts(dir.path())[1];
        let bytes = fs::read(part).unwrap();
        fs::write(part, &bytes[..keep]).unwrap();
        assert_repaired(dir.path(), &texts);
        assert_eq!(fs::read(&files(&dir.path().join("quarantine"))[0]).unwrap(), &bytes[..keep]);
    }
}

#[test]
fn a_directory_in_place_of_a_part_is_set_aside() {
    let (dir, texts) = filled();
    let part = &parts(dir.path())[2];
    fs::remove_file(part).unwrap();
    fs::create_dir(part).unwrap();
    assert_repaired(dir.path(), &texts);
    assert_eq!(files(&dir.path().join("quarantine")).len(), 1);
}

#[test]
fn a_part_that_breaks_again_is_kept_again() {
    let (dir, texts) = filled();
    let name = parts(dir.path())[0].file_name().unwrap().to_str().unwrap().to_string();
    for _ in 0..3 {
        flip(&parts(dir.path())[0], 40);
        assert_repaired(dir.path(), &texts);
    }
    let kept = files(&dir.path().join("quarantine"));
    let kept: Vec<&str> = kept.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(kept.len(), 3);
    assert!(kept[0].ends_with(&name) && kept[1].ends_with(".1") && kept[2].ends_with(".2"), "{kept:?}");
}

/// Puts `bytes` into the only space as a part whose name fits them.
fn smuggle(root: &Path, bytes: &[u8]) {
    let name = format!("part-{}.parquet", &blake3::hash(bytes).to_hex()[..32]);
    fs::write(parts(root)[0].with_file_name(name), bytes).unwrap();
}

#[test]
fn a_part_with_the_right_name_and_the_wrong_content_is_set_aside() {
    let (dir, texts) = filled();
    let good = fs::read(&parts(dir.path())[0]).unwrap();
    for at in [4, 5, good.len() - 60, good.len() - 8, good.len() - 5] {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        smuggle(dir.path(), &bad);
    }
    smuggle(dir.path(), b"PAR1 not a part PAR1");
    let checked = Store::open(dir.path()).unwrap().verify(&Quiet).unwrap();
    assert_eq!(checked.len(), 9);
    assert!(problems(&checked).len() >= 4, "{checked:?}");
    let encoded = stored(dir.path()).encode(&refs(&texts), None).unwrap();
    assert_eq!(encoded, Toy::default().encode(&refs(&texts), None).unwrap());
}

#[test]
fn verify_finds_a_flipped_byte_and_a_second_look_finds_nothing() {
    let (dir, texts) = filled();
    let store = Store::open(dir.path()).unwrap();
    let whole = store.verify(&Quiet).unwrap();
    assert_eq!(problems(&whole), [""; 0]);
    assert_eq!(whole.iter().map(|c| c.rows).sum::<usize>(), 10);

    let part = parts(dir.path())[1].clone();
    flip(&part, 77);
    let checked = store.verify(&Quiet).unwrap();
    let bad: Vec<_> = checked.iter().filter(|c| c.problem.is_some()).collect();
    assert_eq!((bad.len(), &bad[0].part, bad[0].rows), (1, &part, 0));
    assert_eq!(bad[0].space, store.spaces().unwrap()[0].key);
    assert!(!part.exists());
    assert_eq!(problems(&store.verify(&Quiet).unwrap()), [""; 0]);
    assert_repaired(dir.path(), &texts);
}

#[test]
fn a_store_that_was_just_begun_has_nothing_and_nothing_wrong() {
    let dir = tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!((store.spaces().unwrap(), store.verify(&Quiet).unwrap()), (vec![], vec![]));
}

#[test]
fn verify_stops_when_asked_to() {
    let (dir, _) = filled();
    let stop = StopAfter::new(1);
    let e = Store::open(dir.path()).unwrap().verify(&stop).unwrap_err();
    assert_eq!(e.kind(), Kind::Interrupted);
    assert_eq!(*stop.stages.lock().unwrap(), [("verify".to_string(), 3)]);
}

#[test]
fn a_lost_description_is_written_again() {
    for content in [None, Some("{"), Some("{\"schema\": 1}")] {
        let (dir, texts) = filled();
        let path = parts(dir.path())[0].with_file_name("space.json");
        let before = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
            let e = Store::open(dir.path()).unwrap().spaces().unwrap_err();
            assert!(e.to_string().contains("verify the store"), "{e}");
            let checked = Store::open(dir.path()).unwrap().verify(&Quiet).unwrap();
            assert_eq!((problems(&checked).len(), checked.len()), (1, 4));
        }
        assert_eq!(Store::open(dir.path()).unwrap().spaces().unwrap(), []);
        let (_, reuse) = stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap();
        assert_eq!(reuse.encoded, 0);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_store_of_a_later_release_is_refused() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("manyview-store.json"), "{\"schema\": 2, \"more\": []}").unwrap();
    let e = Store::open(dir.path()).unwrap_err();
    assert!(matches!(e, Error::Schema { found: 2, supported: 1, .. }), "{e}");
    assert_eq!(e.kind(), Kind::Input);
}

#[test]
fn a_space_of_a_later_release_is_refused() {
    let (dir, texts) = filled();
    let path = parts(dir.path())[0].with_file_name("space.json");
    let later = fs::read_to_string(&path).unwrap().replace("\"schema\": 1", "\"schema\": 2");
    fs::write(&path, &later).unwrap();
    let e = stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap_err();
    assert!(matches!(e, Error::Schema { found: 2, .. }), "{e}");
    assert!(Store::open(dir.path()).unwrap().verify(&Quiet).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), later);
}

#[test]
fn a_file_where_the_store_should_be_is_refused() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("store");
    fs::write(&path, "").unwrap();
    let e = Store::open(&path).unwrap_err();
    assert!(matches!(e, Error::NotADirectory { .. }), "{e}");
    assert_eq!(Store::open(path.join("deeper")).unwrap_err().kind(), Kind::Io);
}

#[test]
fn a_space_is_removed_by_the_start_of_its_key() {
    let (dir, _) = filled();
    let stored = stored(dir.path());
    let tasks: Vec<_> = (0..20).map(|i| Instruction::new(format!("task {i}"))).collect();
    for task in &tasks {
        stored.encode(&["a"], Some(task)).unwrap(); // of 21 keys, two start with the same digit
    }
    let store = Store::open(dir.path()).unwrap();
    let before = store.spaces().unwrap();
    let shared = before.windows(2).find(|w| w[0].key[..1] == w[1].key[..1]).unwrap();
    let e = store.remove(&shared[0].key[..1]).unwrap_err();
    assert!(matches!(e, Error::AmbiguousSpace { .. }), "{e}");
    assert!(shared.iter().all(|s| e.to_string().contains(&s.key)), "{e}");
    for absent in ["", "x", ".."] {
        let e = store.remove(absent).unwrap_err();
        assert!(matches!(e, Error::NoSpace { .. }) && e.to_string().contains(&before[20].key), "{e}");
    }
    assert_eq!(store.remove(&before[3].key[..31]).unwrap(), before[3]);
    let after: Vec<_> = before.iter().filter(|s| s.key != before[3].key).cloned().collect();
    assert_eq!(store.spaces().unwrap(), after);
}
